"""Real and generated examples on one map, as inline SVG."""

from collections.abc import Mapping
from typing import Any

from gansmith.report.markup import Markup, tag
from gansmith.report.sides import SIDES, legend, numbers

SIDE, MARGIN = 520.0, 12.0
WORDS = {
    "t-SNE": "t-SNE: neighbours are neighbours, but the distances between far heaps and the sizes of heaps mean nothing",
    "PCA": "the first two principal directions of the real features",
}


def landscape(flat: Any, space: str) -> Markup | None:
    """A small plus for every real example and a dot for every generated one; None without both."""
    if not isinstance(flat, Mapping):
        return None
    places = {side: _places(flat.get(side)) for side in SIDES if side in flat}
    if not places.get("training") or not places.get("generated"):
        return None
    counts = f"{len(places['training'])} real and {len(places['generated'])} generated examples"
    method = str(flat.get("method", ""))
    drawing = tag(
        "svg",
        tag("path", d="".join(f"M{x - 2.5:.1f} {y:.1f}h5m-2.5 -2.5v5" for x, y in places["training"]), class_="crosses training"),
        tag("path", d="".join(f"M{x:.1f} {y:.1f}h0" for x, y in places["generated"]), class_="dots generated"),
        viewBox=f"0 0 {SIDE:g} {SIDE:g}",
        role="img",
        aria_label=f"Map of {counts} by {method}",
    )
    keys = legend(["training"], "M10 6h6m-3 -3v6", "crosses"), legend(["generated"], "M13 6h0", "dots")
    where = f" in the features of {space}" if space else ""
    caption = tag("figcaption", f"{counts[0].upper()}{counts[1:]}{where}; {WORDS.get(method, method)}.")
    return tag("figure", tag("div", *keys, class_="legends"), drawing, caption, class_="drawing landscape")


def _places(pairs: Any) -> list[tuple[float, float]]:
    """Positions in the drawing, from coordinates in [-1, 1]; upwards is positive."""
    found = [numbers(pair) for pair in pairs] if isinstance(pairs, list) else []
    reach = SIDE / 2 - MARGIN
    return [(SIDE / 2 + reach * pair[0], SIDE / 2 - reach * pair[1]) for pair in found if len(pair) == 2]
