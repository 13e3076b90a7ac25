"""Single flipped bits in every file that gansmith reads again: gansmith notices each, or its result is the same."""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from faults_kills import BUDGET, TRAIN, work

from gansmith.data.cache import cache_folder
from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.report.records import read_records
from gansmith.runs.folder import RunFolder
from gansmith.training.checkpoint import checkpoints, load_newest

NOTICED, HARMLESS = "noticed", "harmless"


def generated(folder: Path) -> Any:
    return np.stack(Model.load(folder / "run").generate(4, seed=1)).tobytes()


def resumed(folder: Path) -> Any:
    """The state that a run goes on from; a damaged one is set aside, which is undone."""
    place, said = folder / "run" / "checkpoints", []
    state = load_newest(place, said.append)
    for path in place.glob("*.damaged"):
        path.replace(path.with_suffix(".safetensors"))
    if said:
        raise UserError(said[0])
    return {name: tensor.numpy().tobytes() for name, tensor in state[0].items()}, state[1]


def configured(folder: Path) -> Any:
    """What is known of a run; names that nobody knows have no effect."""
    facts = RunFolder(folder / "run").facts
    return {name: facts[name] for name in KNOWN if name in facts}


def opened(folder: Path) -> Any:
    """The data of the cache, which are made again if they are damaged."""
    data = open_dataset(folder / "pairs" / "a")
    return data.fingerprint, {name: np.asarray(array).tobytes() for name, array in data.arrays.items()}


def reported(part: str) -> Callable[[Path], Any]:
    def read(folder: Path) -> Any:
        records = read_records(folder / "run")
        if records.missing:
            raise UserError(records.missing[0])
        found = getattr(records, part)
        return [{name: own for name, own in line.items() if name in LINES} for line in found] if part != "judgement" else found

    return read


KNOWN = ("name", "gan", "preset", "config", "settings", "mirror", "data", "environment", "held_out", "examination", "parameters")
LINES = (
    "samples",
    "seconds",
    "terms",
    "gradient_norms",
    "name",
    "value",
    "low",
    "high",
    "samples_seen",
    "asked",
    "held_out",
    "seed",
)


def flip(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0] ^ (1 << bit % 8)
        file.seek(bit // 8)
        file.write(bytes([byte]))


def run(home: Path, flips: int, seed: int) -> dict[str, Any]:
    folder, rng = work(home, "flipped", [*TRAIN, *BUDGET]), random.Random(seed)
    opened(folder)
    (entry,) = (path for path in (cache_folder() / "datasets").iterdir() if path.name.startswith("a-"))
    files: dict[str, tuple[Path, Callable[[Path], Any]]] = {
        "model.safetensors": (folder / "run/model/model.safetensors", generated),
        "model.json": (folder / "run/model/model.json", generated),
        "a checkpoint": (checkpoints(folder / "run/checkpoints")[-1], resumed),
        "run.json": (folder / "run/run.json", configured),
        "judgement.json": (folder / "run/judgement.json", reported("judgement")),
        "evaluations.jsonl": (folder / "run/evaluations.jsonl", reported("evaluations")),
        "log.jsonl": (folder / "run/log.jsonl", reported("ticks")),
        "the cache: its arrays": (entry / "image.npy", opened),
        "the cache: its facts": (entry / "facts.json", opened),
    }
    found: dict[str, Counter] = {name: Counter() for name in files}
    faults, began = [], time.monotonic()
    for turn in range(flips):
        name = list(files)[turn % len(files)]
        path, use = files[name]
        whole, expected = path.read_bytes(), use(folder)
        bit = rng.randrange(8 * len(whole))
        flip(path, bit)
        damaged = path.read_bytes()
        try:
            came = use(folder)
            outcome = HARMLESS if came == expected else "OTHER OUTPUT"
            if "cache" in name and outcome == HARMLESS and path.read_bytes() != damaged:
                outcome = NOTICED  # it was made again
        except UserError as error:
            outcome = NOTICED if "\n" not in str(error) else "NO SENTENCE"
        except Exception as error:
            outcome = f"TRACEBACK {error!r}"
        found[name][outcome] += 1
        if outcome not in (NOTICED, HARMLESS):
            faults.append(f"{name}, bit {bit} of {8 * len(whole)}: {outcome}")
            print(faults[-1], flush=True)
        path.write_bytes(whole)
    return {
        "flips": flips,
        "seconds": round(time.monotonic() - began, 1),
        "files": {name: {"bytes": files[name][0].stat().st_size, **counts} for name, counts in found.items()},
        "faults": faults,
    }
