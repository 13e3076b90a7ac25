"""Music: MIDI files as voices on a grid of steps."""
