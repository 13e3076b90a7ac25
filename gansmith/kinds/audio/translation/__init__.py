"""The command `gansmith translate` for sounds."""
