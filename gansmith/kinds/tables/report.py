"""Sections of the report that only tables have: single columns, and how pairs of columns depend on each other."""

from collections.abc import Mapping
from typing import Any

from gansmith.report.class_shares import class_figure
from gansmith.report.judged import overview, part
from gansmith.report.markup import Markup, join, tag
from gansmith.report.numbers import finite
from gansmith.report.records import Records
from gansmith.report.section import Section
from gansmith.report.sides import legend
from gansmith.report.spreads import spread_figure

CELL, NAMES, LONGEST = 15.0, 104.0, 16
"""The side of a square, the room for names, and their most letters."""


def association_figures(found: Any) -> Markup | None:
    """Three grids with the names of the columns. None for anything but square matrices of numbers."""
    if not isinstance(found, dict) or not isinstance(found.get("names"), list):
        return None
    names = [str(name) for name in found["names"]]
    real, made = (_matrix(found.get(side), len(names)) for side in ("real", "generated"))
    if real is None or made is None or len(names) < 2:
        return None
    off = [[b - a for a, b in zip(*rows, strict=True)] for rows in zip(real, made, strict=True)]
    worst = max(((i, j) for i in range(len(names)) for j in range(i)), key=lambda pair: abs(off[pair[0]][pair[1]]))
    i, j = worst
    words = f"farthest off: {names[j]} and {names[i]}, {made[i][j]:.2f} against {real[i][j]:.2f}"
    return join(
        _figure("real", names, real, "How real columns depend on each other"),
        _figure("generated", names, made, "How generated columns depend on each other"),
        _figure("generated - real", names, off, f"The difference; {words}", f"{words[0].upper()}{words[1:]}"),
    )


def _matrix(value: Any, size: int) -> list[list[float]] | None:
    if not isinstance(value, list) or len(value) != size:
        return None
    rows = [[finite(each) for each in row] if isinstance(row, list) else [] for row in value]
    known = [[each for each in row if each is not None] for row in rows]
    return known if all(len(row) == size for row in known) else None


def _figure(title: str, names: list[str], matrix: list[list[float]], words: str, note: str | None = None) -> Markup:
    side = CELL * len(names)
    squares = [
        tag(
            "rect",
            tag("title", f"{names[i]}, {names[j]}: {level:.2f}"),
            x=f"{NAMES + CELL * j:g}",
            y=f"{CELL * i:g}",
            width=f"{CELL - 1:g}",
            height=f"{CELL - 1:g}",
            fill_opacity=f"{min(1.0, abs(level)):.2f}",
            class_="more" if level >= 0 else "less",
        )
        for i, row in enumerate(matrix)
        for j, level in enumerate(row)
        if i != j and abs(level) >= 0.005
    ]
    labels = [
        tag("text", _short(name), x=f"{NAMES - 8:g}", y=f"{CELL * (i + 0.5) + 3.5:g}", text_anchor="end")
        for i, name in enumerate(names)
    ]
    frame = tag("rect", x=f"{NAMES - 1:g}", y="0", width=f"{side:g}", height=f"{side:g}", class_="frame")
    drawing = tag(
        "svg", frame, *squares, *labels, viewBox=f"0 -1 {NAMES + side + 1:g} {side + 2:g}", role="img", aria_label=words
    )
    below = tag("p", note, class_="note") if note else None
    return tag("figure", tag("figcaption", title), drawing, below, class_="drawing grid-figure")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def columns(records: Records) -> Section:
    """Every column of a table, the worst first."""
    found = part(overview(records), "table")
    figures = [_column(each) for each in found.get("columns", []) if isinstance(each, Mapping)]
    shown = [figure for figure in figures if figure is not None]
    lead = "Those whose distributions differ most come first; outlines of numbers leave out a few at the ends."
    sides = legend(["training", "held-out", "generated"], "M2 6h22", "stroke")
    return "Columns", join(sides, tag("div", *shown, class_="charts")) if shown else None, lead


def _column(found: Mapping[str, Any]) -> Markup | None:
    figure = spread_figure(found.get("spread")) or class_figure(found.get("classes"), str(found.get("name", "")))
    shape, missing = finite(found.get("shape")), found.get("missing")
    said = [f"shape {shape:.3f}"] if shape is not None else []
    if isinstance(missing, Mapping) and missing:
        shares = {side: finite(missing.get(side)) for side in ("training", "generated")}
        said.append(", ".join(f"{side} {share:.1%} missing" for side, share in shares.items() if share is not None))
    return tag("div", figure, tag("p", "; ".join(said), class_="note")) if figure is not None else None


def pairs(records: Records) -> Section:
    """How pairs of columns of a table depend on each other."""
    figures = association_figures(part(overview(records), "table"))
    lead = (
        "Correlations of two numbers, and Cramer's V of pairs with a category: the darker, the stronger; blue is positive, orange "
        "negative. Point at a square for its number."
    )
    return "Pairs of columns", tag("div", figures, class_="charts") if figures is not None else None, lead
