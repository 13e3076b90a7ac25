"""Draws the charts of the documentation from the recorded results.

    python bench/charts.py

Writes docs/images/quality.svg: Frechet distance on Fashion-MNIST after so many CPU seconds (bench/results/quality.json), both axes
logarithmic, beside the baseline, the ceiling and the DCGAN of the tutorials.
"""

import json
import math
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 680, 300, 62, 190, 16, 44
SECONDS, DISTANCES = (15, 900), (0.02, 100)
GREY, OURS, THEIRS = "#808080", "#2f7ebc", "#c8553d"


def place(seconds: float, distance: float) -> tuple[float, float]:
    """Where a point lies on the picture."""
    across, up = _share(seconds, *SECONDS), _share(distance, *DISTANCES)
    return round(LEFT + across * (WIDTH - LEFT - RIGHT), 1), round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 1)


def _share(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


def quality() -> str:
    """The chart as SVG; its colours are legible on white and on black."""
    records = json.loads((ROOT / "bench" / "results" / "quality.json").read_text(encoding="utf-8"))["results"]
    records = [own for own in records if own["data"] == "fashion_mnist_train"]
    scores = {id(own): next(score for name, score in own["scores"].items() if name.startswith("frechet")) for own in records}
    beside = scores[id(records[0])]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" fill="{GREY}">'
    ]
    for seconds in (20, 60, 200, 600):
        x, y = place(seconds, DISTANCES[0])
        parts.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{seconds}</text>')
    for distance in (0.1, 1, 10, 100):
        x, y = place(SECONDS[0], distance)
        parts.append(f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{distance:g}</text>')
        parts.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="{GREY}" stroke-opacity=".25"/>')
    x, y = place(math.sqrt(SECONDS[0] * SECONDS[1]), DISTANCES[0])
    parts.append(f'<text x="{x}" y="{y + 36}" text-anchor="middle">CPU seconds of one core</text>')
    parts.append(
        f'<text transform="translate(14 {(HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">Frechet distance</text>'
    )
    for name, words in (("baseline", "a Gaussian per class"), ("ceiling", "real images")):
        x, y = place(SECONDS[0], beside[name])
        parts.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="{GREY}" stroke-dasharray="6 4"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4}">{words} {beside[name]:.2g}</text>')
    for who, colour, words in (("ours", OURS, "gansmith train"), ("textbook", THEIRS, "tutorial DCGAN")):
        points = sorted((own["cpu_seconds"], scores[id(own)]["value"]) for own in records if own["who"] == who)
        places = [place(*point) for point in points]
        line = "L".join(f"{x} {y}" for x, y in places)
        parts.append(f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>' for x, y in places]
        x, y = places[-1]
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4}" fill="{colour}">{words} {points[-1][1]:.2g}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "images" / "quality.svg").write_text(quality(), encoding="utf-8")
