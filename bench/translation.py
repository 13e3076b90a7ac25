"""How near pix2pix comes to held-out partners after the same CPU seconds: our recipe, the paper's, and what needs no learning.

    python bench/translation.py PAIRS/ --resolution 64 --seconds 200 --out bench/results/translation

PAIRS is a folder that `gansmith train --kind pairs` reads, with a test split. Each recipe is given as `name=preset:field=value,...`;
`paper` is the published one (U-Net of width 64, PatchGAN of width 64, batch 1, Adam 2e-4, L1 100) at the same resolution. One thread.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith import planning
from gansmith.data.dataset import Dataset
from gansmith.data.sources import open_dataset
from gansmith.metrics.fidelity import each
from gansmith.metrics.trivial_translations import trivial
from gansmith.model import Model
from gansmith.trainer import Trainer

MEASURED = ("psnr", "ssim", "l1")


def trained(train: Dataset, held_out: Dataset, gan: str, preset: str, options: dict[str, Any], seconds: float, seed: int) -> dict:
    """Plays for so many CPU seconds, evaluation apart, and measures the averaged generator on the held-out pairs."""
    plan = planning.plan(
        train, gan=gan, preset=preset, options=options, samples=10**9, seed=seed, precision="float32", device="cpu"
    )
    made = plan.build(train)
    trainer = Trainer(made, train, plan.settings)
    trainer.play_round()
    began = time.process_time()
    for _ in range(3):
        trainer.play_round()
    made.clock.total = int(made.clock.samples + seconds / ((time.process_time() - began) / 3) * plan.settings.batch)
    rounds, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        trainer.play_round()
        rounds += 1
        # the speed of a shared machine changes: the schedule ends when the seconds do
        spent = (time.process_time() - began) / seconds
        made.clock.total = max(made.clock.samples, int(made.clock.samples / max(spent, 0.02)))
    spent = time.process_time() - began
    model = Model(made, train.codec, {"gan": gan}, held_out)
    fake = Dataset.of(model.sample(len(held_out)), train.codec, gan)
    found = {name: round(float(values.mean()), 4) for name, values in each(fake, fake).items() if name in MEASURED}
    pace = {"rounds": rounds, "pairs": made.clock.samples, "cpu_seconds_per_round": round(spent / max(1, rounds), 4)}
    return {**found, **pace, "batch": plan.settings.batch, "parameters": planning.parameters(made)}


def recipe(words: str) -> tuple[str, str, str, dict[str, Any]]:
    """(name, GAN, preset, options) of name=gan:preset:field=value,..."""
    name, _, rest = words.partition("=")
    gan, preset, *fields = rest.split(":", 2)
    pairs = [field.split("=") for field in fields[0].split(",")] if fields else []
    return name, gan, preset, {key: json.loads(value) for key, value in pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--degrade")
    parser.add_argument("--seconds", type=float, default=200)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--validate", action="store_true", help="judge by a fifth of the training pairs, to choose a recipe")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["small=pix2pix:small", "paper=pix2pix:paper"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = open_dataset(options.pairs, kind="pairs", resolution=options.resolution, degrade=options.degrade)
    train, held_out = data.split(0.2)
    if options.validate:
        train, held_out = train.split(0.2)
    results: dict[str, Any] = {
        "pairs": len(train),
        "held_out": len(held_out),
        "seconds": options.seconds,
        "shape": list(train.codec.spec.shape),
    }
    for name, made in trivial(train, held_out).items():
        results[name] = {key: round(float(values.mean()), 4) for key, values in each(made, held_out).items() if key in MEASURED}
        print(name, results[name], flush=True)
    for words in options.recipes:
        name, gan, preset, fields = recipe(words)
        runs = [trained(train, held_out, gan, preset, fields, options.seconds, seed) for seed in range(options.seeds)]
        results[name] = {
            "recipe": words,
            "seeds": runs,
            **{key: round(float(np.mean([run[key] for run in runs])), 4) for key in MEASURED},
        }
        print(name, {key: results[name][key] for key in MEASURED}, runs[0]["cpu_seconds_per_round"], runs[0]["pairs"], flush=True)
        if options.out:
            options.out.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
