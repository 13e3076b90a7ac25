"""Networks that are not part of a game."""
