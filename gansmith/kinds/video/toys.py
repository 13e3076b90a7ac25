"""Tiny videos, for tests that run over every kind of data."""

from collections.abc import Mapping

import numpy as np

from gansmith.data.attributes import Attributes
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.video.build import build_shapes
from gansmith.kinds.video.codec import VideoCodec
from gansmith.kinds.video.options import Options
from gansmith.kinds.video.outlines import outlines
from gansmith.kinds.video.pairing import build_outlines
from gansmith.kinds.video.pairs import motion_of
from gansmith.kinds.video.shapes import moving_shapes
from gansmith.kinds.video.spec import VideoSpec


def toys() -> Mapping[str, Dataset]:
    """Colour without and with classes, gray with attributes, pairs of gray and colour, pictures with films that move them."""
    return {
        "clips": clips(),
        "labelled clips": clips(labels=True),
        "clips with attributes": attributed(),
        "film pairs": film_pairs(),
        "pictures and films": motion_of(clips()),
    }


def film_pairs(count: int = 24, side: int = 16) -> Dataset:
    """Broken outlines and coloured shapes, 4 frames of 16x16."""
    return build_outlines(outlines(count, 8, side), Options(frames=4, stride=2))


def clips(count: int = 24, side: int = 16, labels: bool = False) -> Dataset:
    """Moving shapes of 16x16, 4 frames a clip, 4 clips a video."""
    return build_shapes(moving_shapes(count, 8, side), Options(frames=4, stride=1, labels=labels), name="shapes")


def attributed(count: int = 48) -> Dataset:
    """Gray squares that move to the right with the speed that is their attribute."""
    rng = np.random.default_rng(0)
    speed = rng.integers(1, 3, count)
    frames = np.full((count, 4, 1, 8, 8), 20, np.uint8)
    for own, fast, row in zip(frames, speed, rng.integers(0, 6, count), strict=True):
        for step in range(4):
            own[step, 0, row : row + 2, min(6, fast * step) : min(6, fast * step) + 2] = 220
    attributes = Attributes.fit(("speed",), speed[:, None].astype(float))
    codec = VideoCodec(VideoSpec(shape=(4, 1, 8, 8), attributes=attributes.names, steps=attributes.steps), attributes=attributes)
    arrays = {"video": frames, "label": speed[:, None].astype(np.float32)}
    return Dataset(name="squares", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))
