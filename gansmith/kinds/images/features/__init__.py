"""Feature spaces of images."""
