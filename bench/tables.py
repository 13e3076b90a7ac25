"""Generated tables against real ones: our RowGAN beside trivial models, real rows and, where installed, ctgan's CTGAN and TVAE.

    python bench/tables.py FOLDER --tables adult:income --seconds 150
    python bench/tables.py FOLDER --tables adult:income --peers /path/to/venv/bin/python --peer-epochs ctgan=100,tvae=100

FOLDER holds NAME_train.csv.gz; a fifth of the rows (seed 0) is kept for testing. Everything is measured on raw values with the
functions of gansmith.metrics, which equal SDMetrics' KSComplement, TVComplement, CorrelationSimilarity and ContingencySimilarity.
Seconds are CPU seconds of one thread. Results are added to bench/results/tables.json, one record a model.
"""

import argparse
import json
import platform
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import ndtr, ndtri
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import f1_score, r2_score, roc_auc_score

from gansmith import planning
from gansmith.data.building import build_table
from gansmith.data.cells import Table
from gansmith.data.readers.table_files import table_from_csv
from gansmith.metrics.baseline import independent
from gansmith.metrics.table_shapes import Against
from gansmith.metrics.table_views import View, view_of
from gansmith.metrics.two_sample import told_apart
from gansmith.model import Model
from gansmith.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "tables.json"
WARM_UP = 20
"""Rounds from which the budget in CPU seconds is turned into samples."""

PEER = """
import sys, time, warnings
warnings.filterwarnings("ignore")
import pandas, torch
torch.set_num_threads(1)
name, epochs, train, out, rows = sys.argv[1:6]
frame = pandas.read_csv(train)
discrete = [c for c in frame if frame[c].dtype.kind not in "if"]
for c in discrete: frame[c] = frame[c].fillna("missing")
for c in frame: frame[c] = frame[c].fillna(frame[c].median()) if c not in discrete else frame[c]
from ctgan import CTGAN, TVAE
model = (CTGAN if name == "ctgan" else TVAE)(epochs=int(epochs), enable_gpu=False)
start = time.process_time(); model.fit(frame, discrete); print(time.process_time() - start)
made = model.sample(int(rows))
for c in discrete: made[c] = made[c].where(made[c] != "missing")
made.to_csv(out, index=False)
"""


def measure(train: View, test: View, fake: View, target: int) -> dict[str, Any]:
    """All figures of one set of rows."""
    against, rows = Against(train, fake), np.arange(len(fake.values))
    shapes = float(np.nanmean(list(against.shapes(rows).values())))
    trends = float(np.nanmean(list(against.trends(rows).values())))
    count = min(len(train.values), len(fake.values))
    guess, truth = told_apart(train.values[:count], fake.values[:count], 0)
    learned, asked = (np.delete(each.values, target, 1) for each in (fake, test))
    answers, expected = fake.values[:, target], test.values[:, target]
    found = {"quality": (shapes + trends) / 2, "shapes": shapes, "trends": trends, "c2st": float(roc_auc_score(truth, guess))}
    if not train.categorical[target]:
        model = HistGradientBoostingRegressor(random_state=0).fit(learned, answers)
        return found | {"tstr_r2": float(r2_score(expected, model.predict(asked)))}
    rare = np.bincount(train.values[:, target].astype(int)).argmin()
    if len(np.unique(answers == rare)) < 2:
        return found | {"tstr_auc": 0.5, "tstr_f1": 0.0}
    model = HistGradientBoostingClassifier(random_state=0).fit(learned, answers == rare)
    shares = model.predict_proba(asked)[:, 1]
    areas = {
        "tstr_auc": float(roc_auc_score(expected == rare, shares)),
        "tstr_f1": float(f1_score(expected == rare, shares > 0.5)),
    }
    return found | areas


def copula(train: Any, count: int) -> np.ndarray:
    """Rows of a Gaussian copula fitted to the packed rows: choices as ordered ranks, numbers as their normal scores."""
    packed, rng = train.packed(slice(None))["row"].astype(float), np.random.default_rng(0)
    sizes = [size for column in train.codec.spec.columns for size in column]
    scores = packed.copy()
    for i, size in enumerate(sizes):
        if size > 1:
            shares = np.concatenate([[0], np.bincount(packed[:, i].astype(int), minlength=size).cumsum() / len(packed)])
            place = packed[:, i].astype(int)
            scores[:, i] = ndtri(
                (shares[place] + (shares[place + 1] - shares[place]) * rng.random(len(packed))).clip(1e-6, 1 - 1e-6)
            )
    drawn = rng.multivariate_normal(np.zeros(len(sizes)), np.corrcoef(scores.T), count)
    rows = np.empty_like(drawn)
    for i, size in enumerate(sizes):
        rows[:, i] = np.quantile(packed[:, i], ndtr(drawn[:, i]), method="inverted_cdf")
    return rows.astype(np.float32)


def ours(data: Any, gan: str, seconds: float, seed: int, options: dict[str, Any]) -> tuple[Model, dict[str, Any]]:
    """A model trained for so many CPU seconds, the measuring of the pace included."""
    start = time.process_time()
    plan = planning.plan(data, gan=gan, seed=seed, device="cpu", samples=10**9, options=options)
    warm = Trainer(plan.build(data), data, plan.settings)
    for _ in range(WARM_UP):
        warm.play_round()
    pace = (time.process_time() - start) / WARM_UP
    rounds = max(10, int((seconds - WARM_UP * pace) / pace))
    plan = planning.plan(data, gan=gan, seed=seed, device="cpu", samples=rounds * plan.settings.batch, options=options)
    built = plan.build(data)
    Trainer(built, data, plan.settings).train()
    card = {"gan": gan, "data": data.name, "examples": len(data), "samples": rounds}
    return Model(built.eval(), data.codec, card), {"cpu_seconds": round(time.process_time() - start, 1), "rounds": rounds}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", required=True, help="name:target,name:target")
    parser.add_argument("--gans", default="rowgan")
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--peers")
    parser.add_argument("--peer-epochs", default="")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name, target_name in (pair.split(":") for pair in asked.tables.split(",")):
        table = table_from_csv(asked.folder / f"{name}_train.csv.gz")
        order = np.random.default_rng(0).permutation(len(table))
        held = len(table) // 5
        parts = [
            Table(name=name, columns={column: cells.take(rows) for column, cells in table.columns.items()})
            for rows in (np.sort(order[held:]), np.sort(order[:held]))
        ]
        data = build_table(parts[0])
        codec, count = data.codec, len(data)
        train, test = (view_of({c: cells.values() for c, cells in part.columns.items()}, codec.columns) for part in parts)
        target = train.names.index(target_name)

        def record(model: str, fake: View, about: dict[str, Any]) -> None:
            found = {"table": name, "model": model, "seed": asked.seed, **about, **measure(train, test, fake, target)}
            found = {key: round(value, 4) if isinstance(value, float) else value for key, value in found.items()}
            print(json.dumps(found), flush=True)
            records = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
            same = lambda old: all(old.get(key) == found.get(key) for key in ("table", "model", "seed", "budget"))
            records = [old for old in records if not same(old)] + [found]
            RESULTS.write_text(json.dumps(sorted(records, key=lambda r: (r["table"], r["model"])), indent=1) + "\n")

        machine = {"machine": f"{platform.machine()}, one thread", "torch": torch.__version__}
        if not asked.peers:
            record("real test rows", test, machine)
            record("real training rows (copies)", train, machine)
            record("independent columns", view_of(codec.table(independent(data, count, 0).arrays), codec.columns), machine)
            record("Gaussian copula", view_of(codec.table({"row": copula(data, count)}), codec.columns), machine)
            for gan in asked.gans.split(","):
                model, about = ours(data, gan, asked.seconds, asked.seed, asked.options if gan == "rowgan" else {})
                rows = codec.repack(model.sample(count, seed=1))
                record(gan, view_of(codec.table(rows), codec.columns), machine | {"budget": asked.seconds} | about)
            continue
        for peer, epochs in (pair.split("=") for pair in asked.peer_epochs.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                paths = [Path(folder) / "train.csv", Path(folder) / "made.csv"]
                codec.save(
                    [
                        dict(zip(table.columns, row, strict=True))
                        for row in zip(*[c.values() for c in parts[0].columns.values()], strict=True)
                    ],
                    Path(folder),
                )
                (Path(folder) / "rows.csv").rename(paths[0])
                done = subprocess.run(
                    [asked.peers, "-c", PEER, peer, epochs, paths[0], paths[1], str(count)],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                made = table_from_csv(paths[1])
                fake = view_of({c: made.columns[c].values() for c in made.columns}, codec.columns)
                record(f"{peer} (0.12.1), {epochs} epochs", fake, machine | {"cpu_seconds": round(float(done.stdout), 1)})


if __name__ == "__main__":
    main()
