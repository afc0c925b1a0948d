"""The systems we compare with; `published()` gives what they put out for two photographs."""

from colorlib.peers.published import published, published_file

__all__ = ["published", "published_file"]
