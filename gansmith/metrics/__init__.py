"""Judging generated examples against real ones: one file per metric or family of metrics.

A file that judges holds `METRICS` (what it measures, readable without importing it) and `measure(side)`; it is found by
its place in this folder (`families.py`). `judge.py` asks each of them about the generated examples, a trivial baseline and the
held-out examples, so that every score stands between its floor and its ceiling.
"""
