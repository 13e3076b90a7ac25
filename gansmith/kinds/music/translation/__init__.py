"""Music made for music that is given."""
