"""The command `gansmith speak`."""
