"""What notebook 4 compares: our network beside published systems."""
