"""Blocks used by two or more GANs, one concept a file."""
