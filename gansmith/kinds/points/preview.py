"""A scatter plot of points in the plane."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont

_SIDE, _MARGIN, _FINER = 640, 44, 3
_PAPER, _FRAME, _INK = (255, 255, 255), (205, 208, 214), (110, 114, 122)
_DOT = (31, 93, 184)


def scatter(points: Float[np.ndarray, "n 2"], low: Sequence[float], high: Sequence[float]) -> Image.Image:
    """Translucent dots in a square frame whose axes run from `low` to `high`; points beyond are not drawn.

    Drawn three times too large and averaged down, so that edges are smooth. Dots shrink and fade as their number grows.
    """
    side, margin = _SIDE * _FINER, _MARGIN * _FINER
    inside = side - 2 * margin
    plot = Image.new("RGB", (side, side), _PAPER)
    draw = ImageDraw.Draw(plot, "RGBA")
    draw.rectangle((margin, margin, side - margin, side - margin), outline=_FRAME, width=_FINER)
    font = ImageFont.load_default(size=13 * _FINER)
    span = np.subtract(high, low)
    for value in _ticks(low[0], high[0]):
        across = margin + (value - low[0]) / span[0] * inside
        draw.line((across, side - margin, across, side - margin + 5 * _FINER), _FRAME, _FINER)
        draw.text((across, side - margin + 8 * _FINER), f"{value:g}", _INK, font, anchor="mt")
    for value in _ticks(low[1], high[1]):
        up = side - margin - (value - low[1]) / span[1] * inside
        draw.line((margin - 5 * _FINER, up, margin, up), _FRAME, _FINER)
        draw.text((margin - 7 * _FINER, up), f"{value:g}", _INK, font, anchor="rm")
    seen = points[((points >= low) & (points <= high)).all(1)]
    crowd = max(1.0, len(points) / 500)
    radius, alpha = _FINER * max(1.2, 3.2 / crowd**0.25), int(max(40, 150 / crowd**0.35))
    for x, y in (seen - np.asarray(low)) / span * inside:
        across, up = margin + x, side - margin - y
        draw.ellipse((across - radius, up - radius, across + radius, up + radius), fill=(*_DOT, alpha))
    return plot.reduce(_FINER)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart, at least three of them between `low` and `high`."""
    power = 10.0 ** np.floor(np.log10((high - low) / 3))
    step = max(multiple * power for multiple in (1, 2, 5) if multiple * power <= (high - low) / 3)
    return [float(f"{index * step:.6g}") for index in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
