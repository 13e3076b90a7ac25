"""Pairs of clips: a film and what is made of it, or a picture with a film that moves it and the picture as it then moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from gansmith.data.codec import unlabelled
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.data.paired import Pair, PairedCodec
from gansmith.data.windowed import Windows
from gansmith.kinds.images.mosaic import mosaic, opaque
from gansmith.kinds.video.preview import SHOWN, WIDEST
from gansmith.kinds.video.spec import DRIVEN


@dataclass(frozen=True)
class VideoPairs(PairedCodec):
    """The film given and the clip to be made of it, frame for frame, under "a" and "b"; of motion, "a" begins with the picture."""

    @property
    def previewed(self) -> int:
        return 6

    def preview(self, raws: Sequence[Pair]) -> Image.Image:
        """For each example a strip of the frames given, one of those made and, if known, one of the real ones, one below the other."""
        columns = min(SHOWN, max(len(raw.b.frames) for raw in raws))
        images: list[Image.Image] = []
        for raw in raws:
            places = np.linspace(0, len(raw.b.frames) - 1, columns).round().astype(int)
            given = raw.a.images()
            blank = [Image.new("RGB", given[0].size, "white")] if self.a.spec.driven else []
            picture, given = (given[:1], given[1:]) if self.a.spec.driven else ([], given)
            images += [*map(opaque, picture), *(opaque(given[place]) for place in places)]
            for side in (raw.b, raw.target):
                if side is not None:
                    shown = side.images()
                    images += [*blank, *(opaque(shown[place]) for place in places)]
        return mosaic(images, columns + self.a.spec.driven, WIDEST)


def with_picture(
    clips: UInt8[np.ndarray, "clips frames channels height width"],
) -> UInt8[np.ndarray, "clips one_more channels height width"]:
    """Clips behind a copy of their first frame, which is the picture that they move."""
    return np.concatenate([clips[:, :1], clips], 1)


def motion_of(data: Dataset, like: VideoPairs | None = None) -> Dataset:
    """Clips as examples of motion: the first frame of each is the picture, the clip is the film that moves it, and what is to be made."""
    video: Any = data.arrays["video"]
    b = unlabelled(data.codec)
    frames, *rest = b.spec.shape
    codec = like or VideoPairs.of(replace(b, spec=replace(b.spec, shape=(frames + 1, *rest), axes=DRIVEN)), b, True)
    arrays: dict[str, Any] = {"a": Windows(video.source, video.starts, with_picture), "b": video}
    return replace(
        data,
        codec=codec,
        arrays=arrays,
        fingerprint=fingerprint({}, data.fingerprint, described(codec)),
        held_out=motion_of(data.held_out, codec) if data.held_out is not None else None,
    )
