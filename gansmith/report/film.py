"""The samples over time as a film: one GIF beside the pictures it is made of."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from gansmith.data.atomic import write_atomically
from gansmith.report.pictures import chosen
from gansmith.report.records import Records

FILM = "film.gif"
FEWEST = 3
"""Fewer pictures make no film."""
SIDE = 672
"""No frame is larger; a page shows previews as large."""
PAUSE, REST = 200, 2000
"""Milliseconds of every frame, and of the last one."""


def write_film(records: Records) -> Path | None:
    """Writes samples/film.gif from the numbered previews, unless there are too few or the film is newer than they; returns its path.

    A picture that is not whole, or of another size than the last one, is left out.
    """
    shown = chosen(records.previews)
    path = records.folder / "samples" / FILM
    if len(shown) < FEWEST:
        return None
    if path.is_file() and path.stat().st_mtime >= shown[-1][1].stat().st_mtime:
        return path
    frames = [frame for _, picture in shown if (frame := _frame(picture)) is not None]
    frames = [frame for frame in frames if frame.size == frames[-1].size]
    if len(frames) < FEWEST:
        return None
    content = BytesIO()
    pauses = [*[PAUSE] * (len(frames) - 1), REST]
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=pauses, loop=0, optimize=False)
    write_atomically(path, content.getvalue())
    return path


def _frame(path: Path) -> Image.Image | None:
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError):
        return None
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return image.quantize(256, method=Image.Quantize.FASTOCTREE)
