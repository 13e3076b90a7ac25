"""Whether generated rows help a classifier: real rows alone, weighted, SMOTE's, and generated ones added or in their place.

    python bench/augmentation.py FOLDER --tables adult:income --rows 2000 --seconds 20

For each of five seeds, so many rows of a table are drawn to learn from and the same fifth of the table (as in bench/tables.py) is kept
for testing. RowGAN learns from the drawn rows alone. Gradient boosting is then taught on: the real rows; the same with balanced class
weights; with SMOTE's rows until the classes are as large (Chawla et al. 2002; numbers between neighbours, categories of one of them);
with generated rows of the rare class until the classes are as large; with 25, 50, 100 and 200% generated rows as they come; and on as
many generated rows alone. The area under the ROC curve and the F1 of the rare class are means over the seeds, with their deviation.
Results are put into bench/results/augmentation.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from machine import machine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from tables import ours, split

from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.views import View, view_of

RESULTS = Path(__file__).parent / "results" / "augmentation.json"
SHARES = (0.25, 0.5, 1.0, 2.0)
NEIGHBOURS = 5


def smote(inputs: np.ndarray, categorical: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` rows between rows of one class and their nearest neighbours of it; a category is that of either."""
    filled = np.where(np.isnan(inputs), np.nanmedian(inputs, 0), inputs)
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS + 1, len(filled))).fit(scaled := StandardScaler().fit_transform(filled))
    neighbours = near.kneighbors(scaled, return_distance=False)[:, 1:]
    rows = rng.integers(0, len(inputs), count)
    others = neighbours[rows, rng.integers(0, neighbours.shape[1], count)]
    share = rng.random((count, 1))
    between = filled[rows] + share * (filled[others] - filled[rows])
    either = np.where(rng.random((count, inputs.shape[1])) < 0.5, inputs[rows], inputs[others])
    return np.where(categorical, either, between)


def score(
    inputs: np.ndarray, answers: np.ndarray, test: tuple[np.ndarray, np.ndarray], weight: str | None = None
) -> tuple[float, float]:
    """(area under the ROC curve, F1) of gradient boosting taught on these rows."""
    if len(np.unique(answers)) < 2:
        return 0.5, 0.0
    model = HistGradientBoostingClassifier(random_state=0, class_weight=weight).fit(inputs, answers)
    chances = model.predict_proba(test[0])[:, 1]
    return float(roc_auc_score(test[1], chances)), float(f1_score(test[1], chances > 0.5))


def arms(real: View, test: View, drawn: Any, target: int, rare: int, seed: int) -> dict[str, tuple[float, float]]:
    """Every way of teaching; `drawn(count, wish)` answers generated rows as a view."""
    rng = np.random.default_rng(seed)

    def sides(view: View) -> tuple[np.ndarray, np.ndarray]:
        return np.delete(view.values, target, 1), view.values[:, target] == rare

    inputs, answers = sides(real)
    asked = sides(test)
    categorical = np.delete(real.categorical, target)
    short = int((~answers).sum() - answers.sum())
    found = {"real rows": score(inputs, answers, asked), "real, class weights": score(inputs, answers, asked, "balanced")}
    more = smote(inputs[answers], categorical, short, rng)
    found["real + SMOTE"] = score(np.vstack([inputs, more]), np.append(answers, np.ones(short, bool)), asked)
    more, truths = sides(drawn(short, True))
    found["real + rowgan, balanced"] = score(np.vstack([inputs, more]), np.append(answers, truths), asked)
    made, told = sides(drawn(round(max(SHARES) * len(inputs)), False))
    for share in SHARES:
        count = round(share * len(inputs))
        found[f"real + rowgan {share:.0%}"] = score(np.vstack([inputs, made[:count]]), np.append(answers, told[:count]), asked)
    found["rowgan alone"] = score(made[: len(inputs)], told[: len(inputs)], asked)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", required=True, help="name:target,name:target")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name, target_name in (pair.split(":") for pair in asked.tables.split(",")):
        whole, held = split(asked.folder, name)
        scores: dict[str, list[tuple[float, float]]] = {}
        spent = []
        for seed in range(asked.seeds):
            rows = np.sort(np.random.default_rng(seed).permutation(len(whole))[: asked.rows])
            part = Table(name=name, columns={column: cells.take(rows) for column, cells in whole.columns.items()})
            data = build_table(part, target=target_name)
            codec = cast("TableCodec", data.codec)
            real, test = (
                view_of({c: cells.values() for c, cells in each.columns.items()}, codec.columns) for each in (part, held)
            )
            target = real.names.index(target_name)
            rare = int(np.bincount(real.values[:, target].astype(int)).argmin())
            word = str(codec.by_name[target_name].choices[rare])
            model, cost = ours(data, "rowgan", asked.seconds, seed)
            spent.append(cost["cpu_seconds"])

            def drawn(count: int, rare_alone: bool, made: Any = (model, codec, target_name, word, seed)) -> View:
                model, codec, name, word, seed = made
                wish = {name: word} if rare_alone else {}
                return view_of(codec.table(codec.repack(model.sample(count, seed=seed, **wish))), codec.columns)

            for arm, pair in arms(real, test, drawn, target, rare, seed).items():
                scores.setdefault(arm, []).append(pair)
        about = {"table": name, "target": target_name, "rows": asked.rows, "seeds": asked.seeds}
        about |= {"machine": machine(), "cpu_seconds": round(float(np.mean(spent)), 1)}
        found = {
            arm: {
                key: [round(float(value), 4) for value in (np.mean(column), np.std(column, ddof=1) if len(column) > 1 else 0.0)]
                for key, column in zip(("auc", "f1"), zip(*pairs, strict=True), strict=True)
            }
            for arm, pairs in scores.items()
        }
        records = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        records = [old for old in records if (old["table"], old["rows"]) != (name, asked.rows)]
        RESULTS.write_text(json.dumps([*records, about | {"arms": found}], indent=1) + "\n")
        for arm, values in found.items():
            print(
                f"{name} {arm:26} AUC {values['auc'][0]:.3f} +- {values['auc'][1]:.3f}  F1 {values['f1'][0]:.3f} +- {values['f1'][1]:.3f}"
            )


if __name__ == "__main__":
    main()
