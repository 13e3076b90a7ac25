"""From a collection to a data set: decode once, keep on disk, refuse what cannot be read."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.cache import FORMAT, Writer, store, stored
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint, fingerprint_of
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.originals import Originals
from gansmith.kinds.images.readers.arrays import PixelRows
from gansmith.kinds.images.readers.collection import CHUNK, Collection, Example, Label, in_threads
from gansmith.kinds.images.readers.room import room_for
from gansmith.kinds.images.resize import upright_size
from gansmith.kinds.images.survey import Wanted, faint_bytes, fit_codec, name_of, reason, survey

_NAMED = 3
"""How many unreadable files an error names."""


def build_images(
    collection: Collection,
    wanted: Wanted,
    cache: Path,
    skip_unreadable: bool = False,
    codec: ImageCodec | None = None,
    originals: bool = False,
) -> Dataset:
    """The collection decoded, from the cache if it was decoded before. `codec` is that of the training split, for its test split.
    With `originals`, images that had to be resized are kept at hand in their own sizes.

    Unreadable files are cached as such: they are refused, or with `skip_unreadable` left out, without decoding again.
    """
    arrays, facts = _in_place(collection, wanted, codec) or _cached(collection, wanted, cache, codec)
    if facts["unreadable"] and not skip_unreadable:
        refuse(collection, [tuple(pair) for pair in facts["unreadable"]])
    own = codec or ImageCodec.from_json(facts["codec"])
    known: dict[str, Any] = {}
    if notes := (*collection.notes, *facts["notes"]):
        known["notes"] = notes
    if facts["unreadable"]:
        known["unreadable"] = tuple(name for name, _ in facts["unreadable"])
    held_out = None
    if collection.held_out:
        held_out = build_images(collection.held_out, wanted, cache, skip_unreadable, own, originals)
    mark, kept = facts["fingerprint"], None
    if originals and facts.get("resized", True):
        kept = Originals(collection, own, frozenset(name for name, _ in facts["unreadable"]))
        mark = fingerprint({}, f"{mark} in the sizes of {kept.key}")
    return Dataset(
        name=collection.name, codec=own, arrays=arrays, fingerprint=mark, held_out=held_out, originals=kept, facts=known
    )


def refuse(collection: Collection, unreadable: list[tuple[str, str]]) -> None:
    """Raises UserError for files that cannot be read, and for a collection that holds none at all."""
    if not unreadable:
        raise UserError(f"{collection.name} is empty: give at least one image.")
    named = ", ".join(f"{name} ({why})" for name, why in unreadable[:_NAMED])
    more = f" and {len(unreadable) - _NAMED} more" if len(unreadable) > _NAMED else ""
    raise UserError(
        f"{len(unreadable)} of the files of {collection.name} cannot be read: {named}{more}; repair or remove them, or pass "
        "--skip-unreadable to leave them out."
    )


def _in_place(
    collection: Collection, wanted: Wanted, codec: ImageCodec | None
) -> tuple[Mapping[str, np.ndarray], dict[str, Any]] | None:
    """Arrays that are in memory anyway and already have the right size and mode: nothing to decode, nothing to cache."""
    rows = collection.examples if collection.in_memory else None
    if not isinstance(rows, PixelRows):
        return None
    codec, notes, _ = (codec, [], True) if codec else _fitted(collection, wanted)
    if codec.spec.shape != rows.shape or codec.levels != rows.levels:
        return None
    chunks = list(_chunks(collection, rows, codec))
    arrays = {key: np.concatenate([chunk[key] for chunk in chunks]) for key in chunks[0]}
    notes += _told_of_faint(codec, _brightest(arrays))
    return arrays, _facts(fingerprint(arrays, described(codec)), codec, [], notes, resized=False)


def _cached(
    collection: Collection, wanted: Wanted, cache: Path, codec: ImageCodec | None
) -> tuple[Mapping[str, np.ndarray], dict[str, Any]]:
    key = None
    if collection.key:
        identity = [FORMAT, collection.key(), asdict(wanted), codec.to_json() if codec else None]
        key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        if entry := stored(cache, collection.name, key):
            return entry.arrays, entry.facts

    def fill(writer: Writer) -> dict[str, Any]:
        own, notes, resized = (codec, [], True) if codec else _fitted(collection, wanted)
        unreadable: list[tuple[str, str]] = []
        rows, brightest = collection.examples, 0

        def append(packed: Mapping[str, np.ndarray]) -> None:
            nonlocal brightest
            brightest = max(brightest, _brightest(packed))
            writer.append(packed)

        _check_room(rows, own, cache)
        if isinstance(rows, PixelRows) and (rows.shape, rows.levels) == (own.spec.shape, own.levels):
            for chunk in _chunks(collection, rows, own):
                append(chunk)
        else:
            sizes = _decode(collection, own, append, unreadable)
            if codec and sizes != {codec.spec.shape[1:]}:
                notes.append(_brought(sizes, codec))
        if not writer.count:
            refuse(collection, unreadable)
        notes += _told_of_faint(own, brightest)
        return _facts(fingerprint_of(writer.contents, described(own)), own, unreadable, notes, resized)

    entry = store(cache, collection.name, key, fill)
    return entry.arrays, entry.facts


def _check_room(examples: Iterable[Example], codec: ImageCodec, cache: Path) -> None:
    """Raises UserError where the decoded images would not fit on the disk of the cache."""
    count = len(examples) if isinstance(examples, Sized) else 1
    needed, free = count * math.prod(codec.spec.shape) * np.dtype(codec.levels.dtype).itemsize, shutil.disk_usage(cache).free
    if needed > free:
        size = "x".join(map(str, codec.spec.shape))
        raise UserError(
            f"{count:,} image{'s' * (count > 1)} of {size} need{'s' * (count == 1)} {needed / 1e9:,.1f} GB in the cache folder {cache}, "
            f"where {free / 1e9:,.1f} GB are free: choose a smaller --resolution, or set GANSMITH_CACHE to a folder where there is room."
        )


def _fitted(collection: Collection, wanted: Wanted) -> tuple[ImageCodec, list[str], bool]:
    """The codec that suits the collection, what there is to say about it, and whether any image is resized."""
    found = survey(collection)
    if not found.sizes:
        refuse(collection, found.unreadable)
    codec, notes = fit_codec(found, collection, wanted), []
    _, height, width = codec.spec.shape
    resized = set(found.sizes) != {(height, width)}
    if resized:
        notes.append(_brought(found.sizes, codec))
    if found.span is not None and codec.levels.deep:
        notes.append(f"values from {codec.levels.low:g} to {codec.levels.high:g} are kept as {codec.levels.dtype}")
    notes += found.remarks()
    if codec.levels.faint:
        notes.append(codec.levels.warning())
    return codec, notes, resized


def _brought(sizes: Sized, codec: ImageCodec) -> str:
    """What to say of images of other sizes, (height, width) each."""
    _, height, width = codec.spec.shape
    several = "images of one other size" if len(sizes) == 1 else f"images of {len(sizes)} sizes"
    return f"{several} are brought to {height}x{width} ({codec.crop})"


def _chunks(collection: Collection, rows: PixelRows, codec: ImageCodec) -> Iterator[dict[str, np.ndarray]]:
    """The rows of an array that needs no conversion, packed whole chunks at a time."""
    labelling = _Labelling(collection, codec)
    start = 0
    for pixels in rows.chunks():
        packed = {"image": pixels}
        if codec.spec.conditions:
            labels = rows.labels[start : start + len(pixels)] if rows.labels else [None] * len(pixels)
            packed["label"] = labelling.packed(labels)
        yield packed
        start += len(pixels)


def _brightest(packed: Mapping[str, np.ndarray]) -> int:
    """The largest value but for alpha."""
    images = packed["image"]
    return int((images[:, :3] if images.shape[1] == 4 else images).max())


def _told_of_faint(codec: ImageCodec, brightest: int) -> list[str]:
    return [] if codec.levels.deep or (warning := faint_bytes(brightest)) is None else [warning]


def _decode(
    collection: Collection,
    codec: ImageCodec,
    append: Callable[[Mapping[str, np.ndarray]], None],
    unreadable: list[tuple[str, str]],
) -> set[tuple[int, int]]:
    """Decodes, packs and appends every example, and returns the sizes that they had (height, width); what cannot be read is added to
    `unreadable`."""
    labelling, sizes = _Labelling(collection, codec), set()

    def pixels_of(example: Example) -> tuple[Example, np.ndarray | str]:
        try:
            with example.open() as image, room_for(image):
                sizes.add(upright_size(image))
                return example, codec.pixels(image)
        except Exception as error:  # Pillow's decoders raise nearly everything on damaged bytes
            return example, reason(error)

    decoded = in_threads(pixels_of, collection.examples)
    while chunk := list(islice(decoded, CHUNK)):
        unreadable += [(example.name, pixels) for example, pixels in chunk if isinstance(pixels, str)]
        read = [(example, pixels) for example, pixels in chunk if not isinstance(pixels, str)]
        if not read:
            continue
        packed = {"image": np.stack([pixels for _, pixels in read])}
        if codec.spec.conditions:
            packed["label"] = labelling.packed([example.label for example, _ in read])
        append(packed)
    return sizes


class _Labelling:
    """From the labels of a collection to the indices of a codec's classes, or to its attributes."""

    def __init__(self, collection: Collection, codec: ImageCodec) -> None:
        self.collection, self.attributes = collection, codec.spec.attributes
        self.known: dict[str | None, int] = {name: index for index, name in enumerate(codec.spec.classes)}

    def packed(self, labels: Sequence[Label]) -> np.ndarray:
        """int64 [N], or float32 [N, K]."""
        if self.attributes:
            return np.array([self.row(label) for label in labels], np.float32)
        return np.array([self.index(label) for label in labels], np.int64)

    def row(self, label: Label) -> tuple[float, ...]:
        """The attributes in the codec's order, whatever order this collection has them in."""
        missing = [name for name in self.attributes if name not in self.collection.attributes]
        if missing or not isinstance(label, tuple):
            lacking = f"attributes ({listed(missing)})" if missing else "attributes of an example"
            raise UserError(
                f"{self.collection.name} lacks {lacking} that the training data has: complete them, or pass --no-labels."
            )
        return tuple(label[self.collection.attributes.index(name)] for name in self.attributes)

    def index(self, label: Label) -> int:
        name = name_of(label, self.collection.classes)
        if name not in self.known:
            what = "an example without a label" if name is None else f'the class "{name}"'
            raise UserError(
                f"{self.collection.name} has {what}, which the training data does not have: correct it, or pass --no-labels."
            )
        return self.known[name]


def _facts(mark: str, codec: ImageCodec, unreadable: list[tuple[str, str]], notes: list[str], resized: bool) -> dict[str, Any]:
    return {"codec": codec.to_json(), "fingerprint": mark, "unreadable": unreadable, "notes": notes, "resized": resized}
