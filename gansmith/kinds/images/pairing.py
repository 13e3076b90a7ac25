"""From two collections to one data set of pairs."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint, identity
from gansmith.data.unaligned import Unaligned, unaligned
from gansmith.errors import UserError
from gansmith.kinds.images.build import build_images
from gansmith.kinds.images.label_maps import fit_label_maps
from gansmith.kinds.images.masks import Holed
from gansmith.kinds.images.pairs import ImagePairs
from gansmith.kinds.images.readers.collection import Collection
from gansmith.kinds.images.readers.pairs import Pairs, scale_between, suffered
from gansmith.kinds.images.survey import Wanted, resolve, survey

HELD_OUT = 0.2
"""The share of two domains without a test split that is held out."""


def build_pairs(
    found: Pairs,
    wanted: Wanted,
    cache: Path,
    skip_unreadable: bool = False,
    codec: ImagePairs | None = None,
    label_maps: bool = False,
) -> Dataset:
    """Both sides decoded (from the cache if they were before). `codec` is that of the training split, for its test split.
    With `label_maps` the colours of side a are labels.

    The resolution is that of b; a is as many times smaller as in the source. Raises UserError where the sides do not fit.
    """
    if found.aligned:
        found = _readable(found, wanted, cache) if skip_unreadable else found
    wanted = replace(wanted, labels=False)
    scale = (found.scale or scale_between(found)) if found.aligned else 1
    if codec:
        scale = _scale_like(codec, found, scale)
        wanted = replace(wanted, crop=codec.b.crop)
    height, width = codec.spec.shape[1:] if codec else resolve(survey(found.b), wanted)
    height, width = (max(scale, side - side % scale) for side in (height, width))
    made = build_images(found.b, replace(wanted, resolution=(height, width)), cache, skip_unreadable, codec and codec.b)
    smaller = replace(wanted, resolution=(height // scale, width // scale))
    maps = fit_label_maps(found.a, height // scale, width // scale, wanted.crop) if label_maps and not codec else None
    holed = Holed.of(height, width, wanted.crop) if found.holes else None
    if holed and (made.codec.spec.shape[0] not in (1, 3) or made.arrays["image"].dtype != np.uint8):
        raise UserError(
            f"--masks hides parts of gray or RGB pictures of 8 bits, and {found.name} holds others: pass --channels 3."
        )
    a = suffered(found.b, found.degrade, (height, width), wanted.crop) if found.degrade else found.a
    given = build_images(a, smaller, cache, skip_unreadable, codec.a if codec else maps or holed)
    if holed and not _any_hidden(given.arrays["image"]):
        raise UserError(
            f"every hole of {found.name} vanishes at {width}x{height}, so that there is nothing to fill in: train at a larger "
            "--resolution, or with larger holes."
        )
    if found.aligned and len(given) != len(made):
        raise UserError(f"{found.name} must have as many a as b, but it has {len(given)} and {len(made)}: add the partners.")
    own = codec or ImagePairs.of(given.codec, made.codec, found.aligned)
    held_out = build_pairs(found.held_out, wanted, cache, skip_unreadable, own) if found.held_out else None
    said = [f"the colours of side a are {len(maps.colours)} labels: {maps.legend()}"] if maps else []
    notes = tuple(dict.fromkeys((*found.notes, *said, *given.facts.get("notes", ()), *made.facts.get("notes", ()))))
    mark = fingerprint({}, f"{given.fingerprint} {made.fingerprint} {identity(own)}")
    arrays = {"a": given.arrays["image"], "b": made.arrays["image"]}
    facts = {name: fact for name, fact in (("notes", notes), ("degrade", found.degrade)) if fact}
    if found.aligned:
        return Dataset(name=found.name, codec=own, arrays=arrays, fingerprint=mark, held_out=held_out, facts=facts)
    rows = {key: np.arange(len(array)) for key, array in arrays.items()}
    whole = Unaligned(name=found.name, codec=own, arrays=arrays, fingerprint=mark, held_out=held_out, facts=facts, rows=rows)
    return whole if held_out or codec else unaligned(whole, HELD_OUT)


def _any_hidden(pixels: np.ndarray) -> bool:
    """Whether a pixel of any picture [N, 4, H, W] is hidden; usually the first ones have some."""
    return any((pixels[start : start + 64, 3] == 0).any() for start in range(0, len(pixels), 64))


def _scale_like(codec: ImagePairs, found: Pairs, scale: int) -> int:
    """That of the codec. Raises UserError where these pairs have another."""
    known = codec.spec.shape[1] // codec.spec.source_shape[1]
    if found.aligned and scale != known:
        raise UserError(
            f"the pairs of {found.name} must be of the scale x{known} that was trained on, but are x{scale}: give others."
        )
    return known


def _readable(found: Pairs, wanted: Wanted, cache: Path) -> Pairs:
    """The pairs of which both sides can be read: without its partner an image is no pair."""
    sides = [list(side.examples) for side in (found.a, found.b)]
    bad = [
        set(build_images(side, replace(wanted, labels=False), cache, True).facts.get("unreadable", ()))
        for side in (found.a, found.b)
    ]
    kept = [
        i
        for i, pair in enumerate(zip(*sides, strict=True))
        if not any(one.name in names for one, names in zip(pair, bad, strict=True))
    ]
    if len(kept) == len(sides[0]):
        return found
    a, b = (_subset(side, [own[i] for i in kept]) for side, own in zip((found.a, found.b), sides, strict=True))
    return replace(found, a=a, b=b, notes=(*found.notes, f"{len(sides[0]) - len(kept)} pairs cannot be read and are left out"))


def _subset(side: Collection, examples: list) -> Collection:
    key, names = side.key, [example.name for example in examples]
    return replace(side, load=lambda: examples, key=(lambda: f"{key()} {names}") if key else None)
