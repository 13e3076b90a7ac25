"""A section of the report."""

from gansmith.report.markup import Markup

Section = tuple[str, Markup | None, str | None]
"""Heading, content (None where there is nothing to show) and lead."""
