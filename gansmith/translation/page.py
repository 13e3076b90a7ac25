"""A page of inputs, outputs and, where there are some, targets, that opens in any browser and needs no other file."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from PIL import Image, ImageOps

from gansmith.checkpoint import write_atomically
from gansmith.data.readers.folders import IMAGE_SUFFIXES

SHOWN = 200
"""The most rows of a page."""
SIDE = 320
"""The longest side of a shown picture."""

_STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2rem;background:#fafafa;color:#222}table{border-spacing:.6rem}"
    "img{max-width:20rem;image-rendering:auto}td,th{text-align:left;vertical-align:top}small{color:#666}"
)


def write_page(path: Path, inputs: Sequence[Path], outputs: Sequence[Path], targets: Path | None, title: str) -> None:
    """Writes the page; a target is the file of the same stem in the folder `targets`."""
    partners = _by_stem(targets) if targets else {}
    head = ["input", "output", *(["target"] if partners else [])]
    rows = []
    for given, made in list(zip(inputs, outputs, strict=True))[:SHOWN]:
        if given.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        shown = [_picture(given), _picture(made)]
        if partners:
            shown.append(_picture(partners[given.stem]) if given.stem in partners else "")
        cells = "".join(f"<td>{picture}</td>" for picture in shown)
        rows.append(f"<tr><td><small>{html.escape(given.name)}</small></td>{cells}</tr>")
    more = f"<p>{len(inputs) - SHOWN} more are in the folder.</p>" if len(inputs) > SHOWN else ""
    heads = "".join(f"<th>{word}</th>" for word in ("", *head))
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{html.escape(title)}</h1><table><tr>{heads}</tr>{''.join(rows)}</table>{more}</html>"
    )
    write_atomically(path, page.encode())


def _by_stem(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES}


def _picture(path: Path) -> str:
    """The picture as an element that carries its content."""
    with Image.open(path) as image:
        small = ImageOps.exif_transpose(image)
        if small.mode == "F":
            low, high = cast(tuple[float, float], small.getextrema())
            scale = 255 / max(high - low, 1e-12)
            small = small.point(lambda value: value * scale - low * scale).convert("L")
        small = small.point(lambda value: value / 256).convert("L") if small.mode.startswith("I") else small
        small = small if small.mode in ("L", "LA", "RGB", "RGBA") else small.convert("RGBA")
        small.thumbnail((SIDE, SIDE))
        content = io.BytesIO()
        small.save(content, format="PNG")
    data = base64.b64encode(content.getvalue()).decode()
    return f'<img alt="{html.escape(path.name)}" src="data:image/png;base64,{data}">'
