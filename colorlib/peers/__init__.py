"""The systems we compare with: the published networks themselves, and outputs of theirs.

`load(name)` runs one with its official weights, `published()` gives what they put out for two
photographs, `outputs()` what the reader has of any system; original.py is the network of the course
project that this one starts from.
"""

from colorlib.peers.official import OFFICIAL, Peer, load, weights_path
from colorlib.peers.outputs import outputs
from colorlib.peers.published import published, published_file

__all__ = ["OFFICIAL", "Peer", "load", "outputs", "published", "published_file", "weights_path"]
