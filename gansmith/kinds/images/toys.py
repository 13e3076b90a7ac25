"""Tiny images, for tests that run over every kind of data."""

import numpy as np

from gansmith.data.attributes import Attributes
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.domains import domains as domains_of
from gansmith.kinds.images.pairs import ImagePairs
from gansmith.kinds.images.spec import ImageSpec


def toys() -> dict[str, Dataset]:
    """Images gray, with attributes and with classes; pairs of two scales; domains."""
    return {
        "gray": images(),
        "attributes": attributed(),
        "labelled": images(channels=3, classes=3),
        "small pairs": pairs(scale=2),
        "pairs": pairs(),
        "domains": domains(),
    }


def images(count: int = 96, side: int = 8, channels: int = 1, classes: int = 0) -> Dataset:
    """Bright squares at random places on dark ground; the class is the size of the square."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, max(classes, 1), count)
    pixels = np.full((count, channels, side, side), 20, np.uint8)
    for i, size in enumerate(label + 2):
        row, column = rng.integers(0, side - size, 2)
        pixels[i, :, row : row + size, column : column + size] = rng.integers(180, 250, (channels, 1, 1))
    arrays = {"image": pixels} | ({"label": label.astype(np.int64)} if classes else {})
    names = tuple(str(i) for i in range(classes))
    spec = ImageSpec(shape=pixels.shape[1:], classes=names)
    codec = ImageCodec(spec=spec, frequencies=tuple(np.bincount(label, minlength=classes).tolist()) if classes else ())
    return Dataset(name="squares", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


def attributed(count: int = 96) -> Dataset:
    """The squares with two numbers each: whether the ground is bright, and how bright the square is."""
    plain = images(count, channels=3)
    rng = np.random.default_rng(1)
    rows = np.stack([rng.integers(0, 2, count), rng.uniform(20, 40, count)], 1)
    rows[:2] = [[0, 20], [1, 40]]
    arrays = {"image": plain.arrays["image"].copy(), "label": rows.astype(np.float32)}
    arrays["image"][rows[:, 0] == 1] += np.uint8(5)
    attributes = Attributes.fit(("bright", "age"), rows)
    spec = ImageSpec(shape=plain.codec.spec.shape, attributes=attributes.names, steps=attributes.steps)
    return Dataset(
        name="attributed", codec=ImageCodec(spec, attributes=attributes), arrays=arrays, fingerprint=fingerprint(arrays)
    )


def pairs(count: int = 48, side: int = 16, scale: int = 1, given: int = 3, made: int = 3, aligned: bool = True) -> Dataset:
    """Bright squares on dark ground, given as their negative, `scale` times smaller."""
    b = images(count, side, made).arrays["image"]
    a = 255 - np.broadcast_to(b[:, :1, ::scale, ::scale], (count, given, side // scale, side // scale))
    arrays = {"a": np.ascontiguousarray(a), "b": b}
    sides = [ImageCodec(ImageSpec(shape=array.shape[1:])) for array in arrays.values()]
    codec = ImagePairs.of(*sides, aligned=aligned)
    return Dataset(name="negatives", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


def domains(count: int = 48) -> Dataset:
    """Squares of three sizes, each of which is a domain."""
    return domains_of(images(count, side=16, channels=3, classes=3))
