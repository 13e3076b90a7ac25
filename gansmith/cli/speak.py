"""gansmith speak: text in the voice of a model. Each kind of data that has voices has its own options for it."""

from gansmith import kinds
from gansmith.cli.translate import kind_of_run

USUAL = "audio"
"""The kind that is meant where no run is named: help."""


def run(argv: list[str]) -> int:
    return kinds.speaker(kind_of_run(argv, USUAL))(argv)
