"""Videos in arrays (.npz, NumPy) and in columns of Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.readers.archives import opened_archive
from gansmith.data.readers.files import Unreadable, file_key
from gansmith.data.readers.parquet_files import opened_parquet
from gansmith.data.readers.rows import array_names, load_small
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.video.clip import Footage, Label, Video, Videos
from gansmith.kinds.video.options import Options
from gansmith.kinds.video.readers.animations import Animation, is_animated
from gansmith.kinds.video.readers.footage import Array, Film
from gansmith.kinds.video.readers.listing import FilmPairs

KEY = "video"
"""The array of an .npz that holds the videos."""
PAIRED = ("a", "b")
"""The arrays of an .npz that hold the sides of pairs."""
_LABELS = ("label", "class", "category", "action")
"""Columns of a Parquet file that are taken for classes."""
_FILMS = {b"ftyp": ".mp4", b"\x1aE\xdf\xa3": ".webm", b"AVI ": ".avi"}
"""What films begin with, in their first twelve bytes."""


def is_array(data: Any) -> bool:
    """Whether this is an array or tensor [videos, frames, height, width, channels]."""
    return getattr(data, "ndim", 0) == 5 and hasattr(data, "dtype")


def from_array(data: Any, options: Options, name: str = "array", facts: Mapping[str, Any] | None = None) -> Videos:
    """Videos [N, frames, height, width, channels] of uint8 with 1, 3 or 4 channels. Raises UserError for others."""
    frames, facts = np.asarray(data), facts or {}
    if frames.ndim != 5 or frames.dtype != np.uint8 or frames.shape[-1] not in (1, 3, 4) or min(frames.shape) < 1:
        raise UserError(
            "videos in arrays must be uint8 [videos, frames, height, width, channels] with 1, 3 or 4 channels, but this is "
            f"{frames.dtype} {list(frames.shape)}: convert it."
        )
    if frames.shape[1] < 2:
        raise UserError(f"the videos of {name} have one frame each, where a video has several: open them as images.")
    labels: list[Label] = [None] * len(frames)
    names: tuple[str, ...] = ()
    if options.labels and "attributes" in facts:
        names = tuple(map(str, facts["attribute_names"]))
        labels = [tuple(row) for row in np.asarray(facts["attributes"], float).tolist()]
    elif options.labels and "label" in facts:
        classes = [str(own) for own in facts["classes"]] if "classes" in facts else None
        labels = [classes[int(own)] if classes else str(own) for own in np.asarray(facts["label"]).tolist()]
    if len(labels) != len(frames):
        raise UserError(f"{name} has {len(frames)} videos but {len(labels)} labels: give one for each.")
    rate, loops = (float(facts["fps"]) if "fps" in facts else None), bool(facts.get("loops", False))
    videos = [
        Video(f"{name}[{place}]", partial(Array, own, rate, loops), label)
        for place, (own, label) in enumerate(zip(frames, labels, strict=True))
    ]
    return Videos(name=name, videos=videos, key=None, attributes=names)


def has_videos(path: Path) -> bool:
    """Whether an .npz has an array of videos; reads its list of members alone."""
    try:
        with opened_archive(path) as archive:
            return f"{KEY}.npy" in archive.namelist()
    except (Unreadable, UserError):
        return False


def has_pairs(path: Path) -> bool:
    """Whether an .npz has arrays a and b; reads its list of members alone, and of those the headers."""
    try:
        with opened_archive(path) as archive:
            if not {f"{side}.npy" for side in PAIRED} <= set(archive.namelist()):
                return False
            return all(_dimensions(archive, f"{side}.npy") == 5 for side in PAIRED)
    except (Unreadable, UserError, ValueError, OSError):
        return False


def _dimensions(archive: Any, name: str) -> int:
    """How many dimensions an array has, by its header."""
    with archive.open(name) as member:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return len(read(member)[0])


def pairs_from_npz(path: Path, options: Options) -> FilmPairs:
    """The arrays "a" and "b" of an .npz, [videos, frames, height, width, channels], with "fps" and "loops" if they are there."""
    arrays = {name: load_small(path, name) for name in array_names(path)}
    if missing := [side for side in PAIRED if side not in arrays]:
        raise UserError(
            f'{path} has no array "{missing[0]}", only {listed(list(arrays))}: name the two sides of the pairs a and b.'
        )
    return pairs_of_arrays(arrays["a"], arrays["b"], options, path.stem, arrays)


def pairs_of_arrays(a: Any, b: Any, options: Options, name: str = "arrays", facts: Mapping[str, Any] | None = None) -> FilmPairs:
    """Two arrays of as many videos. Raises UserError where they are not."""
    facts = {key: value for key, value in (facts or {}).items() if key in ("fps", "loops")}
    plain = replace(options, labels=False)
    one, other = (from_array(array, plain, f"{name}[{side}]", facts) for side, array in zip(PAIRED, (a, b), strict=True))
    if len(one.videos) != len(other.videos):
        raise UserError(f"a of {name} has {len(one.videos)} videos and b has {len(other.videos)}: give as many of both.")
    return FilmPairs(replace(one, name=name), replace(other, name=name, notes=("a is given, and b is made of it",)))


def from_npz(path: Path, options: Options) -> Videos:
    """The array "video" of an .npz, with "label" and "classes" or "attributes" and "attribute_names", "fps" and "loops" if they are there.

    Raises UserError where it holds none, or pickled objects.
    """
    arrays = {name: load_small(path, name) for name in array_names(path)}
    if KEY not in arrays:
        raise UserError(f'{path} has no array "{KEY}", only {listed(list(arrays))}: name the videos so.')
    return from_array(arrays[KEY], options, path.stem, arrays)


def holds_videos(path: Path) -> bool:
    """Whether a column of a Parquet file holds films or animations, by its first row."""
    try:
        with opened_parquet(path) as file:
            return _column(file) is not None
    except UserError:
        return False


def from_parquet(path: Path, options: Options) -> Videos:
    """The films or animations of a column of bytes, or of structs with bytes as the Hugging Face hub writes them.

    A column label, class, category or action holds classes. Raises UserError if no column holds videos.
    """
    with opened_parquet(path) as file:
        column = _column(file)
        if column is None:
            raise UserError(f"{path} has no column of films or animations: give a folder of them instead.")
        label = next((name for name in file.schema_arrow.names if name.lower() in _LABELS), None) if options.labels else None
        table = file.read(columns=[column, *([label] if label else [])])
    contents = table.column(column).to_pylist()
    labels = [None if own is None else str(own) for own in table.column(label).to_pylist()] if label else [None] * len(contents)
    videos = []
    for place, (content, own) in enumerate(zip(contents, labels, strict=True)):
        content = content.get("bytes") if isinstance(content, dict) else content
        videos.append(Video(f"{path.name}[{place}]", partial(footage_of, content or b""), own))
    return Videos(name=path.stem, videos=videos, key=file_key([path]))


def footage_of(content: bytes) -> Footage:
    """Bytes that begin as films do are read by ffmpeg, all others by Pillow."""
    suffix = next((suffix for mark, suffix in _FILMS.items() if mark in content[:12]), None)
    return Film(Path(f"video{suffix}"), content) if suffix else Animation(content)


def _column(file: Any) -> str | None:
    """The first column whose first value is a video."""
    batch = next(file.iter_batches(batch_size=1), None)
    for name in file.schema_arrow.names if batch is not None else ():
        value = batch.column(name)[0].as_py() if len(batch) else None
        value = value.get("bytes") if isinstance(value, dict) else value
        if isinstance(value, bytes) and (any(mark in value[:12] for mark in _FILMS) or is_animated(value)):
            return name
    return None
