"""Built-in pairs of clips: broken outlines of moving shapes, and the shapes filled with a colour that says in which direction they move.

No single frame says where a shape goes, so that the colour can only be found from several; and each frame shows other parts of the outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from gansmith.kinds.video.shapes import GROUND, SIDE, STEPS, hues, moving_shapes

COUNT = 400
"""Pairs of videos."""
HIDDEN = 0.3
"""The share of an outline that a frame does not show."""


@dataclass(frozen=True)
class Outlined:
    """Pairs of videos, with what is true of them."""

    given: UInt8[np.ndarray, "videos frames 1 height width"]
    made: UInt8[np.ndarray, "videos frames 3 height width"]
    centres: Float[np.ndarray, "videos frames 2"]
    """(x, y) in pixels."""
    colours: Float[np.ndarray, "videos frames 3"]


def outlines(count: int = COUNT, steps: int = STEPS, side: int = SIDE, seed: int = 0) -> Outlined:
    """Pairs of which a seed makes always the same.

    The hue of a frame is the direction from the last place of the shape to this one, of the first frame that to the next place.
    """
    moving = moving_shapes(count, steps, side, seed)
    rng = np.random.default_rng([seed, 1])
    strongest = np.abs(moving.colours - GROUND).argmax(1)
    rows = np.arange(count)
    brightest = moving.frames[rows, :, strongest].astype(np.float64)
    inside = (brightest - GROUND) / (moving.colours[rows, strongest] - GROUND)[:, None, None, None]
    inside = inside.clip(0, 1)[:, :, None]
    steps_made = np.diff(moving.centres, axis=1)
    steps_made = np.concatenate([steps_made[:, :1], steps_made], 1)
    colours = hues(np.mod(np.arctan2(steps_made[..., 1], steps_made[..., 0]) / (2 * np.pi), 1).reshape(-1)).reshape(count, -1, 3)
    colours = colours * 255
    made = np.rint(GROUND + inside * (colours[:, :, :, None, None] - GROUND)).astype(np.uint8)
    y, x = np.mgrid[:side, :side].astype(np.float64)
    angle = np.arctan2(y - moving.centres[..., 1, None, None], x - moving.centres[..., 0, None, None])
    begin = rng.uniform(0, 1, (count, steps, 1, 1))
    shown = np.mod(angle / (2 * np.pi) - begin, 1) > HIDDEN
    given = np.rint(255 * (4 * inside * (1 - inside)) * shown[:, :, None]).astype(np.uint8)
    return Outlined(given, made, moving.centres, colours)
