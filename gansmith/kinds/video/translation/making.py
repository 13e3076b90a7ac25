"""Clips from given frames: a picture set in motion, a clip continued, what lies between two frames, a loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gansmith.errors import UserError
from gansmith.kinds.video.clip import Clip
from gansmith.kinds.video.codec import VideoCodec
from gansmith.kinds.video.given import Ends, StartsFromFrames

if TYPE_CHECKING:
    from gansmith.model import Model


def check_starts(model: Model) -> VideoCodec:
    """The codec of a model that makes clips from given frames. Raises UserError for any other model."""
    codec, gan = model.codec, model.gan
    if not isinstance(codec, VideoCodec):
        raise UserError(f"clips are made from frames by models of video, and this one makes {codec.spec.kind}: give another run.")
    if not isinstance(gan, StartsFromFrames) or not gan.starts_from_frames:
        raise UserError(
            f"{gan.name} makes clips from noise alone: train motiongan, which also begins with given frames, or use generate."
        )
    return codec


def made_from(
    model: Model,
    given: Clip,
    frames: int,
    *,
    n: int = 1,
    seed: int = 0,
    last: Clip | None = None,
    where: Mapping[str, str] | None = None,
) -> list[Clip]:
    """n clips of so many frames that begin with those of `given` (one frame, or a clip that is gone on with) and end with `last`.

    Where more frames are asked for than a clip of the training has, stretches of that length follow each other, each of which begins with
    the last two frames of the one before. Raises UserError for fewer frames than are given, and for more than one stretch before `last`.
    """
    codec = check_starts(model)
    length = codec.spec.shape[0]
    known = torch.from_numpy(np.stack([codec.pixels(image) for image in given.images()]))
    end = None if last is None else torch.from_numpy(codec.pixels(last.images()[-1]))
    if frames <= len(known):
        raise UserError(f"{frames} frames are asked for, but {len(known)} are given: ask for more.")
    if end is not None and frames - len(known) + min(2, len(known)) > length:
        most = length - min(2, len(known))
        raise UserError(
            f"this model makes at most {most} frames up to a given end, but {frames - len(known)} are asked for: ask for fewer."
        )
    rng = torch.Generator().manual_seed(seed)
    labels = codec.conditions(n, rng, **(where or {}))
    made = [_floats(known).expand(n, *known.shape)]
    while (missing := frames - sum(part.shape[1] for part in made)) > 0:
        so_far = made[-1] if made[-1].shape[1] > 1 or len(made) == 1 else torch.cat(made[-2:], 1)
        made.append(_stretch(model, so_far[:, -2:], missing, length, end, labels, rng))
    batch = {codec.spec.key: torch.cat(made, 1), **labels}
    return codec.decode(batch)


def looped(model: Model, clip: Clip, *, n: int = 1, seed: int = 0, where: Mapping[str, str] | None = None) -> list[Clip]:
    """n clips as long as those of the training that begin with the frame of `clip` and lead back to it; the last frame, which is the first
    one again, is left out, so that the loop has no seam."""
    codec = check_starts(model)
    first = Clip(clip.frames[:1], clip.rate)
    clips = made_from(model, first, codec.spec.shape[0], n=n, seed=seed, last=first, where=where)
    return [Clip(own.frames[:-1], own.rate, own.label, own.attributes, loops=True) for own in clips]


def _stretch(
    model: Model, ends: Tensor, missing: int, length: int, last: Tensor | None, labels: Mapping[str, Tensor], rng: torch.Generator
) -> Tensor:
    """What follows the given one or two frames [n, 1 or 2, C, H, W]: at most `missing` frames."""
    n, count = ends.shape[:2]
    packed = ends.add(1).mul(255 / 2).round().to(torch.uint8)
    parts = [
        Ends(own[-1], own[0] if count == 2 else None, last).condition(1) for own in packed
    ]  # each clip goes on with frames of its own
    condition = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    steps = missing + count if last is not None else max(length, 2)
    condition |= {"frames": torch.full((n,), steps), **labels}
    with torch.inference_mode():
        made = model.gan.generate(n, condition, rng=rng)[model.codec.spec.key].cpu()
    return made[:, count : count + missing]


def _floats(packed: Tensor) -> Tensor:
    return packed.float() * (2 / 255) - 1
