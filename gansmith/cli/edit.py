"""gansmith edit: walks, directions, projections and mixtures of what a model makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from tyro.conf import Positional, UseAppendAction

from gansmith.cli.generate import condition
from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.data.suggestions import did_you_mean
from gansmith.data.values import AtLeastTwo, Count, Directions, Frames, FramesPerSecond, Reach, Seed, Steps, Truncation, seeds_in
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.edit.sheet import Sheet
    from gansmith.kinds.images.codec import Picture
    from gansmith.model import Model

ACTIONS = {
    "interpolate": "a film that walks through the latents of several seeds, or examples between two",
    "restyle": "a given text as one of another class",
    "grid": "the same seeds under every class, or along an attribute",
    "mix": "styles of some seeds in the first layers, of others in the last",
    "directions": "directions along which the pictures change most",
    "project": "the latent of a real picture, and how near it comes",
    "fuse": "pictures between two real ones",
    "average": "the mean of the networks of several checkpoints",
}

OVERVIEW = f"""\
usage: gansmith edit RUN ACTION ...

Reaches into a trained model of images; interpolate and restyle also into latentgan, of texts and molecules.

{"".join(f"  {name:<12}{line}{chr(10)}" for name, line in ACTIONS.items())}
  gansmith edit RUN ACTION --help tells an action's options.
"""


def _options(name: str) -> Any:
    return takes("PATH", f"RUN/edited/{name}")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What every action takes."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    overwrite: Flag = False
    """Replace the file that --out names if it exists; those of RUN/edited/ are replaced without it."""
    json: Flag = False
    """Print JSON."""


@dataclass(frozen=True, kw_only=True)
class Making(Edit):
    """What actions on random pictures take."""

    seeds: Annotated[str, takes("A-B,C,..", "1-8")] = "1-8"
    """Seeds of the latents, the same as those of gansmith generate --seeds."""
    where: Annotated[UseAppendAction[tuple[str, ...]], takes("KEY=VALUE")] = ()
    """A condition, e.g. class=7."""
    truncation: Annotated[Truncation, takes("T", "1.0")] = 1.0
    """Below 1: likelier examples, less variety."""

    def making(self) -> dict[str, Any]:
        return {"truncation": self.truncation, **_conditions(self)}


@dataclass(frozen=True, kw_only=True)
class Interpolate(Making):
    """Walks through the latents of the seeds and back, and films it; of texts and molecules, writes what lies between."""

    out: Annotated[Path | None, _options("interpolate.gif")] = None
    """A .gif or .mp4 (which needs ffmpeg) file; of texts a file that they are written as (default: they are printed)."""
    between: Annotated[UseAppendAction[tuple[str, ...]], takes("TEXT")] = ()
    """In place of --seeds, walk between these texts or SMILES; at least two."""
    frames: Annotated[Frames | None, takes("N", "24 a seed; 8 texts")] = None
    """Frames of the whole film, or examples between."""
    path: Annotated[Literal["spherical", "linear"], takes("{spherical,linear}", "spherical")] = "spherical"
    """Along the sphere on which noise lies, or straight."""
    per_second: Annotated[FramesPerSecond, takes("N", "20")] = 20
    """Frames a second."""


@dataclass(frozen=True, kw_only=True)
class Restyle(Edit):
    """Writes a given text or SMILES anew as one of another class, by moving its code."""

    text: Annotated[Positional[str], takes("TEXT")]
    """What to change."""
    where: Annotated[UseAppendAction[tuple[str, ...]], takes("KEY=VALUE")] = ()
    """The class, e.g. class=good."""
    strength: Annotated[Reach, takes("S", "1")] = 1.0
    """How far to move, 1 being from the mean of its class to that of the other."""


@dataclass(frozen=True, kw_only=True)
class Grid(Making):
    """Shows the same seeds (columns) under every class (rows; one row for a given class), or an attribute (columns) for every seed."""

    out: Annotated[Path | None, _options("grid.png")] = None
    """A .png file."""
    vary: Annotated[str | None, takes("ATTRIBUTE")] = None
    """Go from the smallest to the largest value of this attribute."""


@dataclass(frozen=True, kw_only=True)
class Mix(Making):
    """Mixes styles: rows give the first layers, --seeds (columns) the others. Needs a style for each layer, as stylegan2 has."""

    rows: Annotated[str, takes("A-B,C,..", "101-104")] = "101-104"
    """Seeds of the coarse styles."""
    out: Annotated[Path | None, _options("mix.png")] = None
    """A .png file."""
    layers: Annotated[Count | None, takes("N", "half of them")] = None
    """How many layers the rows decide."""


@dataclass(frozen=True, kw_only=True)
class FindDirections(Making):
    """Finds directions of the latent space and shows the first seed along each (rows)."""

    by: Annotated[Literal["sefa", "ganspace"], takes("{sefa,ganspace}", "sefa")] = "sefa"
    """sefa: from the weights alone; ganspace: principal components of 2,000 examples."""
    count: Annotated[Directions, takes("N", "8")] = 8
    """How many."""
    reach: Annotated[Reach, takes("S", "4")] = 4.0
    """How many steps to go both ways, a step being a standard deviation."""
    amounts: Annotated[str | None, takes("A,B,..")] = None
    """Instead: one picture of the first seed, moved by A steps along the strongest direction, B along the next, and so on."""
    out: Annotated[Path | None, _options("directions.png")] = None
    """A .png file; the directions are saved beside it as .npz."""


@dataclass(frozen=True, kw_only=True)
class Project(Edit):
    """Finds the latent whose picture is nearest to a real one: the real, the found and the nearest of 256 random pictures."""

    picture: Annotated[Positional[Path], takes("PICTURE")]
    """An image file."""
    out: Annotated[Path | None, _options("PICTURE.png")] = None
    """A .png file; the latent is saved beside it as .npz."""
    steps: Annotated[Steps, takes("N", "300")] = 300
    """Steps of gradient descent."""
    seed: Annotated[Seed, takes("S", "0")] = 0
    """Decides the random pictures to start from."""
    where: Annotated[UseAppendAction[tuple[str, ...]], takes("KEY=VALUE")] = ()
    """What is known of the picture, e.g. class=7; else that of the nearest random one."""


@dataclass(frozen=True, kw_only=True)
class Fuse(Edit):
    """Projects two real pictures and shows what lies between them."""

    first: Annotated[Positional[Path], takes("FIRST")]
    """An image file."""
    second: Annotated[Positional[Path], takes("SECOND")]
    """An image file."""
    out: Annotated[Path | None, _options("fuse.png")] = None
    """A .png file, or a .gif or .mp4 film."""
    frames: Annotated[Frames | None, takes("N", "9, of a film 48")] = None
    """Pictures between."""
    steps: Annotated[Steps, takes("N", "300")] = 300
    """Steps of gradient descent for each."""
    seed: Annotated[Seed, takes("S", "0")] = 0
    """Decides the random pictures to start from."""


@dataclass(frozen=True, kw_only=True)
class Average(Edit):
    """Averages the networks of the last checkpoints and saves the model in RUN/averaged."""

    last: Annotated[AtLeastTwo, takes("N", "2")] = 2
    """How many checkpoints; a run keeps its newest two, and others may be copied beside them."""


def run(argv: list[str]) -> int:
    words = [word for word in argv if not word.startswith("-")]
    action = next((word for word in words[1:] if word in ACTIONS), None)
    if action is None:
        if {"-h", "--help"} & {*argv}:
            print(OVERVIEW, end="")
            return 0
        given = f" {words[1]!r}{did_you_mean(words[1], list(ACTIONS))}" if len(words) > 1 else ""
        raise UserError(f"gansmith edit needs RUN and an action, one of {', '.join(ACTIONS)}, not{given or ' nothing'}.")
    place = argv.index(action, argv.index(words[0]) + 1)
    argv = [*argv[:place], *argv[place + 1 :]]
    shape, act = SHAPES[action]
    options = parse(shape, argv, f"gansmith edit RUN {action}")
    output = Output(options.json)
    said, facts = act(options)
    output.say(said)
    output.result(facts)
    return 0


def _model(options: Edit) -> Model:
    from gansmith.model import Model
    from gansmith.training.devices import choose_device

    return Model.load(options.run, choose_device(options.device), trust=options.trust)


def _place(
    options: Any, name: str, suffixes: Sequence[str] = (".png",), given: Sequence[Path] = (), beside: str | None = None
) -> Path:
    """Where the result goes; `beside` is the suffix of a second file of its name. Raises UserError for another suffix, and where a file
    would be overwritten: before anything is computed."""
    out = options.out or options.run / "edited" / name
    if out.suffix.lower() not in suffixes:
        raise UserError(f"--out takes a {' or '.join(suffixes)} file here, but it is {out}.")
    files = [out, out.with_suffix(beside)] if beside else [out]
    refuse_overwriting(files, given, overwrite=options.overwrite or options.out is None)
    return out


def _save_sheet(sheet: Sheet, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as part:
        sheet.image().save(part)


def _conditions(options: Any) -> dict[str, str]:
    """What --where asks for. Raises UserError for what has an option of its own."""
    found = dict(map(condition, options.where))
    taken = {"model", "n", "seed", "name", *(field.name for field in fields(options))}
    for key in found:
        if key in taken:
            raise UserError(
                f"--where {key}={found[key]} asks for what no class or attribute is called: see gansmith edit --help."
            )
    return found


def _save_arrays(arrays: dict[str, Any], out: Path) -> None:
    with whole(out.with_suffix(".npz")) as part:
        np.savez(part, **arrays)


def _interpolate(options: Interpolate) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.film import SUFFIXES, check_film, save_film
    from gansmith.edit.interpolation import interpolate
    from gansmith.tasks.coding import Codes

    seeds, model = seeds_in(options.seeds, again=True), _model(options)
    if options.between or isinstance(model.gan, Codes):
        return _between(model, options)
    out = _place(options, "interpolate.gif", SUFFIXES)
    check_film(out, options.per_second)
    frames = interpolate(model, seeds, frames=options.frames or 24 * len(seeds), path=options.path, **options.making())
    save_film(frames, out, per_second=options.per_second, overwrite=True)
    return f"{len(frames)} frames through {len(seeds)} seeds: {out}", {"frames": len(frames), "seeds": seeds, "out": out}


def _between(model: Model, options: Interpolate) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.coding import between

    given = [_written_as(model, text) for text in options.between]
    if len(given) == 1:
        raise UserError("--between names one of at least two examples to walk between: give it again with another.")
    ends = given or seeds_in(options.seeds, again=True)
    found = between(model, ends, frames=options.frames or 8, path=options.path, **_conditions(options))
    return _told(model, found, options)


def _restyle(options: Restyle) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.coding import restyled

    model = _model(options)
    conditions = _conditions(options)
    found = restyled(model, [_written_as(model, options.text)], strength=options.strength, **conditions)
    return _told(model, found, options)


def _written_as(model: Model, text: str) -> Any:
    """What a text stands for in the codec's raw form. Raises UserError for a model whose examples are not written as text."""
    from gansmith.data.codec import Reads

    if not isinstance(model.codec, Reads):
        raise UserError(f"this model makes {model.codec.spec.kind}, which are not written as text: choose another action.")
    return model.codec.read(text)


def _told(model: Model, raws: list[Any], options: Any) -> tuple[str, dict[str, Any]]:
    """Examples on the terminal, or in the file of --out."""
    codec, out = model.codec, getattr(options, "out", None)
    lines = [str(raw) for raw in raws]
    if out is None:
        return "\n".join(lines), {"examples": lines}
    if out.suffix.lower() not in codec.suffixes:
        raise UserError(f"--out takes a {' or '.join(codec.suffixes)} file here, but it is {out}.")
    refuse_overwriting([out], overwrite=options.overwrite)
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as part:
        codec.write(raws, part)
    return f"{len(lines)} examples: {out}", {"examples": lines, "out": out}


def _grid(options: Grid) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.grids import attribute_grid, class_grid

    seeds, out = seeds_in(options.seeds), _place(options, "grid.png")
    model = _model(options)
    if options.vary is not None:
        sheet = attribute_grid(model, seeds, options.vary, **options.making())
    else:
        sheet = class_grid(model, seeds, **options.making())
    _save_sheet(sheet, out)
    facts = {"seeds": seeds, "rows": list(sheet.rows), "columns": list(sheet.columns), "out": out}
    return f"{len(sheet.rows)} x {len(sheet.columns)} pictures: {out}", facts


def _mix(options: Mix) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.grids import style_grid

    coarse, fine, out = seeds_in(options.rows, "--rows"), seeds_in(options.seeds), _place(options, "mix.png")
    model = _model(options)
    _save_sheet(style_grid(model, coarse, fine, layers=options.layers, **options.making()), out)
    return f"{len(coarse) * len(fine)} mixtures: {out}", {"rows": coarse, "columns": fine, "out": out}


def _directions(options: FindDirections) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.directions import find_directions, moved, strips

    out, (seed, *_) = _place(options, "directions.png", beside=".npz"), seeds_in(options.seeds)
    model = _model(options)
    conditions = _conditions(options)
    amounts = None if options.amounts is None else amounts_in(options.amounts, options.count)
    found = find_directions(model, by=options.by, count=options.count, seed=seed, **conditions)
    steps = np.linspace(-options.reach, options.reach, 7).tolist()
    if amounts is None:
        _save_sheet(strips(model, found, seed=seed, steps=steps, **conditions), out)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        with whole(out) as part:
            moved(model, found, amounts, seed=seed, **conditions).save(part)
    arrays = {name: getattr(found, name).cpu().numpy() for name in ("rows", "strength", "step")}
    _save_arrays(arrays, out)
    facts = {"by": options.by, "strength": arrays["strength"].tolist(), "out": out, "arrays": out.with_suffix(".npz")}
    return f"{len(found.rows)} directions by {options.by}: {out} and {out.with_suffix('.npz').name}", facts


def amounts_in(text: str, count: int) -> list[float]:
    """The numbers of "1.5,-2". Raises UserError for anything else, and for more numbers than directions."""
    try:
        amounts = [float(part) for part in text.split(",")]
    except ValueError:
        amounts = [math.nan]
    if not all(map(math.isfinite, amounts)):
        raise UserError(f"--amounts takes numbers such as 1.5,-2, but it is {text!r}.")
    if len(amounts) > count:
        raise UserError(f"--amounts has {len(amounts)} numbers for {count} directions: give fewer, or a larger --count.")
    return amounts


def _check_picture(path: Path) -> None:
    """Raises UserError where there is none to read."""
    if path.is_dir() or not path.exists():
        what = f"{path} is a folder" if path.is_dir() else f"there is no picture {path}"
        raise UserError(f"{what}: give the path of an image file.")


def _picture(path: Path) -> Picture:
    from gansmith.kinds.images.channels_file import Stack, as_image
    from gansmith.kinds.images.codec import Picture
    from gansmith.kinds.images.translation.formats import read
    from gansmith.kinds.images.values import Extremes

    opened = read(path)
    if isinstance(opened, Stack):
        return Picture(as_image(Extremes.of(opened.values).levels().shown(opened.values)), values=opened.values)
    return Picture(opened)


def _project(options: Project) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.projection import STARTS, project
    from gansmith.edit.sheet import Sheet

    _check_picture(options.picture)
    out = _place(options, f"{options.picture.stem}.png", given=[options.picture], beside=".npz")
    model, conditions = _model(options), _conditions(options)
    found = project(model, _picture(options.picture), steps=options.steps, seed=options.seed, where=conditions)
    heads = ["real", f"found ({found.likeness.psnr:.1f} dB)", f"best of {STARTS} ({found.likeness_of_start.psnr:.1f} dB)"]
    _save_sheet(Sheet([found.target.image, found.painted.image, found.start.image], [""], heads), out)
    latent: dict[str, Any] = {
        "style": found.style.cpu().numpy(),
        **{key: value.cpu().numpy() for key, value in found.condition.items()},
    }
    _save_arrays(latent, out)
    facts = {"likeness": vars(found.likeness), "likeness_of_start": vars(found.likeness_of_start), "out": out}
    return f"{found.sentence()} {out} and {out.with_suffix('.npz').name}", facts


def _fuse(options: Fuse) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.film import SUFFIXES, check_film, save_film
    from gansmith.edit.projection import fuse, project
    from gansmith.edit.sheet import Sheet

    _check_picture(options.first)
    _check_picture(options.second)
    out = _place(options, "fuse.png", (".png", *SUFFIXES), [options.first, options.second])
    if film := out.suffix.lower() in SUFFIXES:
        check_film(out)
    model = _model(options)
    first, second = (
        project(model, _picture(path), steps=options.steps, seed=options.seed) for path in (options.first, options.second)
    )
    pictures = [picture.image for picture in fuse(model, first, second, frames=options.frames or (48 if film else 9))]
    if film:
        save_film([*pictures, *pictures[::-1]], out, overwrite=True)
    else:
        heads = ["first", *(f"{share:.0%}" for share in np.linspace(0, 1, len(pictures))), "second"]
        _save_sheet(Sheet([first.target.image, *pictures, second.target.image], [""], heads), out)
    facts = {"first": vars(first.likeness), "second": vars(second.likeness), "out": out}
    return f"first: {first.sentence()}\nsecond: {second.sentence()}\n{out}", facts


def _average(options: Average) -> tuple[str, dict[str, Any]]:
    from gansmith.edit.averaging import save_average
    from gansmith.runs.run import Run

    folder = save_average(Run(options.run, options.trust), last=options.last)
    return f"{options.last} checkpoints averaged: {folder}", {"last": options.last, "out": folder}


SHAPES: dict[str, tuple[Any, Callable[[Any], tuple[str, dict[str, Any]]]]] = {
    "interpolate": (Interpolate, _interpolate),
    "restyle": (Restyle, _restyle),
    "grid": (Grid, _grid),
    "mix": (Mix, _mix),
    "directions": (FindDirections, _directions),
    "project": (Project, _project),
    "fuse": (Fuse, _fuse),
    "average": (Average, _average),
}
