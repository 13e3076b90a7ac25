"""gansmith detect: whether examples are of the model or of people, by the critic of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.data.spreadsheets import Writer
from gansmith.data.values import Seed
from gansmith.errors import UserError

SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Detect:
    """Says how likely each example is to be real and not made by this model, and how well the critic tells that on held-out data."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder with its checkpoints, whose data are where they were."""
    input: Annotated[Positional[Path | None], takes("DATA")] = None
    """Examples of the run's kind of data (default: only the detector itself is measured)."""
    out: Annotated[Path | None, takes("PATH")] = None
    """A .csv file with the probability of each example; without it the first 20 are shown."""
    seed: Annotated[Seed, takes("S", "0")] = 0
    """Decides what is generated for the comparison."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    overwrite: Flag = False
    """Replace the file that exists."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Detect, argv, "gansmith detect")
    if options.out is not None:
        if options.input is None:
            raise UserError("--out holds the probability of each example, and none are given: name DATA behind RUN.")
        if options.out.suffix.lower() != ".csv":
            raise UserError(f"--out takes a .csv file here, but it is {options.out}.")
        refuse_overwriting([options.out], [options.input], overwrite=options.overwrite)
    from gansmith import api
    from gansmith.edit.detection import Detector
    from gansmith.runs.data import open_like
    from gansmith.runs.run import Run

    found = Run(options.run, options.trust)
    training, held_out = api.split(api.run_data(found))
    data = None if options.input is None else open_like(training, options.input, opening=found.facts["data"]["opening"])
    detector = Detector.of(found, held_out, seed=options.seed)
    output = Output(options.json)
    output.say(
        f"The critic tells {detector.compared:,} unseen examples, half of them real, apart with an AUC of {detector.auc:.3f} "
        f"({detector.low:.3f} to {detector.high:.3f}; 0.5 is guessing)."
    )
    result: dict[str, object] = {"auc": detector.auc, "low": detector.low, "high": detector.high, "compared": detector.compared}
    if data is not None:
        chances = detector.probabilities(data)
        result |= {"mean": float(chances.mean()), "count": len(chances)}
        output.say(f"{len(chances):,} examples are real with a probability of {chances.mean():.2f} on average.")
        if options.out is not None:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            with whole(options.out) as part, open(part, "w", encoding="utf-8", newline="") as file:
                table = Writer(file)
                table.writerow(["example", "real"])
                table.writerows([number, f"{chance:.6g}"] for number, chance in enumerate(chances, 1))
            result["out"] = options.out
        else:
            result["real"] = chances.tolist()
            for number, chance in enumerate(chances[:SHOWN], 1):
                output.say(f"  example {number}: {chance:.2f}")
    output.result(result)
    return 0
