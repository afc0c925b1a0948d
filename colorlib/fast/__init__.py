"""Faster versions of what PyTorch has: conv3x3, soft_cross_entropy and muon."""
