"""Accompaniment: one track of unseen pieces is given, and the others are generated. How well do they fit, beside copies and real ones?

    python bench/accompany.py jsb_chorales.npz MODEL --keep soprano --option transpose=5
    python bench/accompany.py pop909.zip MODEL --keep MELODY

"nearest": the other tracks of the training example whose given track, transposed, agrees in most cells; "another": those of any training
example, transposed so that the given tracks begin alike. One thread, CPU seconds; results are added to bench/results/accompany.json.
"""

import argparse
import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from machine import machine
from sequences import chorales, note

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.judge import judge
from gansmith.kinds.music.grid import FIRST, REST, sounding, transposed
from gansmith.kinds.music.metrics.statistics import chords, divergence, nearest_shares
from gansmith.kinds.music.theory import CONSONANT
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model

RESULTS = Path(__file__).parent / "results" / "accompany.json"
Rows = np.ndarray


def relative(rows: Rows, kept: np.ndarray) -> tuple[Rows, np.ndarray]:
    """(what the kept voices sound, counted from their first pitch [N, cells]; that pitch)."""
    flat = sounding(rows[:, kept]).reshape(len(rows), -1)
    anchor = flat[np.arange(len(flat)), (flat >= FIRST).argmax(1)]
    return np.where(flat >= FIRST, flat - anchor[:, None], -1000), anchor


def borrowed(rows: Rows, source: Rows, kept: np.ndarray, chosen: np.ndarray) -> Rows:
    """Rows whose other voices are those of chosen rows of the source, transposed so that the kept ones begin alike."""
    _, anchor = relative(rows, kept)
    _, theirs = relative(source, kept)
    found = rows.copy()
    for place, other in enumerate(chosen):
        moved = transposed(source[other], int(anchor[place] - theirs[other]))
        found[place, ~kept] = np.where(moved == 1, 1, np.where(moved >= FIRST, moved, REST))[~kept]
    return found


def with_given(rows: Rows, kept: np.ndarray) -> float:
    """The share of pairs of a given and another voice that sound together and are consonant."""
    pitch = sounding(rows)
    good = pairs = 0
    for first in np.flatnonzero(kept):
        for second in np.flatnonzero(~kept):
            both = (pitch[:, first] > REST) & (pitch[:, second] > REST)
            apart = np.abs(pitch[:, first] - pitch[:, second])[both] % 12
            good, pairs = good + int(np.isin(apart, CONSONANT).sum()), pairs + len(apart)
    return good / max(1, pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--keep", required=True, help="the track that is given")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--option", nargs="*", default=[], metavar="NAME=JSON")
    arguments = parser.parse_args()
    options = {name: json.loads(value) for name, _, value in (each.partition("=") for each in arguments.option)}
    given: Any = chorales(arguments.data) if arguments.data.suffix == ".npz" else arguments.data
    train, held_out = open_dataset(given, **options).split(0.2)
    model = Model.load(arguments.model)
    spec: Any = train.codec.spec
    names: Any = train.codec.names  # pyright: ignore[reportAttributeAccessIssue]
    kept = np.array([track == arguments.keep for track, voices in zip(names, spec.voices, strict=True) for _ in range(voices)])
    rows = held_out.packed(choose(len(held_out), arguments.count, 0))["music"].astype(np.int64)
    rows = rows[(rows[:, kept] >= FIRST).any((1, 2))]
    known = train.packed(slice(None))["music"].astype(np.int64)
    known = known[(known[:, kept] >= FIRST).any((1, 2))]
    rng = np.random.default_rng(0)
    mine, theirs = relative(rows, kept)[0], relative(known, kept)[0]
    nearest = np.array([int((theirs == row).mean(1).argmax()) for row in mine])
    mask = torch.from_numpy(np.broadcast_to(kept[:, None], rows.shape[1:]).copy()).float().expand(len(rows), -1, -1)
    before = time.process_time()
    asked = {"given": torch.from_numpy(rows), "mask": mask}
    made = model.gan.generate(len(rows), asked, rng=torch.Generator().manual_seed(0), truncation=arguments.temperature)["music"]
    seconds = time.process_time() - before
    sides = {
        "model": made.numpy().astype(np.int64),
        "nearest": borrowed(rows, known, kept, nearest),
        "another": borrowed(rows, known, kept, rng.integers(0, len(known), len(rows))),
        "the pieces themselves": rows,
    }
    all_chords = sum(chords(known[choose(len(known), 2000, 1)], spec.bar), Counter())
    scores = {}
    for name, side in sides.items():
        fake = Dataset.of({"music": torch.from_numpy(side.clip(0, spec.vocabulary - 1))}, train.codec, name)
        told = judge(fake, train, held_out, metrics=["music_c2st", "consonance"], samples=len(rows)).scores
        scores[name] = {
            "given_kept": float((sounding(side)[:, kept] == sounding(rows)[:, kept]).mean()),
            "consonance_with_given": round(with_given(side, kept), 4),
            "chord_distance": round(divergence(sum(chords(side, spec.bar), Counter()), all_chords), 4),
            "copied": round(float(nearest_shares(side, known[choose(len(known), 4000, 0)]).mean()), 4),
            **{score.name.partition("[")[0]: round(score.value, 4) for score in told},
        }
    note(
        {
            "data": train.name,
            "model": arguments.model.name,
            "given": arguments.keep,
            "temperature": arguments.temperature,
            "count": len(rows),
            "cpu_seconds": round(seconds, 1),
            "machine": f"{machine()}, torch {torch.__version__}",
            "scores": scores,
        },
        RESULTS,
    )


if __name__ == "__main__":
    main()
