"""Packages a digest of the recorded results, which `gansmith list gans` shows.

    python bench/verified.py

Every record of a training in bench/results/ becomes {gan, data, settings, seed, cpu_seconds, samples, score, value, baseline, ...}
with the one score that its bench is about; records of rivals, of other people's code and of real data become baselines and ceilings. Files
that are not there are left out. Scores without a known ceiling (such as PSNR, which has none) leave it out.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from gansmith.gans import names
from gansmith.gans._verified import PLACE

RESULTS = Path(__file__).parent / "results"
FACTS = ("settings", "seed", "cpu_seconds", "samples")
SCORE = ("value", "low", "high", "baseline", "baseline_name", "ceiling", "better")
DATA = {"fashion_mnist_train": "fashion", "mnist_train": "mnist", "cifar10_train_jpeg": "cifar10 (JPEG)"}

Found = Iterable[dict[str, Any]]


def frechet(bench: Mapping[str, Any]) -> Found:
    """handwriting.json, synthesis.json, quality.json: images, by the Frechet distance."""
    for result in bench["results"]:
        score = next((own for name, own in result["scores"].items() if name.partition("[")[0] == "frechet"), None)
        if score is None or result.get("who", "ours") != "ours":
            continue
        data = result.get("data", "mnist")
        facts = {"gan": result.get("gan", "r3gan"), "data": DATA.get(data, data)} | _kept(result, FACTS)
        yield facts | {"score": score["name"]} | _kept(score, SCORE)


def tables(bench: Iterable[Mapping[str, Any]]) -> Found:
    """tables.json: quality (shapes and trends), beside the better of independent columns and a Gaussian copula, and real rows."""
    records = [record for record in bench if "quality" in record]
    beside = {(record["table"], record["model"]): record["quality"] for record in records}
    rivals, known = ("independent columns", "Gaussian copula"), names()
    for record in records:
        if record["model"] not in known:
            continue
        facts = {"gan": record["model"], "data": record["table"]} | _kept(record, FACTS)
        rival = max(rivals, key=lambda name: beside.get((record["table"], name), 0.0))
        yield facts | {
            "score": "quality",
            "value": record["quality"],
            "baseline": beside.get((record["table"], rival)),
            "baseline_name": rival,
            "ceiling": beside.get((record["table"], "real rows")),
            "better": "higher",
        }


def series(bench: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Found:
    """series.json: TimeGAN's discriminative score of stock prices, and at how many of 20 lags returns cluster as real ones do."""
    blocks = bench.get("stocks", {}).get("block bootstrap", {}).get("discriminative")
    for name, record in bench.get("stocks", {}).items():
        if "discriminative" in record and "cpu_seconds" in record:
            yield _series(name, record, "stocks") | {
                "score": "discriminative",
                "value": fmean(record["discriminative"]),
                "baseline": fmean(blocks) if blocks else None,
                "baseline_name": "block bootstrap",
                "ceiling": 0.0,
                "better": "lower",
            }
    returns = bench.get("returns", {})
    for name, record in returns.items():
        if "clustering_inside" in record and "cpu_seconds" in record:
            yield _series(name, record, "S&P 500 returns") | {
                "score": "lags inside, of 20,",
                "value": record["clustering_inside"],
                "baseline": returns.get("independent draws", {}).get("clustering_inside"),
                "baseline_name": "independent draws",
                "ceiling": returns.get("real", {}).get("clustering_inside"),
                "better": "higher",
            }


def _series(name: str, record: Mapping[str, Any], data: str) -> dict[str, Any]:
    gan = name.partition(",")[0].partition(" ")[0]
    return {"gan": gan, "data": data, "settings": name.removeprefix(gan).strip(" ,") or "default"} | _kept(record, FACTS)


def translation(bench: Mapping[str, Any], data: str = "translation", gan: str | None = None) -> Found:
    """translation.json and the like: PSNR to the true partners, beside the best of what needs no learning."""
    trivial = {
        name: own["psnr"]
        for name in ("mean image", "colour lookup", "input", "linear filter")
        if isinstance(own := bench.get(name), Mapping) and "psnr" in own
    }
    best = max(trivial, key=trivial.__getitem__, default=None)
    for name, record in bench.items():
        if not isinstance(record, Mapping) or "seeds" not in record or name == "peer":
            continue
        player = gan or record.get("recipe", "=").partition("=")[2].partition(":")[0]
        for seed, own in enumerate(record["seeds"]):
            yield {
                "gan": player,
                "data": data,
                "settings": "default" if name == "ours" else name,
                "seed": seed,
                "cpu_seconds": round(bench["seconds"]),
                "samples": own["pairs"],
                "score": "psnr",
                "value": own["psnr"],
                "baseline": trivial.get(best or ""),
                "baseline_name": best,
                "better": "higher",
            }


def repair(bench: Mapping[str, Mapping[str, Any]]) -> Found:
    """repair.json: pictures that were damaged, by how."""
    for words, record in bench.items():
        yield from translation(record, f"--degrade {words}")


def unpaired(bench: Mapping[str, Any]) -> Found:
    """unpaired.json: CycleGAN on drawn domains whose true partners are known."""
    return translation(bench, "drawn domains", "cyclegan")


def enlarging(bench: Mapping[str, Mapping[str, Any]]) -> Found:
    """enlarging.json: PSNR after each stage, beside the better bicubic enlargement."""
    for name, record in bench.items():
        gan, _, data = name.partition(" ")
        bicubic = max(own["psnr"] for how, own in record.items() if how.startswith("bicubic"))
        for stage in ("faithful stage", "end"):
            if stage in record:
                yield {
                    "gan": gan,
                    "data": data,
                    "settings": stage,
                    "seed": 0,
                    "cpu_seconds": round(record["seconds"]),
                    "score": "psnr",
                    "value": record[stage]["psnr"],
                    "baseline": bicubic,
                    "baseline_name": "bicubic",
                    "better": "higher",
                }


BENCHES: dict[str, Callable[[Any], Found]] = {
    "handwriting.json": frechet,
    "synthesis.json": frechet,
    "quality.json": frechet,
    "tables.json": tables,
    "series.json": series,
    "unpaired.json": unpaired,
    "translation.json": translation,
    "enlarging.json": enlarging,
    "repair.json": repair,
}


def digest(folder: Path = RESULTS) -> dict[str, list[dict[str, Any]]]:
    """The trainings of every GAN, those of one data set and score together, the best first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, read in BENCHES.items():
        if (folder / name).exists():
            for own in read(json.loads((folder / name).read_text(encoding="utf-8"))):
                found.setdefault(own["gan"], []).append({key: value for key, value in own.items() if key != "gan"})
    return {gan: sorted(results, key=_place) for gan, results in sorted(found.items())}


def _place(own: Mapping[str, Any]) -> tuple[str, str, float]:
    return own["data"], own["score"], own["value"] if own["better"] == "lower" else -own["value"]


def _kept(record: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    return {name: record[name] for name in wanted if name in record}


def main() -> None:
    """Writes gansmith/gans/verified.json from the benches that have been recorded."""
    PLACE.write_text(json.dumps(digest(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
