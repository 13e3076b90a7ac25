"""Judging: runs, models and anybody's samples against real data."""
