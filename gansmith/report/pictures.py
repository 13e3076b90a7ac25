"""Previews inside the page: pictures, and media beside them, embedded as data and small enough for a page that is sent by mail."""

import base64
from io import BytesIO
from pathlib import Path

from PIL import Image

from gansmith.report.markup import Markup, tag
from gansmith.report.media import left_out, players
from gansmith.report.numbers import count
from gansmith.report.records import Records

LARGEST_SIDE = 1280
"""No picture is embedded with more pixels than this on a side."""
SINGLE_BYTES = 400_000
"""The size of a picture that stands alone."""
SLIDER_BYTES = 2_800_000
"""The size of all pictures of the slider together; base64 adds a third to both."""
SLIDER_MEDIA_BYTES = 2_000_000
"""The size of all media of the slider together."""
SLIDER_PICTURES = 40


def picture(path: Path, alt: str, most_bytes: int, **attributes: str | float | bool | None) -> Markup:
    """An `img` that carries its own data. Raises OSError if the file is not a whole picture."""
    data, kind, (width, height) = _embed(path, most_bytes)
    # A small grid of pixels is enlarged by a whole number, so that every pixel stays a square.
    small = width < 480
    shown = width * max(1, 672 // width) if small else width
    return tag(
        "img",
        src=f"data:image/{kind};base64,{base64.b64encode(data).decode()}",
        alt=alt,
        width=width,
        height=height,
        style=f"width:{shown}px" + (";image-rendering:pixelated" if small else ""),
        **attributes,
    )


def _embed(path: Path, most_bytes: int) -> tuple[bytes, str, tuple[int, int]]:
    """(data, kind, (width, height)): the file itself if it is small enough, else compressed, else made smaller as well."""
    try:
        with Image.open(path) as opened:
            opened.load()
            image = opened.copy()
    except (SyntaxError, ValueError) as error:  # what Pillow raises for some broken files
        raise OSError(f"{path} is not a whole picture") from error
    data = path.read_bytes()
    if max(image.size) <= LARGEST_SIDE and len(data) <= most_bytes:
        return data, "png", image.size
    image = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    while True:
        buffer = BytesIO()
        image.save(buffer, "WEBP", quality=82)
        if buffer.tell() <= most_bytes or max(image.size) <= 64:
            return buffer.getvalue(), "webp", image.size
        image = image.resize((max(1, image.width * 4 // 5), max(1, image.height * 4 // 5)), Image.Resampling.LANCZOS)


def single(records: Records, names: tuple[str, ...], alt: str, caption: str) -> Markup | None:
    """The first of these pictures of the samples folder that is whole, with its media and a caption."""
    for name in names:
        path = records.picture(name)
        if path is None:
            continue
        try:
            image = picture(path, alt, SINGLE_BYTES)
        except OSError:
            records.missing.append(f"samples/{name} is not a whole picture and is left out.")
            continue
        media, missing = players(path, alt)
        return tag("figure", image, tag("figcaption", caption), media, left_out(missing))
    return None


def chosen(previews: list[tuple[int, Path]], most: int = SLIDER_PICTURES) -> list[tuple[int, Path]]:
    """At most this many previews, evenly spread, the first and the last among them."""
    if len(previews) <= most:
        return previews
    return [previews[round(position * (len(previews) - 1) / (most - 1))] for position in range(most)]


def slider(records: Records) -> Markup | None:
    """The same noise seen by the generator as it learns: one preview at a time under a slider."""
    shown: list[tuple[int, Markup]] = []
    missing = 0
    selection = chosen(records.previews)
    for samples, path in selection:
        alt = f"Generated examples after {count(samples)} samples"
        try:
            image = picture(path, alt, SLIDER_BYTES // len(selection))
        except OSError:
            records.missing.append(f"samples/{path.name} is not a whole picture and is left out.")
            continue
        media, unseen = players(path, alt, SLIDER_MEDIA_BYTES // len(selection))
        missing += unseen
        frame = tag("div", image, media, class_="frame", hidden=path != selection[-1][1], data_samples=count(samples))
        shown.append((samples, frame))
    if not shown:
        return None
    last = count(shown[-1][0])
    controls = tag(
        "div",
        tag("button", "Play", type="button", class_="quiet", data_play=True),
        tag(
            "input",
            type="range",
            min=0,
            max=len(shown) - 1,
            value=len(shown) - 1,
            step=1,
            aria_label="Samples seen",
            aria_valuetext=f"{last} samples",
        ),
        tag("output", f"{last} samples"),
        class_="controls",
    )
    frames = tag("div", *(frame for _, frame in shown), class_="frames")
    return tag("figure", frames, controls, left_out(missing), class_="slider")
