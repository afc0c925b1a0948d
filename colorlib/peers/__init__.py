"""The systems we compare with: the published networks themselves, and outputs of theirs.

`load(name)` runs one with its official weights, `published()` gives what they put out for two
photographs; original.py is the network of the course project that this one starts from.
"""

from colorlib.peers.official import OFFICIAL, load, weights_path
from colorlib.peers.published import published, published_file

__all__ = ["OFFICIAL", "load", "published", "published_file", "weights_path"]
