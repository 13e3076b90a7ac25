"""Small data and small GANs that the tests share."""

from pathlib import Path
from typing import Any

import numpy as np

from gansmith import gans
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.data.paired import Codec as PairCodec
from gansmith.data.spec import Spec
from gansmith.game import GAN
from gansmith.kinds.images.attributes import Attributes
from gansmith.kinds.images.build import build_table
from gansmith.kinds.images.codec import Codec as ImageCodec
from gansmith.kinds.images.domains import domains as domains_of
from gansmith.kinds.points.codec import Codec as PointCodec
from gansmith.kinds.series.codec import Series
from gansmith.kinds.series.source import Cutting, Sequences
from gansmith.kinds.series.windows import build_series
from gansmith.kinds.tables.cells import Table, cells_of

_TRANSLATING = {"width": 8, "critic_width": 8, "critic_layers": 1, "half_life": 500}
SMALL: dict[str, dict[str, Any]] = {
    "gan": {"width": 32, "noise": 16},
    "dcgan": {"width": 8, "critic_width": 8, "noise": 16},
    "wgan": {"width": 8, "noise": 16, "critic_moves": 2},
    "wgan_gp": {"width": 8, "noise": 16, "critic_moves": 2},
    "lsgan": {"width": 8, "critic_width": 8, "noise": 16},
    "dragan": {"width": 8, "critic_width": 8, "noise": 16},
    "msgan": {"width": 8, "critic_width": 8, "noise": 16},
    "pacgan": {"width": 8, "critic_width": 8, "noise": 16},
    "infogan": {"width": 8, "critic_width": 8, "categories": (3, 2), "noise": 16},
    "began": {"width": 8, "noise": 16},
    "ebgan": {"width": 8, "noise": 16},
    "vaegan": {"width": 8, "critic_width": 8, "noise": 16},
    "unrolled": {"width": 8, "critic_width": 8, "noise": 16, "steps": 2},
    "sngan": {"width": 8, "critic_width": 8, "noise": 16, "critic_moves": 2},
    "sagan": {"width": 8, "critic_width": 8, "noise": 16},
    "ctgan": {"width": 16, "noise": 8, "pack": 4},
    "tvae": {"width": 16, "noise": 8},
    "ctabgan": {"channels": 4, "noise": 8, "classifier_width": 16, "half_life": 500},
    "dpgan": {"width": 16, "critic_width": 16, "noise": 8, "half_life": 500, "critic_moves": 2},
    "rowgan": {"width": 16, "critic_width": 16, "blocks": 1, "noise": 8, "half_life": 500},
    "pix2pix": {**_TRANSLATING, "halvings": 3},
    "srgan": {"width": 8, "blocks": 1, "critic_width": 8, "critic_layers": 1, "faithful": 0.0, "half_life": 500},
    "esrgan": {"width": 8, "blocks": 1, "growth": 4, "critic_width": 4, "faithful": 0.0, "half_life": 500},
    "fusiongan": {"width": 16, "critic_width": 4, "from_mean": True, "half_life": 500},
    "cut": {**_TRANSLATING, "blocks": 2, "places": 8},
    "real_esrgan": {"width": 8, "blocks": 1, "growth": 4, "critic_width": 4, "faithful": 0.0, "half_life": 500},
    "cyclegan": {**_TRANSLATING, "blocks": 1, "pool": 20},
    "pix2pixhd": {**_TRANSLATING, "halvings": 1, "blocks": 1, "enhancer_blocks": 1, "coarse": 0.0, "critic_scales": 2},
    "bicyclegan": {**_TRANSLATING, "noise": 4, "halvings": 3, "encoder_width": 8, "critic_scales": 2},
    "spade": {**_TRANSLATING, "width": 4, "halvings": 2, "hidden": 8, "critic_scales": 2},
    "starganv2": {"noise": 4, "style": 6, "width": 8, "widest": 16, "halvings": 1, "mapping": 8, "half_life": 500},
    "munit": {**_TRANSLATING, "noise": 4, "blocks": 1, "mapping": 8, "critic_scales": 2},
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
    "stylegan2": {
        "width": 8,
        "widest": 16,
        "style": 16,
        "noise": 16,
        "mapping_layers": 2,
        "penalty_interval": 2,
        "path_length_interval": 2,
        "augment": "ada",
        "augment_samples": 1000,
        "half_life": 500,
    },
    "vqgan": {
        "width": 8,
        "halvings": 2,
        "blocks": 1,
        "codes": 16,
        "depth": 4,
        "critic_width": 8,
        "critic_layers": 1,
        "critic_begins": 0.0,
        "tokeniser_share": 2.0,
        "prior_begins": 0.0,
        "prior_width": 16,
        "prior_layers": 1,
        "prior_heads": 2,
        "learning_rate": 1e-3,
        "half_life": 500,
    },
    "transgan": {
        "width": 8,
        "widest": 16,
        "critic_width": 8,
        "blocks": (1,),
        "heads": 2,
        "expansion": 2,
        "noise": 16,
        "penalty_interval": 2,
        "half_life": 500,
    },
    "fastgan": {"width": 8, "widest": 16, "noise": 16, "half_life": 500},
    "biggan": {"width": 8, "widest": 16, "shared": 8, "noise": 16, "critic_moves": 2, "half_life": 500},
    "acgan": {"width": 8, "widest": 16, "shared": 8, "noise": 16, "critic_moves": 1, "half_life": 500},
    "contragan": {"width": 8, "widest": 16, "shared": 8, "noise": 16, "critic_moves": 1, "embedding": 8, "half_life": 500},
    "reacgan": {"width": 8, "widest": 16, "shared": 8, "noise": 16, "critic_moves": 1, "embedding": 8, "half_life": 500},
    "projected": {
        "features": f"{Path(__file__).parent / 'feature_maps.py'}:maps",
        "width": 8,
        "widest": 16,
        "projected": 8,
        "noise": 16,
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
ENLARGING: tuple[str, ...] = ("srgan", "esrgan", "real_esrgan")
"""GANs of pairs that make images larger than those given; the others keep the size."""


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


def attributed(count: int = 96) -> Dataset:
    """The squares with two numbers each: whether the ground is bright, and how bright the square is."""
    plain = images(count, channels=3)
    rng = np.random.default_rng(1)
    rows = np.stack([rng.integers(0, 2, count), rng.uniform(20, 40, count)], 1)
    rows[:2] = [[0, 20], [1, 40]]
    arrays = {"image": plain.arrays["image"].copy(), "label": rows.astype(np.float32)}
    arrays["image"][rows[:, 0] == 1] += np.uint8(5)
    attributes = Attributes.fit(("bright", "age"), rows)
    spec = Spec(kind="images", key="image", shape=plain.codec.spec.shape, attributes=attributes.names)
    return Dataset(
        name="attributed", codec=ImageCodec(spec, attributes=attributes), arrays=arrays, fingerprint=fingerprint(arrays)
    )


def points(count: int = 512) -> Dataset:
    """Four tight clusters in the plane."""
    rng = np.random.default_rng(0)
    centres = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    values = (centres[rng.integers(0, 4, count)] + 0.05 * rng.standard_normal((count, 2))).astype(np.float32)
    codec = PointCodec.fit(values, ["x", "y"])
    arrays = {"point": values}
    return Dataset(name="clusters", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


def rows(count: int = 256) -> Dataset:
    """A table of two categories, of which one depends on the other, a number with a peak and missing cells, and one that follows."""
    rng = np.random.default_rng(0)
    size = rng.choice(["small", "medium", "large"], count, p=[0.5, 0.3, 0.2])
    weight = np.round(rng.gamma(3, 1 + 3 * (size == "large"), count), 2)
    used = rng.random(count) < 0.3 + 0.4 * (size == "large")
    hours = np.where(rng.random(count) < 0.1, None, np.where(used, rng.integers(1, 200, count), 0))
    columns = {
        "size": size.tolist(),
        "weight": weight.tolist(),
        "used": np.where(used, "yes", "no").tolist(),
        "hours": hours.tolist(),
        "letter": [word[0].upper() for word in size],
    }
    return build_table(Table(name="parcels", columns={name: cells_of(cells) for name, cells in columns.items()}))


def pairs(count: int = 48, side: int = 16, scale: int = 1, given: int = 3, made: int = 3, aligned: bool = True) -> Dataset:
    """Bright squares on dark ground, given as their negative, `scale` times smaller."""
    b = images(count, side, made).arrays["image"]
    a = 255 - np.broadcast_to(b[:, :1, ::scale, ::scale], (count, given, side // scale, side // scale))
    arrays = {"a": np.ascontiguousarray(a), "b": b}
    sides = [ImageCodec(Spec(kind="images", key="image", shape=array.shape[1:])) for array in arrays.values()]
    codec = PairCodec.of(*sides, aligned=aligned)
    return Dataset(name="negatives", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


def domains(count: int = 48) -> Dataset:
    """Squares of three sizes, each of which is a domain."""
    return domains_of(images(count, side=16, channels=3, classes=3))


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
