"""Photographs of any size: colours, upsampling along edges, image files, many at once."""
