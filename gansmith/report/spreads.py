"""How the judged examples are spread: the sides' distributions over each other, as inline SVG."""

from collections.abc import Mapping
from typing import Any

from gansmith.report.curves import ticks
from gansmith.report.markup import Markup, join, tag
from gansmith.report.numbers import axis_label, finite, significant
from gansmith.report.sides import SIDES, by_side

WIDTH, HEIGHT = 340.0, 168.0
EDGE, TOP, FLOOR = 12.0, 10.0, 144.0


def spread_figure(spread: Any) -> Markup | None:
    """One quantity: the shares of each side's examples in common bins as outlines, medians below. None for anything else.

    There is no axis of heights: they depend on the width of the bins, and only their proportions mean something.
    """
    if not isinstance(spread, Mapping):
        return None
    shares, low, high = by_side(spread.get("shares")), finite(spread.get("low")), finite(spread.get("high"))
    if not shares or low is None or high is None or not low < high:
        return None
    name, medians = str(spread.get("name", "")), spread.get("medians")
    known = {side: finite(medians.get(side)) for side in shares} if isinstance(medians, Mapping) else {}
    words = ", ".join(f"{SIDES[side]} {significant(median)}" for side, median in known.items() if median is not None)
    top = max(max(each) for each in shares.values()) or 1.0
    drawing = tag(
        "svg",
        tag("line", x1=EDGE, x2=WIDTH - EDGE, y1=FLOOR, y2=FLOOR, class_="axis"),
        *(_tick(level, (level - low) / (high - low)) for level in ticks(low, high)),
        *(_outline(side, [share / top for share in each]) for side, each in shares.items()),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        aria_label=f"Distribution of the {name}; medians: {words}",
    )
    note = tag("p", f"Medians: {words}", class_="note") if words else None
    return tag("figure", tag("figcaption", name), drawing, note, class_="drawing")


def _across(share: float) -> float:
    return EDGE + share * (WIDTH - 2 * EDGE)


def _tick(level: float, share: float) -> Markup:
    at = f"{_across(share):.1f}"
    mark = tag("line", x1=at, x2=at, y1=FLOOR, y2=FLOOR + 4, class_="axis")
    return join(mark, tag("text", axis_label(level), x=at, y=HEIGHT - 7, text_anchor="middle"))


def _outline(side: str, heights: list[float]) -> Markup:
    steps = "".join(
        f"V{FLOOR - height * (FLOOR - TOP):.1f}H{_across((place + 1) / len(heights)):.1f}" for place, height in enumerate(heights)
    )
    path = f"M{EDGE:g} {FLOOR:g}{steps}V{FLOOR:g}"
    return tag("g", tag("path", d=path, class_="ground"), tag("path", d=path, class_="stroke"), class_=side)
