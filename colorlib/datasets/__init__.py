"""Where images come from: CIFAR-100, a built-in sample, folders and arrays; reading and packing."""
