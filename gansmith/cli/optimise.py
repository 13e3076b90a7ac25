"""gansmith optimise: examples that are good for something. Each kind of data that can be optimised has its own options for it."""

from gansmith import kinds
from gansmith.cli.translate import kind_of_run

USUAL = "molecules"
"""The kind that is meant where no run is named: help."""


def run(argv: list[str]) -> int:
    return kinds.optimiser(kind_of_run(argv, USUAL))(argv)
