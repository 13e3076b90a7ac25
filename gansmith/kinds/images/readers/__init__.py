"""Readers of images: folders, archives, arrays, tables, hub data sets."""
