"""Optimisation of molecules: the model's agent beside best-of-N of the same model, a graph genetic algorithm, and the training set.

    python bench/optimise.py RUN molecules.csv --maximise qed --calls 5000
    python bench/optimise.py RUN molecules.csv --like "CC(=O)Nc1ccc(O)cc1" --calls 5000 --seeds 0 1 2

The genetic algorithm (gansmith.kinds.molecules.optimisation.breed) begins with random molecules of the training set. Every different
molecule counts as a call. Results are added to bench/results/optimise.json.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from machine import machine
from rdkit import RDLogger

from gansmith.kinds.molecules.build import smiles_of
from gansmith.kinds.molecules.codec import MoleculeCodec
from gansmith.kinds.molecules.drug import Drug
from gansmith.kinds.molecules.optimisation.breed import bred
from gansmith.kinds.molecules.optimisation.goals import Goal, MoleculeObjective, goal_named, likeness
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.tasks.optimisation import Found, Settings, described, optimise

RESULTS = Path(__file__).parent / "results" / "optimise.json"
POPULATION, OFFSPRING, LARGEST = 120, 70, 50
"""Of the genetic algorithm, as in PMO (Gao et al. 2022); heavy atoms at most."""


def asked(found: Found, objective: MoleculeObjective, names: list[str]) -> None:
    """Scores molecules that were not scored before, as long as calls are left."""
    known = set(found.names)
    new = [name for name in dict.fromkeys(names) if name not in known][: found.calls - len(found.names)]
    for name, score in zip(new, objective.scores(new), strict=True):
        found.names.append(name)
        found.scores.append(score)


def best_of_many(model: Model, objective: MoleculeObjective, calls: int, seed: int) -> Found:
    """The model's own molecules, scored until the calls are used up."""
    found = Found(calls=calls)
    for part in range(1000):
        tokens = model.sample(512, seed=1000 * seed + part)[model.codec.spec.key].numpy()
        asked(found, objective, [name for name in objective.names(tokens) if name is not None])
        if len(found.names) >= calls:
            break
    return found


def genetic(start: list[str], objective: MoleculeObjective, calls: int, seed: int) -> Found:
    """A graph genetic algorithm (Jensen 2019) that begins with random molecules of `start`."""
    rng, found = np.random.default_rng(seed), Found(calls=calls)
    asked(found, objective, [start[place] for place in rng.permutation(len(start))[:POPULATION]])
    for _ in range(10 * calls // OFFSPRING):
        asked(found, objective, bred(found.best(POPULATION), OFFSPRING, LARGEST, rng))
        if len(found.names) >= calls:
            break
    return found


def measured(
    model: Model, train: list[str], goals: list[Goal], arguments: argparse.Namespace, seed: int
) -> Iterator[dict[str, Any]]:
    """A line for each way."""
    assert isinstance(model.codec, MoleculeCodec)
    codec = model.codec

    def made() -> MoleculeObjective:
        return MoleculeObjective(codec, goals)

    ways = {
        "agent": lambda: optimise(model.gan, made(), Settings(calls=arguments.calls, seed=seed, **arguments.setting)),
        "agent without critic": lambda: optimise(
            model.gan, made(), Settings(calls=arguments.calls, seed=seed, **{**arguments.setting, "critic": 0.0})
        ),
        "agent without breeding": lambda: optimise(
            model.gan, made(), Settings(calls=arguments.calls, seed=seed, **{**arguments.setting, "bred": 0})
        ),
        "best of the model's": lambda: best_of_many(model, made(), arguments.calls, seed),
        "genetic": lambda: genetic(train, made(), arguments.calls, seed),
    }
    for name, way in ways.items():
        if arguments.ways and name not in arguments.ways:
            continue
        before = time.process_time()
        found = way()
        seconds = time.process_time() - before
        objective = made()
        diverse = found.best(100, alike=25)
        yield {
            "way": name,
            "goal": [goal.name for goal in goals],
            "seed": seed,
            "cpu_seconds": round(seconds, 1),
            **{key: round(value, 4) for key, value in described(found).items()},
            "top_100_of_different_scaffolds": round(float(np.mean([score for _, score in diverse])), 4),
            "scaffolds_of_top_100": len({objective.family(name) for name, _ in found.best(100)}),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("data")
    parser.add_argument("--maximise", nargs="*", default=[])
    parser.add_argument("--like")
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--ways", nargs="*")
    parser.add_argument("--setting", nargs="*", default=[], metavar="NAME=NUMBER")
    arguments = parser.parse_args()
    arguments.setting = {name: json.loads(value) for name, _, value in (each.partition("=") for each in arguments.setting)}
    RDLogger.DisableLog("rdApp.*")  # pyright: ignore[reportAttributeAccessIssue]
    model = Model.load(arguments.run)
    train = smiles_of(open_dataset(arguments.data, kind="molecules"))
    goals = [goal_named(each, "--maximise", 1, train[:256]) for each in arguments.maximise]
    goals += [likeness(Drug(arguments.like), None)] if arguments.like else []
    assert isinstance(model.codec, MoleculeCodec)
    of_data = sorted(MoleculeObjective(model.codec, goals).scores(train[:20_000]), reverse=True)
    lines = [
        {
            "way": "training set",
            "goal": [goal.name for goal in goals],
            "top_10": round(float(np.mean(of_data[:10])), 4),
            "top_100": round(float(np.mean(of_data[:100])), 4),
            "molecules": len(of_data),
        }
    ]
    for seed in arguments.seeds:
        for line in measured(model, train, goals, arguments, seed):
            lines.append(line)
            print(json.dumps(line), flush=True)
    facts = {
        "run": arguments.run.name,
        "data": str(Path(arguments.data).name),
        "setting": arguments.setting,
        "machine": machine(),
        "lines": lines,
    }
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    RESULTS.write_text(json.dumps([*known, facts], indent=1) + "\n", encoding="utf-8")
    print(json.dumps(lines[0]))


if __name__ == "__main__":
    main()
