"""From sources to an image; from a base image and overlays to a client image."""
