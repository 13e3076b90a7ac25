"""gansmith demo: something made at once, by a model that comes with the package."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from gansmith import demos
from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.values import Examples, Seed
from gansmith.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Makes something at once, by a small model that comes with the package: see what there is before you train."""

    what: Annotated[Positional[str], takes("[NAME]", "digits")] = "digits"
    """Which one; gansmith demo list names them."""
    n: Annotated[Examples, takes("N", "64", aliases=("-n",))] = 64
    """How many examples."""
    seed: Annotated[Seed, takes("S", "0")] = 0
    """Decides what is made."""
    out: Annotated[Path | None, takes("DIR", "demo-NAME")] = None
    """The folder for what is made, and for the model."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Demo, argv, "gansmith demo")
    output = Output(options.json)
    if options.what == "list":
        found = {name: demos.demo(name)["about"] for name in demos.names()}
        for name, about in found.items():
            output.say(f"  {name:<12}{about}")
        output.result(found)
        return 0
    facts = demos.demo(options.what)
    folder = options.out or Path(f"demo-{options.what}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} holds something already: give another --out, or remove it.")
    place = demos.place_model(options.what, folder)
    from gansmith.model import Model
    from gansmith.runs.previews import preview_of, write_preview

    model = Model.load(place)
    raws = model.generate(options.n, seed=options.seed)
    paths = model.codec.save(raws, folder / "made")
    picture = write_preview(folder, "made", preview_of(model.codec, raws[:64]))
    output.say(f"{facts['about']} Trained on {facts['data']}, in {facts['seconds']} seconds on one core.")
    for score in facts["scores"]:
        names = {"baseline": "baseline", "rival": score.get("rival_name") or "rival", "ceiling": "ceiling"}
        beside = [f"{name} {score[label]:.3g}" for label, name in names.items() if score.get(label) is not None]
        output.say(f"  {score['name']} {score['value']:.3g} ({', '.join([*beside, score['better'] + ' is better'])})")
    output.say(f"Made:        {folder / 'made'}, and at a glance {picture}")
    output.say(f"Make more:   gansmith generate {folder} -n 1000")
    output.say(f"Train it:    {facts['command']}")
    output.say("Your own:    gansmith train FOLDER-OR-FILE")
    output.result({**facts, "out": folder, "paths": paths, "picture": picture})
    return 0
