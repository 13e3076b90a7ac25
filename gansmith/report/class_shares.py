"""How frequent the classes are among real and generated examples, as inline SVG."""

from collections.abc import Mapping
from typing import Any

from gansmith.report.curves import ticks
from gansmith.report.markup import Markup, join, tag
from gansmith.report.numbers import finite
from gansmith.report.sides import by_side

WIDTH, NAMES, EDGE, TOP = 340.0, 92.0, 12.0, 10.0
"""The whole drawing, its column of names, and its margins."""
ROW = 20.0
MAXIMUM = 20
LONGEST = 13
"""Letters of a class's name."""


def class_figure(classes: Any, name: str = "") -> Markup | None:
    """A row for every class, or category of the column of this name. None without data.

    Of more than 20, those are shown whose generated share is farthest from the real one.
    """
    if not isinstance(classes, Mapping) or not isinstance(classes.get("names"), list):
        return None
    names, shares = [str(name) for name in classes["names"]], by_side(classes.get("shares"))
    if not {"training", "generated"} <= shares.keys() or len(names) != len(shares["training"]):
        return None
    off = [abs(made - real) for made, real in zip(shares["generated"], shares["training"], strict=True)]
    shown = sorted(sorted(range(len(names)), key=lambda index: -off[index])[:MAXIMUM])
    top = max(max(each[index] for each in shares.values()) for index in shown) or 1.0
    floor = TOP + ROW * len(shown)
    rows = [
        _row(names[index], {side: each[index] / top for side, each in shares.items()}, TOP + ROW * (place + 0.5))
        for place, index in enumerate(shown)
    ]
    worst = max(shown, key=lambda index: off[index])
    farthest = f"farthest off: {names[worst]}, {shares['generated'][worst]:.1%} against {shares['training'][worst]:.1%}"
    drawing = tag(
        "svg",
        *(_tick(level, level / 100 / top, floor) for level in ticks(0.0, 100 * top)),
        *rows,
        viewBox=f"0 0 {WIDTH:g} {floor + 24:g}",
        role="img",
        aria_label=f"Shares of the classes, generated against real; {farthest}",
    )
    title = (
        "share of each class" if len(shown) == len(names) else f"share of the {MAXIMUM} classes of {len(names)} that differ most"
    )
    note = tag("p", f"{farthest[0].upper()}{farthest[1:]}", class_="note")
    return tag("figure", tag("figcaption", f"{name}: {title}" if name else title), drawing, note, class_="drawing")


def _across(share: float) -> str:
    return f"{NAMES + share * (WIDTH - NAMES - EDGE):.1f}"


def _tick(level: float, share: float, floor: float) -> Markup:
    line = tag("line", x1=_across(share), x2=_across(share), y1=TOP, y2=floor, class_="grid")
    return join(line, tag("text", f"{level:g}%", x=_across(share), y=floor + 16, text_anchor="middle"))


def _row(name: str, places: Mapping[str, float], at: float) -> Markup:
    """A dot for the generated share, joined to a stroke for the real one; held-out examples show how much chance does."""
    made, real = _across(places["generated"]), _across(places["training"])
    held_out = finite(places.get("held-out"))
    other = None
    if held_out is not None:
        other = tag("path", d=f"M{_across(held_out)} {at - 6:g}v12", class_="stroke held-out")
    label = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return join(
        tag("text", label, x=NAMES - 10, y=at + 3.5, text_anchor="end"),
        tag("line", x1=made, x2=real, y1=at, y2=at, class_="between"),
        other,
        tag("path", d=f"M{real} {at - 6:g}v12", class_="stroke training"),
        tag("path", d=f"M{made} {at:g}h0", class_="dots generated"),
    )
