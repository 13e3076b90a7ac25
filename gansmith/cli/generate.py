"""gansmith generate: new examples from a trained model."""

from __future__ import annotations

import math
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction

from gansmith import kinds
from gansmith.cli.options import Flag, check_conditions, conditions_among, parse, takes
from gansmith.cli.output import Output
from gansmith.cli.parts import generate_parts
from gansmith.data.origin import made_by
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.data.spreadsheets import spreadsheet_safe
from gansmith.data.values import Count, Examples, Percentile, Seed, Truncation, seeds_in
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.data.codec import Codec
    from gansmith.model import Model

PROGRAM = "gansmith generate"
AT_ONCE = 2**28
"""Numbers in the examples that are held in memory before they are saved to a folder."""


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Makes new examples with a trained model; the same seed makes the same ones."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    n: Annotated[Examples, takes("N", "64", aliases=("-n",))] = 64
    """How many."""
    out: Annotated[Path | None, takes("PATH", "RUN/generated/")] = None
    """A folder for one file each, or one file of all: a .png picture, .npz arrays, or what the kind of data is written as (.csv, .parquet,
    .zip, .txt, ...); - prints texts."""
    seed: Annotated[Seed, takes("S", "0")] = 0
    """Decides the noise."""
    seeds: Annotated[str | None, takes("A-B,C,..")] = None
    """One example for each of these seeds, in place of -n and --seed: each the same whatever the others are."""
    rejection: Annotated[Percentile | None, takes("P")] = None
    """Keep what the run's critic thinks real (Azadi et al. 2019): about half of the examples above percentile P, 80 in the paper."""
    where: Annotated[UseAppendAction[tuple[str, ...]], takes("KEY=VALUE")] = ()
    """A condition, e.g. class=7; for tables any column, income=yes or "age>60". --class 7 is short for it."""
    length: Annotated[Count | None, takes("T", "that of the training")] = None
    """Steps of a series or frames of a clip, possibly more than it was trained on."""
    truncation: Annotated[Truncation, takes("T", "1.0", aliases=("--temperature",))] = 1.0
    """Below 1: likelier examples, less variety; of texts and molecules, the temperature."""
    stream: Flag = False
    """Print texts token by token as they are written; the critic then draws none of them."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    precision: Annotated[Literal["auto", "float32", "bfloat16"], takes("{auto,float32,bfloat16}", "float32")] = "float32"
    """bfloat16 is faster; pixels differ by less than .5 of 256 brightnesses on average, single ones by 7; auto: if the hardware has it."""
    trust: Flag = False
    """Let Python files run that the run names, as its GAN for example."""
    spreadsheet_safe: Flag = False
    """Write CSV with an apostrophe before cells that a spreadsheet would take for formulas."""
    overwrite: Flag = False
    """Replace files that exist."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    argv, asked = conditions_among(argv, Generate)
    options = parse(Generate, argv, PROGRAM)
    options = replace(options, where=(*options.where, *asked))
    with spreadsheet_safe(options.spreadsheet_safe):
        return _generate(options, asked)


def _generate(options: Generate, asked: Sequence[str]) -> int:
    if (status := generate_parts(options)) is not None:
        return status
    if options.seeds is not None and options.rejection is not None:
        raise UserError("--seeds names each example, and --rejection leaves some out: give one of them.")
    out = options.out or options.run / "generated"
    if str(out) == "-" and options.json:
        raise UserError("--out - and --json both print on standard output: give one of them.")
    if out.suffix and not out.is_dir():
        refuse_overwriting([out], overwrite=options.overwrite)
    for text in options.where:
        condition(text)  # before anything is loaded
    from gansmith.data.codec import Explains, Named
    from gansmith.model import Model
    from gansmith.training.devices import choose_device

    model = Model.load(options.run, choose_device(options.device), options.precision, trust=options.trust)
    conditions: dict[str, str] = {}
    names = tuple(model.codec.shown) if isinstance(model.codec, Named) else ()
    for key, value in (condition(text, names) for text in options.where):
        conditions[key] = f"{conditions[key]}&{value}" if key in conditions else value
    check_conditions(conditions, [condition(text, names)[0] for text in asked], model.check, Generate, PROGRAM)
    if options.length is not None:
        conditions["length"] = str(options.length)
    if options.stream:
        return _stream(model, options, conditions)
    n, accepted = options.n, ""
    if options.rejection is not None:
        model = _rejecting(model, options)
    elif options.seeds is not None:
        from gansmith.edit.seeding import Seeded

        model = Seeded(model, seeds_in(options.seeds))
        n = len(model.seeds)
    made: dict[str, Any] = {"seed": options.seed, "truncation": options.truncation, "where": conditions}
    if str(out) == "-":  # where nothing but the texts belongs
        _print(model, n, made)
        return 0
    seeds = options.seed if options.seeds is None else seeds_in(options.seeds)
    how = {"seed": seeds, "truncation": options.truncation, "where": conditions}
    with made_by(model.card, **how):
        paths = _one_file(model, n, out, made) if _is_file(out, model.codec) else _files(model, n, out, made)
    output = Output(options.json)
    if options.rejection is not None:
        accepted = f" ({model.card['accepted']:.0%} of those made)"
    output.say(f"{n:,} examples{accepted}: {out}")
    result = {"n": n, "seed": options.seed, "where": conditions, "out": out, "paths": paths}
    if conditions and model.as_requested is not None:
        codec: Any = model.codec
        why = f" ({codec.rarity(conditions)})" if model.as_requested < n and isinstance(codec, Explains) else ""
        output.say(f"{model.as_requested:,} of them ({model.as_requested / n:.1%}) meet the conditions{why}.")
        result["as_requested"] = model.as_requested
    output.result(result)
    return 0


def condition(text: str, names: Sequence[str] = ()) -> tuple[str, str]:
    """The key and the value of a condition; a comparison stays with the value (age>60 is "age", ">60").

    The longest of the known names with which it begins is the key, as names may hold signs too.
    """
    for name in sorted(names, key=len, reverse=True):
        rest = text.removeprefix(name).lstrip()
        if text.startswith(name) and re.match(r">=|<=|!=|=|>|<", rest):
            return name, rest[1:] if rest[0] == "=" else rest
    match = re.fullmatch(r"(.+?)(>=|<=|!=|=|>|<)(.*)", text, re.DOTALL)
    if match is None:
        raise UserError(f"--where takes key=value, e.g. class=7, but it is {text!r}.")
    return match[1].strip(), match[3] if match[2] == "=" else match[2] + match[3]


def _rejecting(model: Model, options: Generate) -> Model:
    """The model with its run's critic, which the run's data calibrate."""
    from gansmith import api
    from gansmith.edit.rejection import Rejecting
    from gansmith.runs.run import Run

    run = Run(options.run, options.trust)
    training, held_out = api.split(api.run_data(run))
    assert options.rejection is not None
    return Rejecting.of(run, model, training, held_out, seed=options.seed, percentile=options.rejection)


def _is_file(path: Path, codec: Codec[Any]) -> bool:
    """Whether a file is meant, and no folder: what ends in a suffix of this kind of data does, "made.v1" does not.

    Raises UserError for the suffix of another kind of file.
    """
    if not path.suffix or path.is_dir():
        return False
    if path.suffix.lower() in codec.suffixes:
        return True
    others = {suffix for name in kinds.names() for suffix in kinds.find(name).suffixes}
    if path.suffix.lower() in others or mimetypes.guess_type(path.name)[0]:
        known = ", ".join(codec.suffixes)
        raise UserError(
            f"--out {path} ends in {path.suffix}, where {codec.spec.kind} are written as {known}, or into a folder (a name without suffix)."
        )
    return False


def _one_file(model: Model, n: int, path: Path, made: dict[str, Any]) -> list[Path]:
    """All examples in one file, in the format of its suffix."""
    from gansmith.data.codec import Streams

    codec = model.codec
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(codec, Streams) and path.suffix.lower() in codec.streamed:
        return codec.stream(model.batches(n, **made), path)
    with whole(path) as part:
        codec.write(model.generate(n, **made), part)
    return [path]


def _stream(model: Model, options: Generate, conditions: dict[str, str]) -> int:
    """Texts on standard output while they are written. Raises UserError for models that do not write token by token."""
    from gansmith.data.codec import Spelled
    from gansmith.tasks.streaming import Streams

    for flag, given in (("--out", options.out), ("--seeds", options.seeds), ("--rejection", options.rejection)):
        if given is not None:
            raise UserError(f"--stream prints texts as they are written: leave {flag} out.")
    if options.json:
        raise UserError("--stream and --json both print on standard output: give one of them.")
    if not isinstance(model.gan, Streams) or not isinstance(model.codec, Spelled):
        raise UserError(f"{model.gan.name} does not write {model.codec.spec.kind} token by token: leave --stream out.")
    for number in range(options.n):
        shown = ""
        for text in model.streamed(seed=(options.seed + number) % 2**64, truncation=options.truncation, where=conditions):
            if text.startswith(shown) and not text.endswith("\N{REPLACEMENT CHARACTER}"):  # a character may take several tokens
                print(text[len(shown) :], end="", flush=True)
                shown = text
        print(text[len(shown) :] if text.startswith(shown) else "", flush=True)
    return 0


def _print(model: Model, n: int, made: dict[str, Any]) -> None:
    """Texts on standard output. Raises UserError for data that are no text."""
    from gansmith.data.codec import Spelled

    if not isinstance(model.codec, Spelled):
        raise UserError(f"--out - prints texts, and this model makes {model.codec.spec.kind}: give the path of a file or folder.")
    print(model.codec.text(model.generate(n, **made)))


def _files(model: Model, n: int, folder: Path, made: dict[str, Any]) -> Sequence[Path]:
    """A file each, saved in portions so that memory stays flat."""
    from gansmith.data.codec import Streams

    if isinstance(model.codec, Streams):
        return model.codec.stream(model.batches(n, **made), folder)
    portion = max(1, AT_ONCE // math.prod(model.codec.spec.shape))
    raws, paths = [], []
    for batch in model.batches(n, **made):
        raws += model.codec.decode(batch)
        if len(raws) >= portion:
            paths += model.codec.save(raws, folder)
            raws = []
    return paths + (model.codec.save(raws, folder) if raws else [])
