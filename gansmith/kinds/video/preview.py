"""Clips drawn as film strips, and side by side as one that plays."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from gansmith.data.preview import Medium
from gansmith.kinds.images.mosaic import mosaic, opaque
from gansmith.kinds.video.clip import Clip

SHOWN = 8
"""Frames of a strip."""
WIDEST = 48
"""Frames of a strip are enlarged to at least so many pixels."""


def strips(clips: Sequence[Clip], shown: int = SHOWN) -> Image.Image:
    """A row of evenly spaced frames for each clip."""
    columns = min(shown, max(len(clip.frames) for clip in clips))
    images = []
    for clip in clips:
        places = np.linspace(0, len(clip.frames) - 1, columns).round().astype(int)
        pictures = clip.images()
        images += [pictures[place] for place in places]
    return mosaic(images, columns, WIDEST)


def side_by_side(clips: Sequence[Clip]) -> list[Image.Image]:
    """The frames of one film that shows all clips in a grid; shorter ones stay at their last frame. One clip is as it is."""
    if len(clips) == 1:
        return clips[0].images()
    pictures = [clip.images() for clip in clips]
    length = max(map(len, pictures))
    return [mosaic([own[min(at, len(own) - 1)] for own in pictures]) for at in range(length)]


def playing(clips: Sequence[Clip]) -> Medium:
    """All clips as one animation that browsers play."""
    frames = [opaque(frame) for frame in side_by_side(clips)]
    content = io.BytesIO()
    wait = max(20, round(1000 / clips[0].rate))
    frames[0].save(
        content,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=wait,
        loop=0,
        lossless=True,
        method=2,
        minimize_size=False,
    )
    return Medium("clips.webp", "image/webp", content.getvalue())
