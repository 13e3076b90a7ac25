"""Optimisation of molecules: the model's agent beside best-of-N of the same model, a graph genetic algorithm, and the training set.

    python bench/optimise.py RUN molecules.csv --maximise qed --calls 5000
    python bench/optimise.py RUN molecules.csv --like "CC(=O)Nc1ccc(O)cc1" --calls 5000 --seeds 0 1 2

The genetic algorithm is that of Jensen (2019, "A graph-based genetic algorithm ..."), written anew: crossover of parts that one cut of a
bond outside of rings leaves, and mutations of atoms and bonds; it begins with the training set. Every different molecule counts as a
call. Results are added to bench/results/optimise.json.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rdkit import Chem, RDLogger

from gansmith.kinds.molecules.build import smiles_of
from gansmith.kinds.molecules.chemistry import canonical
from gansmith.kinds.molecules.optimisation.decorate import side_chains
from gansmith.kinds.molecules.optimisation.goals import Drug, Goal, MoleculeObjective, goal_named
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.tasks.optimisation import Found, Settings, described, optimise

RESULTS = Path(__file__).parent / "results" / "optimise.json"
POPULATION, OFFSPRING, MUTATED, LARGEST = 120, 70, 0.1, 50
"""Of the genetic algorithm, as in PMO (Gao et al. 2022), with a tenth of the mutations of small molecules; heavy atoms at most."""
ELEMENTS = (6, 7, 8, 9, 16, 17)


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
    """A graph genetic algorithm that begins with random molecules of `start`."""
    rng, found = np.random.default_rng(seed), Found(calls=calls)
    asked(found, objective, [start[place] for place in rng.permutation(len(start))[:POPULATION]])
    while len(found.names) < calls:
        parents = found.best(POPULATION)
        weights = np.array([score + 1e-9 for _, score in parents])
        children: list[str] = []
        for _ in range(20 * OFFSPRING):
            if len(children) >= OFFSPRING:
                break
            a, b = (parents[place][0] for place in rng.choice(len(parents), 2, p=weights / weights.sum()))
            child = crossed(a, b, rng)
            if child is not None and rng.random() < MUTATED:
                child = mutated(child, rng)
            if child is not None:
                children.append(child)
        before = len(found.names)
        asked(found, objective, children)
        if len(found.names) == before:  # all known: mutations alone go on
            asked(found, objective, [each for name, _ in parents if (each := mutated(name, rng)) is not None])
    return found


def crossed(a: str, b: str, rng: np.random.Generator) -> str | None:
    """A part of one molecule joined to a part of another."""
    first, second = side_chains(a), side_chains(b)
    if not first or not second:
        return None
    joined = Chem.RWMol(Chem.CombineMols(first[rng.integers(len(first))], second[rng.integers(len(second))]))
    marks = [atom.GetIdx() for atom in joined.GetAtoms() if atom.GetAtomicNum() == 0]
    ends = [joined.GetAtomWithIdx(mark).GetNeighbors()[0].GetIdx() for mark in marks]
    joined.AddBond(ends[0], ends[1], Chem.BondType.SINGLE)
    for mark in sorted(marks, reverse=True):
        joined.RemoveAtom(mark)
    return sane(joined)


def mutated(smiles: str, rng: np.random.Generator) -> str | None:
    """A molecule with an atom appended, changed or deleted, or a bond changed, added or deleted."""
    made = Chem.RWMol(Chem.MolFromSmiles(smiles))
    Chem.Kekulize(made, clearAromaticFlags=True)
    place, way = int(rng.integers(made.GetNumAtoms())), int(rng.integers(6))
    try:
        if way == 0:
            made.AddBond(place, made.AddAtom(Chem.Atom(int(rng.choice(ELEMENTS)))), Chem.BondType.SINGLE)
        elif way == 1:
            made.GetAtomWithIdx(place).SetAtomicNum(int(rng.choice(ELEMENTS)))
        elif way == 2:
            if made.GetAtomWithIdx(place).GetDegree() != 1:
                return None
            made.RemoveAtom(place)
        elif way == 3:
            bond = made.GetBondWithIdx(int(rng.integers(max(1, made.GetNumBonds()))))
            bond.SetBondType((Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)[int(rng.integers(3))])
        elif way == 4:
            other = int(rng.integers(made.GetNumAtoms()))
            if len(Chem.GetShortestPath(made, place, other)) not in (5, 6):
                return None
            made.AddBond(place, other, Chem.BondType.SINGLE)
        else:
            bonds = [bond for bond in made.GetBonds() if bond.IsInRing()]
            bond = bonds[int(rng.integers(len(bonds)))] if bonds else None
            if bond is None:
                return None
            made.RemoveBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    except (ValueError, RuntimeError):
        return None
    return sane(made)


def sane(molecule: Any) -> str | None:
    """Canonical SMILES of a molecule with allowed valences, in one piece and of no more than LARGEST atoms."""
    try:
        Chem.SanitizeMol(molecule)
    except (ValueError, RuntimeError):
        return None
    found = canonical(Chem.MolToSmiles(molecule))
    return found if found and "." not in found and molecule.GetNumHeavyAtoms() <= LARGEST else None


def measured(
    model: Model, train: list[str], goals: list[Goal], arguments: argparse.Namespace, seed: int
) -> Iterator[dict[str, Any]]:
    """A line for each way."""
    made = lambda: MoleculeObjective(model.codec, goals)  # noqa: E731
    ways = {
        "agent": lambda: optimise(model.gan, made(), Settings(calls=arguments.calls, seed=seed, **arguments.setting)),
        "agent without critic": lambda: optimise(
            model.gan, made(), Settings(calls=arguments.calls, seed=seed, **{**arguments.setting, "critic": 0.0})
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
    RDLogger.DisableLog("rdApp.*")
    model = Model.load(arguments.run)
    train = smiles_of(open_dataset(arguments.data, kind="molecules"))
    goals = [goal_named(each, "--maximise", 1, train[:256]) for each in arguments.maximise]
    goals += [Drug(arguments.like).goal(None)] if arguments.like else []
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
        "machine": f"{platform.machine()}",
        "lines": lines,
    }
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    RESULTS.write_text(json.dumps([*known, facts], indent=1) + "\n", encoding="utf-8")
    print(json.dumps(lines[0]))


if __name__ == "__main__":
    main()
