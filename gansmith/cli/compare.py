"""gansmith compare: runs beside each other."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.options import names_in
from gansmith.data.values import Examples, JudgeSeed
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Compares runs metric by metric under equal conditions, and says which differences are real.

    Scores that all runs have are read from their records; the others are measured now.
    Runs that differ in their seed alone share a column, whose interval is over trainings:
    only such groups tell a better method from a lucky seed.
    """

    runs: Annotated[Positional[tuple[Path, ...]], takes("RUN RUN ..")] = ()
    """Run folders; RUN/best is a run with its best model, and the folder of train --seeds all runs in it."""
    data: Annotated[str | None, takes("DATA", "what the runs held out")] = None
    """Held-out data of your own to judge all by; runs of different data need it."""
    metrics: Annotated[str | None, takes("A,B,..", "all that any of the runs was judged by")] = None
    """Metrics to compare (gansmith list metrics)."""
    samples: Annotated[Examples | None, takes("N", "as many as they have in common")] = None
    """Examples to judge on each side."""
    seed: Annotated[JudgeSeed, takes("S", "0")] = 0
    """Decides which examples, and the noise of generated ones."""
    trust: Flag = False
    """Let Python files run that the runs name, as their GANs for example."""
    overwrite: Flag = False
    """Replace files that exist."""
    csv: Flag = False
    """Print the scores as CSV."""
    latex: Flag = False
    """Print the scores as a LaTeX table (package booktabs)."""
    json: Annotated[str | None, takes("[PATH]")] = None
    """Print JSON, or write it to a file."""


def run(argv: list[str]) -> int:
    options = parse(Compare, argv, "gansmith compare", bare={"--json": "-"})
    if options.csv + options.latex + (options.json == "-") > 1:
        raise UserError("--csv, --latex and --json all print the result: give one of them.")
    output = Output(options.json, overwrite=options.overwrite, given=[options.data])
    from gansmith.evaluation.compare import compare

    found = compare(
        options.runs,
        data=options.data,
        metrics=names_in(options.metrics, "--metrics") or None,
        samples=options.samples,
        seed=options.seed,
        trust=options.trust,
        say=partial(print, file=sys.stderr),
    )
    if options.csv or options.latex:
        print(found.csv() if options.csv else found.latex(), end="")
        output.result(found.to_json())
        return 0
    output.show(found.table())
    for sentence in found.sentences():
        output.say(sentence)
    output.result(found.to_json())
    return 0
