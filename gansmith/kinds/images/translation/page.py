"""A page of inputs, outputs and, where there are some, targets, that opens in any browser and needs no other file."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import ImageOps

from gansmith.data.atomic import write_atomically
from gansmith.data.readers.films import SUFFIXES as VIDEOS
from gansmith.kinds.images.translation.formats import read, shown
from gansmith.kinds.images.translation.measures import Translated

SHOWN = 200
"""The most rows of a page."""
SIDE = 320
"""The longest side of a shown picture."""

_STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2rem;background:#fafafa;color:#222}table{border-spacing:.6rem}"
    "img{max-width:20rem;image-rendering:auto}td,th{text-align:left;vertical-align:top}small{color:#666}"
)


def write_page(path: Path, done: Sequence[Translated], title: str) -> None:
    """Writes the page: a row for each input with all that was made of it, and its true result where there is one."""
    rows_of: dict[Path, list[Translated]] = {}
    for each in done:
        rows_of.setdefault(each.given, []).append(each)
    most = max(map(len, rows_of.values()), default=1)
    with_targets = any(each.target for each in done)
    head = ["input", *(["output"] if most == 1 else [f"output {number}" for number in range(1, most + 1)])]
    head += ["target"] if with_targets else []
    rows = []
    for given, made in list(rows_of.items())[:SHOWN]:
        cells = [_picture(given), *(_picture(each.made) for each in made), *[""] * (most - len(made))]
        target = made[0].target
        if with_targets:
            cells.append(_picture(target) if target else "")
        row = "".join(f"<td>{picture}</td>" for picture in cells)
        rows.append(f"<tr><td><small>{html.escape(given.name)}</small></td>{row}</tr>")
    more = f"<p>{len(rows_of) - SHOWN} more are in the folder.</p>" if len(rows_of) > SHOWN else ""
    heads = "".join(f"<th>{word}</th>" for word in ("", *head))
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{html.escape(title)}</h1><table><tr>{heads}</tr>{''.join(rows)}</table>{more}</html>"
    )
    write_atomically(path, page.encode())


def _picture(path: Path) -> str:
    """The picture as an element that carries its content; a video by its name."""
    if path.suffix.lower() in VIDEOS:
        return f"<small>{html.escape(path.name)}</small>"
    with read(path) as opened:
        small = ImageOps.exif_transpose(shown(opened))
    size = f"{small.width} x {small.height}"
    small.thumbnail((SIDE, SIDE))
    content = io.BytesIO()
    small.save(content, format="PNG")
    data = base64.b64encode(content.getvalue()).decode()
    return f'<img alt="{html.escape(path.name)}" title="{size}" src="data:image/png;base64,{data}">'
