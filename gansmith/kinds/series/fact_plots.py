"""The curves of stylised facts of real and generated series, drawn: four plots with their scales."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 400, 260, 52, 34, 30
FINER = 2
PAPER, FRAME, INK = (255, 255, 255), (205, 208, 214), (70, 74, 82)
SIDES = ((31, 93, 184), (214, 96, 32))
"""Real, generated."""
TITLES = (
    ("autocorrelation of moves", "lag 1", "20"),
    ("of their sizes (volatility clustering)", "lag 1", "20"),
    ("of moves with later squared moves (leverage)", "lag 1", "20"),
    ("sizes of moves, in deviations of the real ones", "1 in 2", "1 in 1,000"),
)


def draw_facts(curves: Sequence[Float[np.ndarray, "_ 2"]]) -> Image.Image:
    """The curves of `stylised_facts.curves_of`, two plots beside each other: blue the real ones, orange the generated ones."""
    image = Image.new("RGB", (2 * WIDTH * FINER, 2 * HEIGHT * FINER), PAPER)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(12 * FINER)
    for index, (curve, (title, first, last)) in enumerate(zip(curves, TITLES, strict=True)):
        sizes = index == len(TITLES) - 1
        shown = curve if sizes else curve[1:]  # lag 0 is nothing
        low, high = (float(np.nanmin(shown)), float(np.nanmax(shown))) if sizes else _span(shown)
        left, top = index % 2 * WIDTH + LEFT, index // 2 * HEIGHT + TOP
        right, bottom = left + WIDTH - LEFT - 14, top + HEIGHT - TOP - BOTTOM
        across = np.linspace(left, right, len(shown))

        def at(value: float, low: float = low, high: float = high, top: int = top, bottom: int = bottom) -> float:
            return bottom - (value - low) / max(high - low, 1e-12) * (bottom - top)

        draw.rectangle([FINER * edge for edge in (left, top, right, bottom)], outline=FRAME, width=FINER)
        if low < 0 < high and not sizes:
            draw.line([FINER * left, FINER * at(0), FINER * right, FINER * at(0)], FRAME, FINER)
        for side, colour in enumerate(SIDES):
            places = [(FINER * x, FINER * at(float(y))) for x, y in zip(across, shown[:, side], strict=True)]
            draw.line(places, colour, 2 * FINER, joint="curve")
        for text, x, y, anchor in (
            (title, left, top - 8, "ls"),
            (_said(high, sizes), left - 6, top, "rm"),
            (_said(low, sizes), left - 6, bottom, "rm"),
            (first, left, bottom + 6, "lt"),
            (last, right, bottom + 6, "rt"),
        ):
            draw.text((FINER * x, FINER * y), text, INK, font, anchor=anchor)
    return image.reduce(FINER)


def _span(shown: Float[np.ndarray, "points 2"]) -> tuple[float, float]:
    """The range of correlations, at least from -0.1 to 0.1, so that chance does not fill the plot."""
    return min(-0.1, float(np.nanmin(shown))), max(0.1, float(np.nanmax(shown)))


def _said(value: float, logarithm: bool) -> str:
    return f"{np.exp(value):.2g}" if logarithm else f"{value:.2f}"
