"""Music, molecules and text: what a GAN reaches beside the baseline, the rival, and real held-out examples.

    python bench/sequences.py jsb_chorales.npz --gan musegan --samples 150000 --option transpose=5
    python bench/sequences.py qm9.csv --gan sequencegan --samples 200000 --count 1500 --metrics fcd molecule_c2st --where "" critic=4
    python bench/sequences.py captions.txt --gan sequencegan --samples 100000 --config adversarial=false

An .npz holds chorales as in JSB-Chorales-dataset: `pitches` [steps, 4] per sixteenth, -1 for rests, and `offsets` of the pieces. One
thread, CPU seconds; results are added to bench/results/sequences.json.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from machine import machine

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.game import GAN
from gansmith.kinds.music.piece import Note, Piece, Track
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.planning import plan as planning
from gansmith.training.trainer import Guest, Trainer

RESULTS = Path(__file__).parent / "results" / "sequences.json"
VOICES = ("soprano", "alto", "tenor", "bass")


def chorales(path: Path) -> list[Piece]:
    """Pieces whose equal pitches in a row are one note: the source has no onsets."""
    with np.load(path) as found:
        pitches, offsets = found["pitches"], found["offsets"]
    return [_piece(pitches[start:end]) for start, end in zip(offsets, offsets[1:], strict=False)]


def _piece(columns: np.ndarray) -> Piece:
    tracks = []
    for name, voice in zip(VOICES, columns.T.tolist(), strict=True):
        notes, start = [], 0
        for step in range(1, len(voice) + 1):
            if step == len(voice) or voice[step] != voice[start]:
                if voice[start] >= 0:
                    notes.append(Note(start, step - start, voice[start]))
                start = step
        tracks.append(Track(name, tuple(notes)))
    return Piece(tuple(tracks), len(columns))


def trained(train: Dataset, arguments: argparse.Namespace, guest: Guest | None = None) -> tuple[GAN, dict[str, Any]]:
    """A GAN that learned as the arguments say, on one thread, and facts of that."""
    config = {name: json.loads(value) for name, _, value in (each.partition("=") for each in arguments.config)}
    plan = planning.plan(
        train,
        gan=arguments.gan,
        options=config,
        samples=arguments.samples,
        seed=arguments.seed,
        device="cpu",
        precision=arguments.precision,
    )
    made, before = plan.build(train), time.process_time()
    Trainer(made, train, plan.settings, guest).train()
    return made.eval(), {
        "gan": arguments.gan,
        "config": config,
        "samples": arguments.samples,
        "batch": plan.settings.batch,
        "seed": arguments.seed,
        "cpu_seconds": round(time.process_time() - before, 1),
        "machine": f"{machine()}, torch {torch.__version__}",
    }


def note(found: dict[str, Any], results: Path) -> None:
    """Adds a record to those in a file, and prints it."""
    known = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    results.write_text(json.dumps([*known, found], indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def measured(train: Dataset, held_out: Dataset, arguments: argparse.Namespace) -> dict[str, Any]:
    """Trains, generates and judges."""
    made, facts = trained(train, arguments)
    model = Model(made, train.codec, {"gan": arguments.gan})
    if arguments.save is not None:
        model.save(arguments.save)
    metrics = arguments.metrics
    scores, sampling = {}, {}
    for asked in arguments.where:
        where = dict(each.split("=") for each in asked.split(",") if each)
        truncation = float(where.pop("temperature", 1.0))  # which every GAN of texts takes
        before = time.process_time()
        sampled = model.sample(arguments.count, seed=arguments.seed, truncation=truncation, **where)
        fake = Dataset.of(sampled, train.codec, "generated")
        sampling[asked] = round(time.process_time() - before, 2)
        found = judge(fake, train, held_out, metrics=metrics, samples=arguments.count, overview=False, model=model)
        scores[asked] = {
            score.name: {name: getattr(score, name) for name in ("value", "low", "high", "baseline", "rival", "ceiling")}
            for score in found.scores
        }
    return {
        "data": train.name,
        **facts,
        "options": arguments.option,
        "count": arguments.count,
        "sampling_seconds": sampling,
        "gauges": {name: round(float(value), 4) for name, value in made.gauges().items()},
        "scores": scores,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--gan", required=True)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000, help="generated examples")
    parser.add_argument("--where", nargs="*", default=[""], help="conditions, each judged: critic=4,temperature=0.9")
    parser.add_argument("--metrics", nargs="*")
    parser.add_argument("--config", nargs="*", default=[], metavar="FIELD=JSON")
    parser.add_argument("--option", nargs="*", default=[], metavar="NAME=JSON", help="options of the data")
    parser.add_argument("--kind")
    parser.add_argument("--save", type=Path, help="a folder for the model")
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()
    options = {name: json.loads(value) for name, _, value in (each.partition("=") for each in arguments.option)}
    given: Any = chorales(arguments.data) if arguments.data.suffix == ".npz" else arguments.data
    data = open_dataset(given, kind=arguments.kind, **options)
    train, held_out = data.split(0.2)
    note(measured(train, held_out, arguments), RESULTS)


if __name__ == "__main__":
    main()
