"""What is in videos and what is wrong with them, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.inspection import Inspection
from gansmith.data.paired import PairedCodec
from gansmith.data.suggestions import listed
from gansmith.kinds.video.clip import Found
from gansmith.kinds.video.codec import VideoCodec

SHOWN = 3
"""Names in a sentence."""


def inspected(data: Dataset) -> Inspection:
    """Counts, classes, rates, and videos that are static, black, of changing rate, or cannot be read."""
    codec, found = data.codec.b if isinstance(data.codec, PairedCodec) else data.codec, data.facts["found"]
    assert isinstance(codec, VideoCodec) and isinstance(found, Found)
    channels, height, width = codec.frame_shape
    labels = data.labels()
    return Inspection(
        name=data.name,
        kind="video",
        unit="clips",
        count=len(data),
        classes=dict(zip(codec.spec.classes, np.bincount(labels, minlength=len(codec.spec.classes)).tolist(), strict=True))
        if labels is not None
        else {},
        attributes=dict(zip(codec.attributes.names, zip(codec.attributes.low, codec.attributes.high, strict=True), strict=True))
        if codec.attributes
        else {},
        held_out=len(data.held_out) if data.held_out else None,
        unreadable=[(Path(name).as_posix(), why) for name, why in found.unreadable],
        resolution=(height, width),
        channels=channels,
        mode={1: "gray", 3: "RGB", 4: "RGBA"}[channels],
        notes=[*data.facts["notes"], *_told(found, codec)],
    )


def _told(found: Found, codec: VideoCodec) -> list[str]:
    said = [f"{codec.spec.rate:g} frames a second" + (", in loops" if codec.spec.loops else "")]
    if len(found.sizes) > 1:
        said.append(f"sizes (height x width): {listed([f'{size} {count}' for size, count in found.sizes.items()], 5)}")
    for names, what in (
        (found.static, "static: no frame differs from the one before it"),
        (found.black, "black from beginning to end"),
        (found.uneven, "of a changing rate, and read at an even one"),
    ):
        if names:
            count = len(names)
            said.append(f"{count:,} video{'s' * (count > 1)} {'are' if count > 1 else 'is'} {what}: {listed(names, SHOWN)}")
    return said
