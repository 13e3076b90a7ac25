"""Metrics of time series."""
