"""gansmith generate: new examples from a trained model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from tyro.conf import Positional, UseAppendAction

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.output import Output
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.model import Model

AT_ONCE = 2**28
"""Numbers in the examples that are held in memory before they are saved to a folder."""


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Makes new examples with a trained model; the same seed makes the same ones."""

    run: Annotated[Positional[Path], takes("RUN")]
    """A run folder, its model/ folder, or a copy of one."""
    n: Annotated[int, takes("N", "64", aliases=("-n",))] = 64
    """How many."""
    out: Annotated[Path | None, takes("PATH", "RUN/generated/")] = None
    """A folder for one file each, a .png for one picture of all, or an .npz for arrays."""
    seed: Annotated[int, takes("S", "0")] = 0
    """Decides the noise."""
    where: Annotated[UseAppendAction[tuple[str, ...]], takes("KEY=VALUE")] = ()
    """What is wished for, e.g. class=7."""
    truncation: Annotated[float, takes("T", "1.0")] = 1.0
    """Below 1: likelier examples, less variety."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    precision: Annotated[Literal["auto", "float32", "bfloat16"], takes("{auto,float32,bfloat16}", "float32")] = "float32"
    """bfloat16 is faster and, where it is taken, off by less than half a brightness of 256; auto: where the hardware has it."""
    json: Flag = False
    """Print JSON."""


def run(argv: list[str]) -> int:
    options = parse(Generate, argv, "gansmith generate")
    if options.n < 1:
        raise UserError(f"-n must be at least 1, but it is {options.n}.")
    wishes = dict(map(_wish, options.where))
    from gansmith.model import Model
    from gansmith.planning import choose_device

    model = Model.load(options.run, choose_device(options.device), options.precision)
    out = options.out or options.run / "generated"
    made: dict[str, Any] = {"seed": options.seed, "truncation": options.truncation, **wishes}
    if out.suffix == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        model.codec.preview(model.generate(options.n, **made)).save(out)
        paths = [out]
    elif out.suffix == ".npz":
        out.parent.mkdir(parents=True, exist_ok=True)
        np.savez(out, **_arrays(model, options.n, made))
        paths = [out]
    else:
        paths = _files(model, options.n, out, made)
    output = Output(options.json)
    output.say(f"{options.n:,} examples: {out}")
    output.result({"n": options.n, "seed": options.seed, "where": wishes, "out": out, "paths": paths})
    return 0


def _wish(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals) or key in ("n", "seed", "truncation"):
        raise UserError(f"--where takes key=value, e.g. class=7, but it is {text!r}.")
    return key, value


def _arrays(model: Model, n: int, made: dict[str, Any]) -> dict[str, Any]:
    """The examples in the codec's packed form (images: uint8 [N, C, H, W]), labels, and the names of the classes."""
    arrays = model.codec.repack(model.sample(n, **made))
    classes = model.codec.spec.classes
    return {**arrays, "classes": np.array(classes)} if classes else arrays


def _files(model: Model, n: int, folder: Path, made: dict[str, Any]) -> Sequence[Path]:
    """A file each, saved in portions so that memory stays flat."""
    portion = max(1, AT_ONCE // math.prod(model.codec.spec.shape))
    raws, paths = [], []
    for batch in model.batches(n, **made):
        raws += model.codec.decode(batch)
        if len(raws) >= portion:
            paths += model.codec.save(raws, folder)
            raws = []
    return paths + (model.codec.save(raws, folder) if raws else [])
