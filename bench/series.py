"""Time series: TimeGAN's scores on its stock prices, and volatility clustering of S&P 500 returns, beside rivals that are no GANs.

    python bench/series.py stocks stock_data.csv --gans seriesgan:350000 doppelganger:110000 timevae:110000
    python bench/series.py returns sp500_daily.csv.gz --gans seriesgan:50000 seriesgan:50000:gate=true

`stocks` follows TimeGAN's protocol, nothing held out: windows of 24 steps, stride 1, each column by its range, as many generated as
real windows. `returns` trains on the first four fifths of the daily returns of Close and compares curves with a band that resampled
blocks of the same real returns give. One thread, CPU seconds; results go to bench/results/series.json and .md.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from machine import machine

from gansmith.data.dataset import Dataset
from gansmith.kinds.series.metrics.stylised_facts import LAGS, Facts
from gansmith.kinds.series.metrics.timegan_scores import discriminative_score, predictive_score
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.rivals import block_bootstrap, fit_garch, garch_paths
from gansmith.kinds.series.sheets import sheet_from_csv
from gansmith.kinds.series.source import from_series_sheet
from gansmith.kinds.series.steps import moves_of, values_of
from gansmith.kinds.series.windows import build_series
from gansmith.model import Model
from gansmith.planning import plan as planning
from gansmith.training.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "series.json"
SAMPLES = 350_000
PATHS, BLOCK = 400, 250


@dataclass(frozen=True)
class Entry:
    """A GAN to train: GAN, GAN:SAMPLES or GAN:SAMPLES:field=value,field=value, where values are JSON."""

    gan: str
    samples: int
    options: dict[str, Any]

    @classmethod
    def parse(cls, asked: str) -> "Entry":
        gan, _, rest = asked.partition(":")
        samples, _, fields = rest.partition(":")
        pairs = (field.partition("=") for field in fields.split(",") if field)
        return cls(gan, int(samples or SAMPLES), {name: json.loads(value) for name, _, value in pairs})

    def name(self, seed: int) -> str:
        """What its results are called."""
        fields = ", ".join(name if value is True else f"{name} {value}" for name, value in self.options.items())
        return self.gan + (f" with {fields}" if fields else "") + (f", seed {seed}" if seed else "")


def trained(data: Dataset, entry: Entry, seed: int) -> tuple[Model, float]:
    """A model, and the CPU seconds that it took."""
    plan = planning.plan(
        data, gan=entry.gan, options=entry.options, samples=entry.samples, seed=seed, device="cpu", precision="float32"
    )
    made = plan.build(data)
    before = time.process_time()
    Trainer(made, data, plan.settings).train()
    return Model(made.eval(), data.codec, {"gan": entry.gan}), time.process_time() - before


def bootstrap_windows(levels: np.ndarray, count: int, steps: int, seed: int) -> np.ndarray:
    """Windows that begin at a random real row and go on by blocks of real relative moves."""
    moves = np.log(levels[1:] / levels[:-1])
    start = np.random.default_rng(seed).integers(0, len(levels), count)
    path = block_bootstrap(moves, count, steps - 1, seed, block=10)
    return levels[start][:, None] * np.exp(np.concatenate([np.zeros((count, 1, levels.shape[1])), path.cumsum(1)], axis=1))


def stocks(options: argparse.Namespace) -> dict:
    cutting = Options(window=24)
    found = from_series_sheet(sheet_from_csv(options.data), cutting)
    data = build_series(found, cutting, hold_out=False)
    real = values_of(data)
    low, high = real.min((0, 1)), real.max((0, 1))

    def scaled(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy((values - low) / (high - low)).float()

    def scored(values: np.ndarray) -> dict:
        discriminative = [discriminative_score(scaled(real), scaled(values), seed) for seed in range(options.repetitions)]
        predictive = [predictive_score(scaled(real), scaled(values), seed) for seed in range(options.repetitions)]
        return {"discriminative": discriminative, "predictive": predictive}

    results = {}
    levels = found.series[0].values
    if options.rivals:
        results["real, the windows themselves"] = {"predictive": [predictive_score(scaled(real), scaled(real), 0)]}
        results["block bootstrap"] = scored(bootstrap_windows(levels, len(real), 24, 0))
    for entry in options.gans:
        model, seconds = trained(data, entry, options.seed)
        made = data.codec.repack(model.sample(len(real), seed=1))["series"].astype(np.float64)
        facts = {"cpu_seconds": round(seconds), "samples": entry.samples, "seed": options.seed}
        results[entry.name(options.seed)] = found = facts | scored(made)
        moves, spreads = ((np.diff(made, axis=1), np.diff(real, axis=1)), (made, real))
        found |= {"moves": _ratio(*moves), "spread": _ratio(*spreads)}
        print(entry, found, flush=True)
    return results


def _ratio(made: np.ndarray, real: np.ndarray) -> list[float]:
    """Standard deviations of each column as a share of the real ones."""
    return (made.std((0, 1)) / real.std((0, 1))).round(3).tolist()


def returns(options: argparse.Namespace) -> dict:
    cutting = Options(window=128, returns=True, columns=("Close",))
    found = from_series_sheet(sheet_from_csv(options.data), cutting)
    data, close = build_series(found, cutting), found.series[0].values
    prices = close[: len(data) + 128]
    real = np.diff(np.log(prices), axis=0)
    curve = curves(real[None])
    rng = np.random.default_rng(0)
    band = np.stack([curves(block_bootstrap(real, 1, len(real), int(rng.integers(2**31)), BLOCK)) for _ in range(PATHS)])
    low, high = np.quantile(band, [0.025, 0.975], axis=0)
    steps = 1000

    def judged(paths: np.ndarray) -> dict:
        found = curves(paths)
        inside = (found >= low) & (found <= high)
        deviation = paths.std()
        return {
            "clustering_inside": int(inside[0].sum()),
            "acf_inside": int(inside[1].sum()),
            "clustering": found[0].round(4).tolist(),
            "kurtosis": round(float((((paths - paths.mean()) / deviation) ** 4).mean()), 2),
            "deviation": round(float(deviation), 5),
        }

    results = {
        "real": judged(real[None]) | {"band_low": low[0].round(4).tolist(), "band_high": high[0].round(4).tolist()},
        "held-out years": judged(np.diff(np.log(close[len(prices) :]), axis=0)[None]),
        "independent draws": judged(real[rng.integers(0, len(real), (50, steps))]),
        "GARCH(1, 1)": judged(garch_paths(fit_garch(real[:, 0]), 50, steps, 0)),
        "block bootstrap (20 days)": judged(block_bootstrap(real, 50, steps, 0)),
    }
    assert curve.shape == (2, LAGS)
    for entry in options.gans:
        model, seconds = trained(data, entry, options.seed)
        paths = {"windows": model.sample(2000, seed=1)}
        if entry.gan != "timevae":
            paths[f"paths of {steps}"] = model.sample(50, seed=2, length=str(steps))
        for name, batch in paths.items():
            made = Dataset.of(batch, data.codec, entry.gan)
            facts = {"cpu_seconds": round(seconds), "samples": entry.samples, "seed": options.seed}
            results[f"{entry.name(options.seed)}, {name}"] = facts | judged(moves_of(made))
            print(entry, name, results[f"{entry.name(options.seed)}, {name}"], flush=True)
    return results


def curves(paths: np.ndarray) -> np.ndarray:
    """The autocorrelations of absolute moves and of moves at lags 1 to 20: [2, 20]."""
    facts = Facts(paths, paths, np.ones(paths.shape[2]))
    return np.stack([facts.curve("clustering")[:, 0], facts.curve("acf")[:, 0]])


def table(everything: dict) -> str:
    lines = [
        "# Time series",
        "",
        f"{everything['machine']}. Means over the repetitions of the judging networks.",
    ]
    if rows := everything.get("stocks"):
        lines += ["", "## Stocks, TimeGAN's protocol", "", "| | CPU s | discriminative | predictive |", "|---|---|---|---|"]
        for name, row in rows.items():
            cells = [
                f"{np.mean(row[key]):.3f} ({min(row[key]):.3f} to {max(row[key]):.3f})" if key in row else "" for key in SCORES
            ]
            lines.append(f"| {name} | {row.get('cpu_seconds', '')} | {cells[0]} | {cells[1]} |")
    if rows := everything.get("returns"):
        lines += [
            "",
            "## S&P 500 daily returns",
            "",
            f"Of lags 1 to {LAGS}, how many lie inside the 95% band of the block bootstrap.",
            "",
        ]
        lines += ["| | CPU s | ACF of absolute returns | ACF of returns | kurtosis |", "|---|---|---|---|---|"]
        for name, row in rows.items():
            seconds = row.get("cpu_seconds", "")
            lines.append(f"| {name} | {seconds} | {row['clustering_inside']} | {row['acf_inside']} | {row['kurtosis']} |")
    return "\n".join(lines) + "\n"


SCORES = ("discriminative", "predictive")


def main() -> None:
    tasks: dict[str, Callable[[argparse.Namespace], dict]] = {"stocks": stocks, "returns": returns}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=tasks)
    parser.add_argument("data", type=Path)
    parser.add_argument("--gans", nargs="*", type=Entry.parse, default=[Entry.parse("seriesgan")], help=Entry.__doc__)
    parser.add_argument(
        "--rivals", action=argparse.BooleanOptionalAction, default=True, help="whether stocks' rivals are scored too"
    )
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = tasks[options.task](options)
    everything = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    everything.setdefault(options.task, {}).update(found)
    everything["machine"] = machine()
    RESULTS.write_text(json.dumps(everything, indent=1) + "\n")
    RESULTS.with_suffix(".md").write_text(table(everything))
    print(table(everything))


if __name__ == "__main__":
    main()
