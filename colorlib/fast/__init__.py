"""Faster versions of what PyTorch and scikit-image have; each says what it replaces."""
