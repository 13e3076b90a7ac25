"""Small line plots of series, in a grid."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

_WIDTH, _HEIGHT, _MARGIN, _ACROSS, _FINER = 200, 110, 8, 4, 2
_PAPER, _FRAME = (255, 255, 255), (205, 208, 214)
_INKS = ((31, 93, 184), (214, 96, 32), (46, 139, 87), (155, 64, 160), (120, 120, 30), (30, 140, 160))


def lines(series: Sequence[np.ndarray], span: tuple[np.ndarray, np.ndarray] | None) -> Image.Image:
    """A plot for each series [steps, columns], four beside each other. `span` is (low, high) of each column; None: each its own.

    Drawn twice too large and averaged down, so that lines are smooth.
    """
    rows = -(-len(series) // _ACROSS)
    width, height, margin = (_FINER * size for size in (_WIDTH, _HEIGHT, _MARGIN))
    plot = Image.new("RGB", (min(_ACROSS, len(series)) * width, rows * height), _PAPER)
    draw = ImageDraw.Draw(plot)
    for index, values in enumerate(series):
        left, top = index % _ACROSS * width, index // _ACROSS * height
        draw.rectangle((left + margin, top + margin, left + width - margin, top + height - margin), outline=_FRAME, width=_FINER)
        low, high = span or (np.full(values.shape[1], values.min()), np.full(values.shape[1], values.max()))
        share = (values - low) / np.where(high > low, high - low, 1.0)
        across = left + margin + np.linspace(0, 1, max(2, len(values)))[: len(values)] * (width - 2 * margin)
        for column in range(values.shape[1]):
            down = top + height - margin - share[:, column].clip(-0.05, 1.05) * (height - 2 * margin)
            draw.line(list(zip(across.tolist(), down.tolist(), strict=True)), _INKS[column % len(_INKS)], 2 * _FINER)
    return plot.reduce(_FINER)
