"""gansmith train and generate for data of several parts, such as a folder of tables with keys: a training for each, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith import kinds
from gansmith.cli.options import without
from gansmith.cli.output import Output
from gansmith.data.json_files import read_object
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.runs.parts import MARK

if TYPE_CHECKING:
    from gansmith.cli.generate import Generate
    from gansmith.cli.train import Train


def train_parts(options: Train, argv: Sequence[str], train: Callable[[list[str]], int]) -> int | None:
    """Trains the parts of the data, each with the budget and GAN of this command line; None for data of one part."""
    opening = options.opening.opening()
    named = opening.pop("kind", None)
    if options.data is None or options.resume not in (None, "auto") or not Path(options.data).is_dir():
        return None
    from gansmith.kinds.opening import read_options

    source = Source(options.data)
    try:
        kind, own = read_options(options.data, named, opening)
    except UserError:  # said when the data are opened
        return None
    if not kind.has_parts(source, own):
        return None
    from gansmith.data.atomic import write_atomically
    from gansmith.runs.run import Run

    folder = options.out or Run.next_folder(Path("runs"), source.path.resolve().name if source.path else "parts")
    shared = _shared(argv, options.data)
    output = Output(options.json)
    status = kind.train_parts(source, own, folder, lambda words: train([*words, *shared]), output.say)
    if not status:
        write_atomically(folder / MARK, f'{{"kind": "{kind.name}"}}'.encode())
        output.say(f"Use it:   gansmith generate {folder} -n 1000")
        output.result({"run": folder})
    return status


def generate_parts(options: Generate) -> int | None:
    """Makes examples of all parts; None for a folder of one model."""
    if not (options.run / MARK).is_file():
        return None
    if options.where or options.seeds is not None or options.rejection is not None:
        raise UserError(f"{options.run} holds models of several parts: --where, --seeds and --rejection are of one.")
    named = read_object(options.run / MARK).get("kind")
    if not kinds.is_known(named):
        raise UserError(
            f"{options.run / MARK} is damaged: it should name a kind of data, but it names {named!r:.80}; restore it."
        )
    kind = kinds.find(str(named))
    out = options.out or _free(options.run / "generated")
    if out.is_dir() and any(out.iterdir()) and not options.overwrite:
        raise UserError(f"{out} holds files: choose another --out, or give --overwrite.")
    paths = kind.generate_parts(options.run, options.n, options.seed, out, trust=options.trust)
    output = Output(options.json)
    output.say(f"{options.n:,} examples with all that belongs to them: {out}")
    output.result({"n": options.n, "seed": options.seed, "out": out, "paths": paths})
    return 0


def _shared(argv: Sequence[str], data: str) -> list[str]:
    """The words of a command line that all parts share: those of training, not those of the data."""
    words = [word for word in argv if word != data]
    for option in ("--kind", "--out", "--schema", "--min-count", "--missing", "--header", "--target", "--resume"):
        words = without(option, words)
    return words


def _free(folder: Path) -> Path:
    number = 0
    while (path := folder.with_name(f"{folder.name}{f'-{number}' if number else ''}")).exists():
        number += 1
    return path
