"""Small data and small GANs that the tests share."""

from typing import Any

import numpy as np

from gansmith import gans
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.data.images import Codec as ImageCodec
from gansmith.data.points import Codec as PointCodec
from gansmith.data.readers.sequences import Cutting, Sequences
from gansmith.data.series import Series
from gansmith.data.spec import Spec
from gansmith.data.windows import build_series
from gansmith.game import GAN

SMALL: dict[str, dict[str, Any]] = {
    "gan": {"width": 32, "noise": 16},
    "dcgan": {"width": 8, "critic_width": 8, "noise": 16},
    "wgan": {"width": 8, "noise": 16, "critic_moves": 2},
    "wgan_gp": {"width": 8, "noise": 16, "critic_moves": 2},
    "r3gan": {
        "widths": (16, 8),
        "blocks": 1,
        "group_width": 8,
        "noise": 16,
        "class_embedding": 8,
        "gamma": 1.0,
        "gamma_end": 0.1,
        "schedule": None,
        "half_life": 500,
    },
    "seriesgan": {"width": 8, "blocks": 1, "coarsest": 3, "noise": 4, "half_life": 500},
    "timegan": {"width": 6, "layers": 2, "noise": 3, "embedding_share": 0.0, "supervision_share": 0.0, "half_life": 500},
    "doppelganger": {"width": 8, "critic_width": 8, "critic_layers": 2, "noise": 4, "half_life": 500},
    "quantgan": {"width": 6, "dilations": (1, 1, 2), "half_life": 500},
    "rcgan": {"width": 8, "half_life": 500},
    "timevae": {"widths": (8, 8), "noise": 4, "half_life": 500},
}
"""Options that make every GAN of this package tiny."""


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
    spec = Spec(kind="images", key="image", shape=pixels.shape[1:], classes=names)
    codec = ImageCodec(spec=spec, frequencies=tuple(np.bincount(label, minlength=classes).tolist()) if classes else ())
    return Dataset(name="squares", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


def points(count: int = 512) -> Dataset:
    """Four tight clusters in the plane."""
    rng = np.random.default_rng(0)
    centres = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    values = (centres[rng.integers(0, 4, count)] + 0.05 * rng.standard_normal((count, 2))).astype(np.float32)
    codec = PointCodec.fit(values, ["x", "y"])
    arrays = {"point": values}
    return Dataset(name="clusters", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


def series(count: int = 96, steps: int = 12, classes: int = 0) -> Dataset:
    """Waves of two columns with random phase and height; the class is how fast they are."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, max(classes, 1), count)
    time = np.arange(steps)[None] * (label[:, None] + 1) / 2 + rng.uniform(0, 6, (count, 1))
    height = rng.uniform(0.5, 1.5, (count, 1))
    values = np.stack([height * np.sin(time), 10 + height * np.cos(time)], axis=2)
    raws = [Series(each, {"class": str(name)} if classes else {}) for each, name in zip(values, label, strict=True)]
    return build_series(Sequences(name="waves", series=raws, columns=("sine", "cosine")), Cutting())


def small(name: str, data: Dataset, **options: Any) -> GAN:
    """The GAN of this name, tiny, for this data."""
    made = gans.find(name)
    return made(made.Config(**{**SMALL[name], **options}), data.codec.spec)
