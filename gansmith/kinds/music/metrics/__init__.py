"""Metrics of music."""
