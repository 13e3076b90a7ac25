"""The built-in data: a circle, square or triangle of one colour that moves straight on and bounces off the walls.

What is true of every clip is known: one shape, one colour, constant speed between walls. `tracked` measures it in any clip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

NAMES = ("circle", "square", "triangle")
GROUND = 26
"""The brightness of the ground."""
RATE = 8.0
COUNT, STEPS, SIDE = 800, 24, 32
"""Videos, their frames and the sides of those."""
EDGE = 0.6
"""Half the width in pixels over which an edge is smoothed."""
NOTICED = 24
"""A pixel that differs so much from the ground in any channel belongs to the shape."""
CORNERS, SIDES = 0.2, 0.2
"""Moments of order 3 (triangles) and 4 (squares) above which a shape is no circle."""


@dataclass(frozen=True)
class Moving:
    """Videos with what is true of them."""

    frames: UInt8[np.ndarray, "videos frames 3 height width"]
    label: Int[np.ndarray, " videos"]
    centres: Float[np.ndarray, "videos frames 2"]
    """(x, y) in pixels."""
    colours: Float[np.ndarray, "videos 3"]


def moving_shapes(count: int = COUNT, steps: int = STEPS, side: int = SIDE, seed: int = 0) -> Moving:
    """Videos of which a seed makes always the same. Radii are 1/8 to 3/16 of the side, speeds 1/64 to 1/16 of it a frame."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, len(NAMES), count)
    radius = rng.uniform(side / 8, side * 3 / 16, count)
    angle, speed = rng.uniform(0, 2 * np.pi, count), rng.uniform(side / 64, side / 16, count)
    velocity = speed[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    low = radius + 0.5
    room = side - 1 - 2 * low
    begin = rng.uniform(0, 1, (count, 2)) * room[:, None]
    straight = begin[:, None] + velocity[:, None] * np.arange(steps)[None, :, None]
    folded = np.mod(straight, 2 * room[:, None, None])  # a mirror at every wall
    centres = low[:, None, None] + np.where(folded > room[:, None, None], 2 * room[:, None, None] - folded, folded)
    colours = hues(rng.uniform(0, 1, count)) * 255
    frames = np.empty((count, steps, 3, side, side), np.uint8)
    for video in range(count):
        inside = _mask(int(label[video]), centres[video], float(radius[video]), side)[:, None]
        frames[video] = np.rint(GROUND + inside * (colours[video][None, :, None, None] - GROUND))
    return Moving(frames, label.astype(np.int64), centres, colours)


def _mask(shape: int, centres: np.ndarray, radius: float, side: int) -> Float[np.ndarray, "frames side side"]:
    """How much of each pixel a shape covers."""
    grid = np.arange(side, dtype=np.float64)
    x, y = grid[None, None, :] - centres[:, 0, None, None], grid[None, :, None] - centres[:, 1, None, None]
    if shape == 0:
        distance = np.sqrt(x**2 + y**2) - radius
    elif shape == 1:
        distance = np.maximum(np.abs(x), np.abs(y)) - radius * 0.86
    else:
        slant = np.sqrt(0.75)
        distance = np.maximum(y - radius / 2, np.abs(x) * slant - y / 2 - radius / 2)
    return np.clip(0.5 - distance / (2 * EDGE), 0, 1)


def hues(hue: np.ndarray) -> Float[np.ndarray, "n 3"]:
    """Bright colours of these hues."""
    return np.clip(np.abs(np.mod(hue[:, None] * 6 + np.array([0.0, 4.0, 2.0]), 6) - 3) - 1, 0.15, 1)


@dataclass(frozen=True)
class Tracks:
    """What is seen in clips of a shape on the ground; NaN in frames without one."""

    centres: Float[np.ndarray, "clips frames 2"]
    areas: Float[np.ndarray, "clips frames"]
    """In pixels."""
    colours: Float[np.ndarray, "clips frames 3"]
    shapes: Int[np.ndarray, "clips frames"]
    """The class that moments tell; -1 without a shape."""


def tracked(clips: UInt8[np.ndarray, "clips frames 3 height width"]) -> Tracks:
    """Centre, area, colour and shape of what differs from the ground, by moments up to the fourth of its pixels.

    The third rotation-invariant moment |E z^3| / E |z|^3 is large for triangles alone, the fourth for squares alone.
    """
    count, steps, _, height, width = clips.shape
    centres, areas = np.full((count, steps, 2), np.nan), np.zeros((count, steps))
    colours, shapes = np.full((count, steps, 3), np.nan), np.full((count, steps), -1)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    for clip in range(count):
        pixels = clips[clip].astype(np.float64)
        away = np.abs(pixels - GROUND).max(1)
        weight = np.where(away > NOTICED, away, 0) / np.maximum(away.max((1, 2)), 1)[:, None, None]
        area = weight.sum((1, 2))
        seen = area >= 4
        safe = np.maximum(area, 1e-9)
        centre = np.stack([(weight * x).sum((1, 2)), (weight * y).sum((1, 2))], 1) / safe[:, None]
        z = (x - centre[:, 0, None, None]) + 1j * (y - centre[:, 1, None, None])
        size = np.abs(z)
        third = np.abs((weight * z**3).sum((1, 2))) / np.maximum((weight * size**3).sum((1, 2)), 1e-9)
        fourth = np.abs((weight * z**4).sum((1, 2))) / np.maximum((weight * size**4).sum((1, 2)), 1e-9)
        colour = (weight[:, None] * pixels).sum((2, 3)) / safe[:, None]
        areas[clip] = area
        centres[clip][seen], colours[clip][seen] = centre[seen], colour[seen]
        shapes[clip][seen] = np.where(third > CORNERS, 2, np.where(fourth > SIDES, 1, 0))[seen]
    return Tracks(centres, areas, colours, shapes)
