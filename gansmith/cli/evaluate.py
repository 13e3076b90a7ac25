"""gansmith evaluate: a run, or anybody's samples, against real data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from gansmith.cli.options import Opening, parse, takes
from gansmith.cli.output import Output
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Judges a run against the data that it was kept from (RUN), or any samples against any data (--real A --fake B).

    Every score comes with the score of a trivial baseline, the ceiling that real examples reach, and a 95% interval.
    """

    run: Annotated[Positional[Path | None], takes("[RUN]")] = None
    """A run folder."""
    real: Annotated[str | None, takes("DATA")] = None
    """Real examples: a folder, file or name."""
    fake: Annotated[str | None, takes("DATA")] = None
    """The examples to be judged by them."""
    data: Annotated[str | None, takes("DATA", "what the run held out")] = None
    """Held-out data of your own to judge a run with."""
    metrics: Annotated[str | None, takes("A,B,..", "those that suit the data")] = None
    """Metrics to measure (gansmith list metrics)."""
    samples: Annotated[int | None, takes("N", "10000, or as many as there are")] = None
    """Examples to judge on each side."""
    seed: Annotated[int, takes("S", "0")] = 0
    """Decides which examples, and the noise of generated ones."""
    opening: Annotated[Opening, arg(name="")] = field(default_factory=Opening)
    json: Annotated[str | None, takes("[PATH]")] = None
    """Print JSON, or write it to a file."""


def run(argv: list[str]) -> int:
    options = parse(Evaluate, argv, "gansmith evaluate", bare={"--json": "-"})
    opening = options.opening.opening()
    if options.run is not None and (options.real or options.fake or opening):
        raise UserError(f"Give either the run {options.run}, whose data are known, or --real and --fake, not both.")
    output = Output(options.json)
    from gansmith import api

    judgement = api.evaluate(
        options.run,
        real=options.real,
        fake=options.fake,
        data=options.data,
        metrics=[name.strip() for name in options.metrics.split(",")] if options.metrics else None,
        samples=options.samples,
        seed=options.seed,
        **opening,
    )
    output.show(judgement.table())
    if options.run is not None:
        output.say(f"Report: {options.run / 'report.html'}")
    output.result(judgement.to_json())
    return 0
