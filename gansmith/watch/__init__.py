"""Watchers: read-only guests of a training that show it while it runs."""
