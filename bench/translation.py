"""How near pix2pix comes to held-out partners after the same CPU seconds: our recipe, the paper's, and what needs no learning.

    python bench/translation.py PAIRS/ --resolution 64 --seconds 200 --out bench/results/translation

With `--peer CHECKOUT` (of junyanz/pytorch-CycleGAN-and-pix2pix) its own code plays too: its generator for 128 pixels (a residual one below
that), its defaults, its schedule stretched to the seconds, and as it tests: with dropout, and batch norm of the one image.

PAIRS is a folder that `gansmith train --kind pairs` reads, with a test split. Each recipe is given as `name=gan:preset:field=value,...`;
`paper` is the published one (U-Net of width 64, PatchGAN of width 64, batch 1, Adam 2e-4, L1 100) at the same resolution. `batch` and
`precision` ("float32" unless said otherwise, "auto" for what `gansmith train` takes) may stand among the fields. One thread.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import pad, unfold

from gansmith.augment.together import flipped_together
from gansmith.data.dataset import Dataset, Order
from gansmith.kinds.images.metrics.fidelity import each
from gansmith.kinds.images.metrics.trivial_translations import trivial
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.planning import plan as planning
from gansmith.training.allocator import kept_for_reuse
from gansmith.training.trainer import Trainer

MEASURED = ("psnr", "ssim", "l1")
FILTERED, FITTED = 7, 120
"""The side of the linear filter, and how many training pairs it is fitted to."""


def trained(train: Dataset, held_out: Dataset, gan: str, preset: str, options: dict[str, Any], seconds: float, seed: int) -> dict:
    """Plays for so many CPU seconds, evaluation apart, and measures the averaged generator on the held-out pairs."""
    settings = {"precision": "float32", **{name: value for name, value in options.items() if name in ("batch", "precision")}}
    options = {name: value for name, value in options.items() if name not in settings}
    plan = planning.plan(train, gan=gan, preset=preset, options=options, samples=10**9, seed=seed, device="cpu", **settings)
    made = plan.build(train)
    trainer = Trainer(made, train, plan.settings)
    trainer.play_round()
    began = time.process_time()
    for _ in range(3):
        trainer.play_round()
    made.clock.total = int(made.clock.samples + seconds / ((time.process_time() - began) / 3) * plan.settings.batch)
    rounds, began = 0, time.process_time()
    with kept_for_reuse():
        while time.process_time() - began < seconds:
            trainer.play_round()
            rounds += 1
            # the speed of a shared machine changes: the schedule ends when the seconds do
            spent = (time.process_time() - began) / seconds
            made.clock.total = max(made.clock.samples, int(made.clock.samples / max(spent, 0.02)))
    spent = time.process_time() - began
    model = Model(made, held_out.codec, {"gan": gan}, held_out)
    fake = Dataset.of(model.sample(len(held_out)), held_out.codec, gan)
    found = {name: round(float(values.mean()), 4) for name, values in each(fake, fake).items() if name in MEASURED}
    pace = {"rounds": rounds, "pairs": made.clock.samples, "cpu_seconds_per_round": round(spent / max(1, rounds), 4)}
    return {**found, **pace, "batch": plan.settings.batch, "parameters": planning.parameters(made)}


def linear_filter(train: Dataset, held_out: Dataset) -> Dataset:
    """Every b by the one linear filter (7 x 7 over all channels, and a constant) that least squares fit to training pairs."""
    side = FILTERED // 2
    size = train.codec.spec.source_shape[0] * FILTERED**2 + 1

    def rows(a: torch.Tensor) -> torch.Tensor:
        patches = unfold(pad(a, (side,) * 4, mode="reflect"), FILTERED).mT.double()
        return torch.cat([patches, torch.ones_like(patches[..., :1])], 2)

    squares, products = torch.zeros(size, size).double(), torch.zeros(size, train.codec.spec.shape[0]).double()
    for start in range(0, min(FITTED, len(train)), 4):
        batch = train.batch(slice(start, start + 4))
        given, made = rows(batch["a"]).flatten(0, 1), batch["b"].flatten(2).mT.flatten(0, 1).double()
        squares, products = squares + given.T @ given, products + given.T @ made
    weights = torch.linalg.solve(squares + 1e-6 * squares.diag().mean() * torch.eye(size).double(), products)
    parts = []
    for start in range(0, len(held_out), 4):
        a = held_out.batch(slice(start, start + 4))["a"]
        parts.append((rows(a) @ weights).mT.unflatten(2, a.shape[2:]).float().clamp(-1, 1))
    return Dataset.of({"b": torch.cat(parts), "a": held_out.batch(slice(None))["a"]}, train.codec, "linear filter")


def by_peer(train: Dataset, held_out: Dataset, seconds: float, seed: int) -> dict:
    """The authors' code for so many CPU seconds, and how near it comes."""
    from translation_speed import their_model

    torch.manual_seed(seed)
    net = "unet_128" if min(train.codec.spec.shape[1:]) >= 128 else "resnet_6blocks"
    model = their_model("pix2pix", net, 64)
    order, rounds, began = Order(len(train), seed), 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        for optimizer in model.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = 2e-4 * min(1.0, 2 * (1 - spent / seconds))
        batch = train.batch(order.take(1))
        a, b = flipped_together(batch["a"], batch["b"])
        model.set_input({"A": a, "B": b, "A_paths": "", "B_paths": ""})
        model.optimize_parameters()
        rounds += 1
    pace = {"rounds": rounds, "pairs": rounds, "cpu_seconds_per_round": round(spent / max(1, rounds), 4)}
    given = [held_out.batch(slice(i, i + 1)) for i in range(len(held_out))]
    with torch.inference_mode():
        made = torch.cat([model.netG(one["a"]) for one in given])
    target = torch.cat([one["b"] for one in given])
    fake = Dataset.of({"b": made, "a": torch.cat([one["a"] for one in given]), "target": target}, train.codec, "peer")
    found = {name: round(float(values.mean()), 4) for name, values in each(fake, fake).items() if name in MEASURED}
    return {**found, **pace, "batch": 1, "net": net}


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
    parser.add_argument("--peer", type=Path, help="a checkout of the authors' code, to play too")
    parser.add_argument("--most", type=int, help="judge so many held-out pairs at most")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["small=pix2pix:small", "paper=pix2pix:paper"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = open_dataset(options.pairs, kind="pairs", resolution=options.resolution, degrade=options.degrade)
    train, held_out = data.split(0.2)
    if options.validate:
        train, held_out = train.split(0.2)
    if options.most:
        held_out = held_out.subset(np.arange(min(options.most, len(held_out))))
    results: dict[str, Any] = {
        "pairs": len(train),
        "held_out": len(held_out),
        "seconds": options.seconds,
        "shape": list(train.codec.spec.shape),
    }
    fitted = (
        {"linear filter": linear_filter(train, held_out)}
        if train.codec.spec.source_shape[1:] == train.codec.spec.shape[1:]
        else {}
    )
    for name, made in {**trivial(train, held_out), **fitted}.items():
        results[name] = {key: round(float(values.mean()), 4) for key, values in each(made, held_out).items() if key in MEASURED}
        print(name, results[name], flush=True)
    if options.peer:
        sys.path.insert(0, str(options.peer))
        runs = [by_peer(train, held_out, options.seconds, seed) for seed in range(options.seeds)]
        results["peer"] = {"seeds": runs, **{key: round(float(np.mean([run[key] for run in runs])), 4) for key in MEASURED}}
        print("peer", results["peer"], flush=True)
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
