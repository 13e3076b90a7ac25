"""Folders of several models that belong together, such as tables with keys."""

MARK = "parts.json"
"""The file that marks such a folder, and names the kind of its parts."""
