"""Which GANs were trained and judged here, and with what result: `gans/verified.json`, which bench/verified.py makes of its records."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PLACE = Path(__file__).with_name("verified.json")


def recorded() -> dict[str, list[dict[str, Any]]]:
    """Every recorded training of every GAN, the best value of each data set and score first."""
    return json.loads(PLACE.read_text(encoding="utf-8")) if PLACE.exists() else {}


def sentence(results: Iterable[Mapping[str, Any]], most: int | None = None) -> str:
    """The best result of each data set in words, of at most so many; "not verified here" without any."""
    best: dict[tuple[str, str], Mapping[str, Any]] = {}
    for own in results:
        best.setdefault((own["data"], own["score"]), own)
    return "; ".join(_said(own) for own in [*best.values()][:most]) or "not verified here"


def _said(own: Mapping[str, Any]) -> str:
    name, _, network = own["score"].partition("[")
    name = name if network else own["score"]
    beside = [f"{word} {own[word]:.3g}" for word in ("baseline", "ceiling") if own.get(word) is not None]
    return f"{own['data']}: {name} {own['value']:.3g} in {own['cpu_seconds']:,.0f} CPU s ({', '.join(beside)})"
