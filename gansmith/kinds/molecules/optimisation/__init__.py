"""Molecules that are good for something."""
