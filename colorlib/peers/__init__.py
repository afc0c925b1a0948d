"""The systems we compare with: the published networks themselves, and outputs of theirs.

`load(name)` runs a network with its official weights. `published()` gives the photographs with
true colours that published systems, or the reader's own, coloured; `course_outputs()` the two
without. original.py is the network of the course project that this one starts from.
"""

from colorlib.peers.official import OFFICIAL, Peer, load, weights_path
from colorlib.peers.own_outputs import Photograph
from colorlib.peers.published_outputs import (
    course_outputs,
    fetch_published,
    published,
    published_file,
)

__all__ = [
    "OFFICIAL",
    "Peer",
    "Photograph",
    "course_outputs",
    "fetch_published",
    "load",
    "published",
    "published_file",
    "weights_path",
]
