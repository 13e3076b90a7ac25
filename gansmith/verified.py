"""Which GANs were trained and judged here, and with what result: `gans/verified.json`, a digest of the recorded benches."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent / "gans" / "verified.json"
FACTS = ("data", "settings", "seed", "cpu_seconds", "samples")
SCORE = ("value", "low", "high", "baseline", "ceiling")


def recorded() -> dict[str, list[dict[str, Any]]]:
    """Every recorded training of every GAN, the best Frechet distance for each data set first."""
    return json.loads(PLACE.read_text(encoding="utf-8")) if PLACE.exists() else {}


def digest(benches: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What is packaged of bench/results/handwriting.json and synthesis.json: the facts and the Frechet distance of each result."""
    found: dict[str, list[dict[str, Any]]] = {}
    for bench in benches:
        for result in bench["results"]:
            score = next((own for name, own in result["scores"].items() if name.partition("[")[0] == "frechet"), None)
            if score is None:
                continue
            facts = {name: result[name] for name in FACTS if name in result}
            facts |= {"data": result.get("data", "mnist"), "score": score["name"]}
            found.setdefault(result["gan"], []).append(facts | {name: score[name] for name in SCORE})
    return {
        gan: sorted(results, key=lambda own: (own["data"], own["score"], own["value"])) for gan, results in sorted(found.items())
    }


def sentence(results: Iterable[Mapping[str, Any]]) -> str:
    """The best result of each data set in words; "not verified here" without any."""
    best: dict[tuple[str, str], Mapping[str, Any]] = {}
    for own in results:
        best.setdefault((own["data"], own["score"]), own)
    said = [
        f"{own['data']}: {own['score'].partition('[')[0]} {own['value']:.3g} in {own['cpu_seconds']:,} CPU s "
        f"(baseline {own['baseline']:.3g}, ceiling {own['ceiling']:.2g})"
        for own in best.values()
    ]
    return "; ".join(said) or "not verified here"
