"""Clips made of clips at equal CPU seconds: pictures that move as a film moves (firstorder), and films translated in pairs (vid2vid).

    python bench/films.py shapes --task motion --gan firstorder --seconds 200 --out moved
    python bench/films.py outlines --gan vid2vid --seconds 200 --out translated
    python bench/films.py outlines --gan vid2vid --set past=0 --seconds 200 --out alone       # the same generator, frame by frame

A GAN trains for so many seconds of one thread with its usual preset on all but a fifth of the videos; what it makes of those is judged by
the metrics of pairs. OUT gets the model, film strips and scores.json; --judge judges a model that is there already.
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

from gansmith import gans, kinds
from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.judge import judge, usual_metrics
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer

TRIED = 6
SHOWN = 5
JUDGED = 120
"""Held-out clips."""


def trained(name: str, train: Dataset, seconds: float, seed: int, changed: dict[str, Any]) -> tuple[Model, dict[str, Any]]:
    """A model of a GAN that trained for so many CPU seconds, to which its schedules are stretched by a few rounds before, and facts."""
    made = gans.find(name)
    preset = next(own for own in made.presets.values() if own.kind in (None, "video"))
    config = made.Config(**{**preset.config, **changed})

    def trainer(samples: int) -> Trainer:
        seed_everything(seed)
        settings = Settings(batch=preset.batch, samples=samples, seed=seed, precision="float32")
        return Trainer(made(config, train.codec.spec), train, settings)

    tried = trainer(10_000)
    tried.play_round()
    begun = time.process_time()
    for _ in range(TRIED):
        tried.play_round()
    rounds = int(seconds / ((time.process_time() - begun) / TRIED))
    real = trainer(rounds * preset.batch)
    begun = time.process_time()
    while real.gan.clock.rounds < rounds and time.process_time() - begun < seconds:
        real.play_round()
        if real.gan.clock.rounds % 200 == 0:
            print(real.gan.clock.rounds, {term: round(value, 3) for term, value in real.term_means.read().items()}, flush=True)
            real.term_means.clear()
    facts = {
        "rounds": real.gan.clock.rounds,
        "batch": preset.batch,
        "seconds": round(time.process_time() - begun, 1),
        "seed": seed,
    }
    real.gan.eval()
    return Model(real.gan, train.codec, {"gan": name, "samples": real.gan.clock.samples}), {"gan": name, **changed, **facts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--task")
    parser.add_argument("--frames", type=int)
    parser.add_argument("--resolution")
    parser.add_argument("--gan", required=True)
    parser.add_argument("--set", nargs="*", default=[], help="options of the GAN, as past=0")
    parser.add_argument("--seconds", type=float, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--judge", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    opening = {name: getattr(given, name) for name in ("task", "frames", "resolution")}
    data = open_dataset(given.data, kind="video", **{name: value for name, value in opening.items() if value is not None})
    train, held_out = kinds.find("video").split(data, 0.2)
    if given.judge:
        model, facts = Model.load(given.out), json.loads((given.out / "facts.json").read_text())
    else:
        changed = {name: json.loads(value) for name, _, value in (own.partition("=") for own in given.set)}
        model, facts = trained(given.gan, train, given.seconds, given.seed, changed)
        given.out.mkdir(parents=True, exist_ok=True)
        model.save(given.out)
        (given.out / "facts.json").write_text(json.dumps(facts))
    held_out = held_out.subset(choose(len(held_out), JUDGED, given.seed))
    model.inputs = held_out
    fake = Dataset.of(model.sample(len(held_out)), model.codec, given.gan)
    places = np.linspace(0, len(held_out) - 1, SHOWN).astype(int)
    model.codec.preview(model.codec.decode(fake.batch(places))).save(given.out / "strips.png")
    found = judge(fake, train, held_out, metrics=usual_metrics(train), model=model, cache=cache_folder(None))
    scores = {score.name: [score.value, score.baseline, score.ceiling, score.note] for score in found.scores}
    (given.out / "scores.json").write_text(json.dumps({"facts": facts, "scores": scores}, indent=1) + "\n")
    for name, (value, baseline, ceiling, note) in scores.items():
        print(f"{name:28} {value:.4g}  baseline {baseline}  ceiling {ceiling}  {note}")
    for name, reason in found.skipped.items():
        print(f"{name}: {reason}")


if __name__ == "__main__":
    main()
