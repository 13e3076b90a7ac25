"""gansmith optimise for molecules: the best ones by properties, by a function of yours, near a drug, or on a scaffold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from gansmith.cli.generate import condition
from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.outputs import whole
from gansmith.data.spreadsheets import Writer
from gansmith.data.values import Count, Number, Seed, Whole
from gansmith.errors import UserError

Share = Annotated[float, Number(0, 1)]


@dataclass(frozen=True, kw_only=True)
class Optimise:
    """Finds molecules that are good for something: a trained model learns by reinforcement to write them."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    out: Annotated[Path | None, takes("DIR", "RUN/optimised/0001")] = None
    """A new folder: molecules.csv, molecules.png, optimisation.json, and model/, which gansmith generate takes."""
    maximise: Annotated[UseAppendAction[tuple[str, ...]], takes("WHAT")] = ()
    """qed, logp, sa, weight, tpsa, rings, atoms, or FILE.py:FUNCTION, which takes a SMILES and returns a number from 0 to 1 or None."""
    minimise: Annotated[UseAppendAction[tuple[str, ...]], takes("WHAT")] = ()
    """As --maximise; several goals are met together (their geometric mean)."""
    where: Annotated[UseAppendAction[tuple[str, ...]], takes("KEY=VALUE")] = ()
    """A property that must be so ("logp<3") or should be near a number (qed=0.9)."""
    like: Annotated[str | None, takes("SMILES")] = None
    """Resemble this molecule."""
    similarity: Annotated[Share | None, takes("T", "as high as it gets")] = None
    """Keep only molecules with at least this Tanimoto similarity to that of --like."""
    scaffold: Annotated[str | None, takes("SMILES")] = None
    """Keep this in every molecule; * marks where side chains go (default: anywhere). Two fragments with one * each, "*c1ccccc1.*N1CCOCC1",
    are joined by linkers."""
    calls: Annotated[Count, takes("N", "5000")] = 5000
    """Different molecules that are scored."""
    keep: Annotated[Count, takes("N", "100")] = 100
    """Molecules to keep, the best that meet every condition."""
    batch: Annotated[Count, takes("N", "64")] = 64
    """Molecules that are written in a round."""
    sigma: Annotated[float, Number(0, 1e6), takes("S", "500")] = 500.0
    """Weight of the score beside the trained model's likelihood."""
    learning_rate: Annotated[float, Number(0, 1), takes("R", "0.0005")] = 5e-4
    """Adam's step size."""
    critic: Annotated[float, Number(0, 100), takes("W", "0.2")] = 0.2
    """Weight of the critic's probability that a molecule is like the data, beside the score."""
    alike: Annotated[Count, takes("N", "25")] = 25
    """Molecules of one Bemis-Murcko scaffold that are rewarded and kept."""
    replay: Annotated[int, Whole(0, 100), takes("N", "24")] = 24
    """Of the hundred best, how many are learned again in each step."""
    bred: Annotated[int, Whole(0, 100_000), takes("N", "32")] = 32
    """Molecules that are bred from the best in each round, by crossing and changing them; the agent learns them too."""
    seed: Annotated[Seed, takes("S", "0"), arg()] = 0
    """Decides what is written."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example; those of --maximise run without it."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Optimise, argv, "gansmith optimise")
    where: dict[str, str] = {}
    for key, value in map(condition, options.where):
        where[key] = f"{where[key]}&{value}" if key in where else value
    out = options.out or _numbered(options.run / "optimised")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"--out {out} exists: give the name of a new folder.")

    from gansmith.kinds.molecules.optimisation.optimise import agent_model, optimised
    from gansmith.model import Model
    from gansmith.tasks.optimisation import STEP, Found, Settings, described
    from gansmith.training.devices import choose_device

    model = Model.load(options.run, choose_device(options.device), trust=options.trust)
    output, said = Output(options.json), 0

    def watch(found: Found) -> None:
        nonlocal said
        if len(found.scores) // (5 * STEP) > said:
            said = len(found.scores) // (5 * STEP)
            best = [score for _, score in found.best(10)]
            output.say(f"{len(found.scores):,} molecules scored, the best ten {sum(best) / len(best):.3f}")

    names = ("calls", "batch", "sigma", "learning_rate", "critic", "alike", "replay", "bred", "seed")
    settings = Settings(**{name: getattr(options, name) for name in names})
    made = optimised(
        model,
        maximise=options.maximise,
        minimise=options.minimise,
        where=where,
        like=options.like,
        similarity=options.similarity,
        scaffold=options.scaffold,
        keep=options.keep,
        settings=settings,
        watch=watch,
    )
    facts = {**described(made.found), "curve": made.found.curve(), "kept": len(made.rows), "settings": vars(settings)}
    out.mkdir(parents=True, exist_ok=True)
    if made.rows:
        with whole(out / "molecules.csv") as part, open(part, "w", encoding="utf-8", newline="") as file:
            table = Writer(file)
            table.writerow(list(made.rows[0]))
            table.writerows([f"{each:.6g}" if isinstance(each, float) else each for each in row.values()] for row in made.rows)
        with whole(out / "molecules.png") as part:
            from gansmith.kinds.molecules.preview import drawn

            drawn([row["smiles"] for row in made.rows[:24]]).save(part, "PNG")
    with whole(out / "optimisation.json") as part:
        part.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    if made.found.agent is not None:
        agent_model(model, made.found).save(out / "model")
    output.say(
        f"{out}: {len(made.rows)} molecules kept of {len(made.found.scores):,} scored; the best ten score {facts.get('top_10', 0):.3f}."
    )
    if not made.rows:
        output.say("None meets every condition: ask for less, or give more --calls.")
    elif len(made.found.scores) < options.calls:
        output.say(
            f"The model wrote nothing new after {len(made.found.scores):,} molecules: a smaller --sigma stays more varied."
        )
    output.result({"out": out, "molecules": made.rows, **facts})
    return 0


def _numbered(folder: Path) -> Path:
    """The first folder 0001, 0002, ... that is not there."""
    return next(place for number in range(1, 10_000) if not (place := folder / f"{number:04}").exists())
