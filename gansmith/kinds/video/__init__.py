"""Videos: clips of frames."""
