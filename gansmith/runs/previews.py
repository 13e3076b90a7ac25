"""Previews in a run folder: a picture, and its media beside it under the same stem. They are written, thinned and dropped together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gansmith import kinds
from gansmith.data.atomic import write_atomically
from gansmith.data.paired import PairedCodec
from gansmith.data.preview import Medium, Preview, media_beside

RECENT = 50
"""The newest previews, all of which are kept; of the older ones, the first in every doubling of the samples seen."""
_NUMBERED = re.compile(r"(\d{9,})\..+")


def preview_of(codec: Any, raws: Sequence[Any]) -> Preview:
    """The preview of these examples; for pairs, their picture and the media of both sides."""
    if not isinstance(codec, PairedCodec):
        return kinds.find(codec.spec.kind).preview(codec, raws)
    sides = {"source": (codec.a, [raw.a for raw in raws]), "made": (codec.b, [raw.b for raw in raws])}
    if targets := [raw.target for raw in raws if raw.target is not None]:
        sides["real"] = (codec.b, targets)
    media = [
        Medium(f"{name}-{medium.name}", medium.mime, medium.content)
        for name, (own, theirs) in sides.items()
        for medium in preview_of(own, theirs).media
    ]
    return Preview(codec.preview(raws), tuple(media))


def beside(codec: Any, groups: Sequence[Sequence[Any]]) -> Preview:
    """The preview of generated examples, each with the training examples nearest to it."""
    if isinstance(codec, PairedCodec):
        return preview_of(codec, [raw for group in groups for raw in group])
    return kinds.find(codec.spec.kind).beside(codec, groups)


def by_class(codec: Any, raws: Sequence[Any]) -> list[Any]:
    """The examples in the order of their classes; as they are where they have none."""
    places = {str(name): place for place, name in enumerate(codec.spec.classes)}
    return sorted(raws, key=lambda raw: places.get(str(getattr(raw, "label", None)), len(places)))


def write_preview(folder: Path, stem: str, shown: Preview) -> Path:
    """Writes STEM.png and the media as STEM.NAME, removes those of an earlier preview of this stem, and returns the picture's path.

    The picture is written last: where it is, the preview is whole. Raises UserError if they cannot be written.
    """
    picture = folder / f"{stem}.png"
    media = {folder / f"{stem}.{medium.name}": medium.content for medium in shown.media}
    for path, content in media.items():
        write_atomically(path, content)
    write_atomically(picture, shown.png)
    for path in media_beside(picture).values():
        if path not in media:
            path.unlink(missing_ok=True)
    return picture


def write_numbered(folder: Path, samples: int, shown: Preview) -> Path:
    """Writes a preview under the number of samples seen, thins the older ones, and returns the picture's path."""
    picture = write_preview(folder, f"{samples:09d}", shown)
    drop(folder, _superfluous(sorted(_numbered(folder))).__contains__)
    return picture


def drop(folder: Path, dropped: Callable[[int], bool]) -> None:
    """Removes the previews, pictures and media, whose number of samples is `dropped`."""
    for samples, files in _numbered(folder).items():
        if dropped(samples):
            for path in files:
                path.unlink(missing_ok=True)


def _numbered(folder: Path) -> dict[int, list[Path]]:
    """The files of every preview by its number of samples, the media of one whose picture was never written too."""
    found: dict[int, list[Path]] = {}
    for path in folder.iterdir():
        if match := _NUMBERED.fullmatch(path.name):
            found.setdefault(int(match[1]), []).append(path)
    return found


def _superfluous(samples: Sequence[int]) -> set[int]:
    """Those of these numbers, in order, that are neither recent nor the first of their doubling: it depends on them alone."""
    doublings: set[int] = set()
    found = set()
    for number in samples[:-RECENT]:
        if number.bit_length() in doublings:
            found.add(number)
        doublings.add(number.bit_length())
    return found
