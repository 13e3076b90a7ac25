"""Videos in arrays (.npz, NumPy) and in columns of Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.readers.files import Unreadable, file_key
from gansmith.data.readers.parquet_files import opened_parquet
from gansmith.data.readers.rows import array_axes, array_names, load_small, open_npy
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.video.clip import Footage, Label, Video, Videos
from gansmith.kinds.video.options import Options
from gansmith.kinds.video.readers.animations import Animation, is_animated
from gansmith.kinds.video.readers.footage import Array, Film
from gansmith.kinds.video.readers.listing import FilmPairs

KEY = "video"
"""The array of an .npz that holds the videos; else the only one of five dimensions does."""
PAIRED = ("a", "b")
"""The arrays of an .npz that hold the sides of pairs."""
_LABELS = ("label", "class", "category", "action")
"""Columns of a Parquet file that are taken for classes."""
_LABEL_ARRAYS = ("label", "labels", "y")
"""Arrays of an .npz that are."""
_FLAT = 10
"""How many times as many frames as videos an array without channels may have: more are more likely videos along the second axis."""
_FILMS = {b"ftyp": ".mp4", b"\x1aE\xdf\xa3": ".webm", b"AVI ": ".avi"}
"""What films begin with, in their first twelve bytes."""


def is_array(data: Any, axes: int = 5) -> bool:
    """Whether this is an array or tensor [videos, frames, height, width, channels], or of so many axes."""
    return getattr(data, "ndim", 0) == axes and hasattr(data, "dtype")


def from_array(data: Any, options: Options, name: str = "array", facts: Mapping[str, Any] | None = None) -> Videos:
    """Videos [N, frames, height, width, channels] of uint8 with 1, 3 or 4 channels, or without that axis if they are gray.

    Raises UserError for others.
    """
    frames, facts = _with_channels(np.asarray(data), name), facts or {}
    if frames.ndim != 5 or frames.dtype != np.uint8 or frames.shape[-1] not in (1, 3, 4) or min(frames.shape) < 1:
        raise UserError(
            "videos in arrays must be uint8 [videos, frames, height, width, channels] with 1, 3 or 4 channels, but "
            f"{name} is {frames.dtype} {list(frames.shape)}: {_conversion(frames)}."
        )
    if frames.shape[1] < 2:
        raise UserError(f"the videos of {name} have one frame each, where a video has several: open them as images.")
    labels: list[Label] = [None] * len(frames)
    names: tuple[str, ...] = ()
    if options.labels and "attributes" in facts:
        names = tuple(map(str, facts["attribute_names"]))
        labels = [tuple(row) for row in np.asarray(facts["attributes"], float).tolist()]
    elif options.labels and (key := next((own for own in _LABEL_ARRAYS if own in facts), None)):
        labels = _classes(np.asarray(facts[key]), facts.get("classes"), key)
    if len(labels) != len(frames):
        raise UserError(f"{name} has {len(frames)} videos but {len(labels)} labels: give one for each.")
    rate, loops = (float(facts["fps"]) if "fps" in facts else None), bool(facts.get("loops", False))
    videos = [
        Video(f"{name}[{place}]", partial(Array, own, rate, loops), label)
        for place, (own, label) in enumerate(zip(frames, labels, strict=True))
    ]
    return Videos(name=name, videos=videos, key=None, attributes=names)


def _classes(labels: np.ndarray, classes: Any, key: str) -> list[Label]:
    """Labels as names of classes. Raises UserError for those that are no class."""
    if labels.ndim != 1:
        raise UserError(
            f'"{key}" must hold a class for each video, but it is {list(labels.shape)}: give one number or name for each.'
        )
    if classes is None:
        return [str(own) for own in labels.tolist()]
    names = [str(own) for own in np.asarray(classes).tolist()]
    if not np.issubdtype(labels.dtype, np.integer) or labels.min(initial=0) < 0 or labels.max(initial=0) >= len(names):
        wrong = next((own for own in labels.tolist() if own not in range(len(names))), labels.dtype)
        raise UserError(
            f'"{key}" must hold numbers of the {len(names)} classes, from 0, but {wrong} came: correct it, or leave classes out.'
        )
    return [names[own] for own in labels.tolist()]


def _with_channels(frames: np.ndarray, name: str) -> np.ndarray:
    """Gray videos [N, frames, height, width] with an axis for their channel. Raises UserError where the first axis may be time."""
    if frames.ndim != 4 or frames.dtype != np.uint8:
        return frames
    if frames.shape[1] > _FLAT * frames.shape[0]:
        raise UserError(
            f"{name} is {list(frames.shape)}, which would be {frames.shape[0]:,} gray videos of {frames.shape[1]:,} frames: "
            "if its first axis is time, give array.swapaxes(0, 1); if not, array[..., None]."
        )
    return frames[..., None]


def _conversion(frames: np.ndarray) -> str:
    """What turns such an array into videos."""
    if frames.ndim == 5 and frames.shape[-1] not in (1, 3, 4) and frames.shape[2] in (1, 3, 4):
        return "its channels come before its height, so give np.moveaxis(array, 2, -1)"
    if frames.ndim == 5 and frames.shape[-1] in (1, 3, 4) and np.issubdtype(frames.dtype, np.floating):
        return "scale its values to 0 to 255 and give array.astype(np.uint8)"
    return "convert it"


def has_videos(path: Path) -> bool:
    """Whether an .npz has an array of videos; reads its list of members and their headers."""
    return _key(path) is not None


def may_have_videos(path: Path) -> bool:
    """Whether an .npz or .npy file holds an array that may be one of videos, if the kind is named."""
    try:
        if path.suffix.lower() == ".npy":
            return open_npy(path).ndim in (4, 5)
        return bool({4, 5} & set(array_axes(path, array_names(path)).values()))
    except (Unreadable, UserError):
        return False


def _key(path: Path) -> str | None:
    """The name of the array of an .npz that holds videos: KEY, else the only one of five dimensions."""
    try:
        names = array_names(path)
        if KEY in names:
            return KEY
        found = [name for name, axes in array_axes(path, names).items() if axes == 5]
    except (Unreadable, UserError):
        return None
    return found[0] if len(found) == 1 else None


def holds_array(path: Path) -> bool:
    """Whether a .npy file holds an array of videos, by its header."""
    try:
        return open_npy(path).ndim == 5
    except UserError:
        return False


def from_npy(path: Path, options: Options) -> Videos:
    """The array of a .npy file. Raises UserError where it holds no videos."""
    return from_array(open_npy(path), options, path.stem)


def has_pairs(path: Path) -> bool:
    """Whether an .npz has arrays a and b; reads its list of members alone, and of those the headers."""
    try:
        return [*array_axes(path, [name for name in PAIRED if name in array_names(path)]).values()] == [5, 5]
    except (Unreadable, UserError):
        return False


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
    """The array "video" of an .npz, or its only one of five dimensions, with "label" (or "labels", "y") and "classes" or "attributes" and
    "attribute_names", "fps" and "loops" if they are there.

    Raises UserError where it holds none, or pickled objects.
    """
    key = _key(path)
    if key is None:
        raise UserError(f'{path} has no array "{KEY}", only {listed(array_names(path))}: name the videos so.')
    arrays = {name: load_small(path, name) for name in array_names(path)}
    return from_array(arrays[key], options, path.stem, arrays)


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
