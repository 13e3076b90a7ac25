"""Translations beside true results, each in its full size: what papers on enhancement report of Set5 and its like."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from gansmith.data.atomic import write_atomically
from gansmith.data.readers.films import SUFFIXES as VIDEOS
from gansmith.data.spreadsheets import Writer
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import MODES, Opened, Stack
from gansmith.kinds.images.metrics.fidelity import brightness, psnr
from gansmith.kinds.images.metrics.structural_similarity import ssim
from gansmith.kinds.images.resize import converted
from gansmith.kinds.images.translation.formats import KINDS, read
from gansmith.kinds.images.values import white_of

if TYPE_CHECKING:
    from rich.table import Table

MEASURES = {"psnr": 3, "psnr_y": 3, "ssim": 4, "ssim_y": 4, "l1": 5}
"""What is measured, as the metrics of these names, and how many digits of it are shown."""


@dataclass(frozen=True)
class Translated:
    """A file that was translated, what was made of it, and its true result where there is one."""

    given: Path
    made: Path
    target: Path | None = None


@dataclass(frozen=True)
class Measures:
    """The means over files, of what was made and of the input, enlarged bicubically where it is smaller."""

    path: Path
    """The table of all files."""
    means: dict[str, dict[str, float]]
    count: int
    not_compared: list[str]
    """Why of pictures whose true result has another size or other channels."""

    def table(self) -> Table:
        from rich.table import Table

        table = Table("measure", "made", "input", caption=f"means over {self.count:,} pictures in full size, no border cut off")
        for name, digits in MEASURES.items():
            shown = [f"{side[name]:.{digits}f}" if name in side else "–" for side in (self.means["made"], self.means["input"])]
            table.add_row(name, *shown)
        return table


def measure(done: Sequence[Translated], path: Path) -> Measures:
    """Compares whatever has a true result of its size, and writes a line for each to the csv."""
    rows, odd = [], []
    for each in done:
        if each.target is None or any(
            own.suffix.lower() in VIDEOS or own.suffix.lower() not in KINDS for own in (each.made, each.target)
        ):
            continue
        with read(each.target) as target_file, read(each.made) as made_file, read(each.given) as given_file:
            target, own, original = (_values(file) for file in (target_file, made_file, given_file))
        try:
            made = compared(own, target, f"{each.made} and its true result {each.target}")
        except UserError as error:
            odd.append(str(error).rstrip("."))
            continue
        given = _enlarged(original, target)
        rows.append((each, made, compared(given, target, "") if given is not None else {}))
    with io.StringIO(newline="") as text:
        writer = Writer(text)
        writer.writerow(["file", *MEASURES, *(f"input_{name}" for name in MEASURES)])
        for each, made, given in rows:
            writer.writerow(
                [each.made.as_posix(), *(f"{made[name]:.6g}" for name in MEASURES), *(_shown(given, name) for name in MEASURES)]
            )
        write_atomically(path, text.getvalue().encode())
    sides = {"made": [made for _, made, _ in rows], "input": [given for *_, given in rows if given]}
    means = {
        side: {name: float(np.mean([own[name] for own in found])) for name in MEASURES} if found else {}
        for side, found in sides.items()
    }
    return Measures(path, means, len(rows), odd)


def compared(made: Float[Tensor, "1 _ _ _"], real: Float[Tensor, "1 _ _ _"], what: str) -> dict[str, float]:
    """The measures of two images from 0 to 1; gray stands for three equal channels. Raises UserError for images of two sizes."""
    if made.shape[2:] != real.shape[2:]:
        sizes = " and ".join(f"{image.shape[3]}x{image.shape[2]}" for image in (made, real))
        raise UserError(f"{what} must have one size, but they have {sizes}: give other --targets.")
    count = max(made.shape[1], real.shape[1])
    a, b = (image.expand(-1, count, -1, -1) if image.shape[1] == 1 else image for image in (made, real))
    if a.shape[1] != b.shape[1]:
        raise UserError(f"{what} must have as many channels, but they have {a.shape[1]} and {b.shape[1]}: give other --targets.")
    y = [brightness(image) for image in (a, b)]
    return {
        "psnr": float(psnr(a, b)),
        "psnr_y": float(psnr(*y)),
        "ssim": float(ssim(a.float(), b.float())),
        "ssim_y": float(ssim(y[0].float(), y[1].float())),
        "l1": float((a - b).abs().mean()),
    }


def _values(opened: Opened) -> Float[Tensor, "1 _ _ _"]:
    """From 0 to 1 in float64, upright; what is transparent is laid on white."""
    if isinstance(opened, Image.Image) and not opened.mode.startswith(("I", "F")):
        upright = ImageOps.exif_transpose(opened)
        gray = upright.mode in ("1", "L", "LA")
        pixels = np.asarray(converted(upright, 1 if gray else 3), np.float64) / 255
        return torch.from_numpy(pixels[None] if gray else pixels.transpose(2, 0, 1))[None]
    values = opened.values if isinstance(opened, Stack) else np.asarray(opened)[None]
    white = 255.0 if values.dtype == np.uint8 else 65535.0 if values.dtype.kind in "ui" else white_of(float(values.max()))
    values = values[: 3 if len(values) == 4 and 4 in MODES else None]
    return torch.from_numpy(values.astype(np.float64) / white)[None]


def _enlarged(given: Float[Tensor, "1 _ _ _"], real: Float[Tensor, "1 _ _ _"]) -> Float[Tensor, "1 _ _ _"] | None:
    """The input in the size of the true result, by Pillow's bicubic; None where the channels differ."""
    height, width = real.shape[2:]
    if given.shape[1] not in (1, real.shape[1]):
        return None
    if given.shape[2:] == real.shape[2:]:
        return given
    planes = [
        Image.fromarray(plane.numpy().astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC) for plane in given[0]
    ]
    return torch.from_numpy(np.stack([np.asarray(plane, np.float64) for plane in planes]).clip(0, 1))[None]


def _shown(found: dict[str, float], name: str) -> str:
    return f"{found[name]:.6g}" if found else ""
