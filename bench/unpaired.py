"""Does CycleGAN learn a mapping that no lookup of colours knows, without pairs? On drawn domains whose true partners are known.

    python bench/unpaired.py --seconds 150 --out bench/results/unpaired [--peer CHECKOUT]

Both domains show a disc and a square on a ground. In a they are red and green on dark gray; in b the disc is yellow with dark stripes and
the square blue with a light rim, on a light ground that grows darker downwards. The training sides show different scenes; the held-out
ones are pairs, which nothing is trained on. The colour lookup knows the mean partner of every colour, learnt from pairs, which the GANs
never see. One thread; the networks of CHECKOUT (junyanz/pytorch-CycleGAN-and-pix2pix) have a quarter of its default width and 6 blocks.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from translation import trained

from gansmith.augment.together import flipped_together
from gansmith.data.dataset import Dataset, Order
from gansmith.data.paired import PairedCodec
from gansmith.data.unaligned import Unaligned
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.metrics.fidelity import each
from gansmith.kinds.images.metrics.trivial_translations import trivial
from gansmith.kinds.images.spec import ImageSpec

MEASURED = ("psnr", "ssim", "l1")


def scenes(count: int, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The same scenes [N, 3, side, side] in both domains."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    a = np.full((count, 3, side, side), 60, np.uint8)
    ground = 235 - 70 * rows / side
    b = np.broadcast_to(ground, (count, 3, side, side)).astype(np.uint8).copy()
    for i in range(count):
        for shape in rng.permutation(2):
            radius = int(rng.integers(side // 7, side // 4))
            y, x = rng.integers(radius, side - radius, 2)
            if shape == 0:
                inside = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
                stripes = inside & ((rows - y) % 6 < 2)
                a[i][:, inside] = np.array([[220], [60], [50]])
                b[i][:, inside] = np.array([[240], [200], [40]])
                b[i][:, stripes] = np.array([[120], [80], [10]])
            else:
                inside = np.maximum(abs(rows - y), abs(columns - x)) <= radius
                rim = inside & (np.maximum(abs(rows - y), abs(columns - x)) > radius - 3)
                a[i][:, inside] = np.array([[60], [190], [80]])
                b[i][:, inside] = np.array([[40], [70], [180]])
                b[i][:, rim] = np.array([[170], [200], [250]])
    return a, b


def drawn(side: int, aligned: bool, arrays: dict[str, np.ndarray], name: str) -> Dataset:
    own = ImageCodec(ImageSpec(shape=(3, side, side)))
    codec = PairedCodec.of(own, own, aligned=aligned)
    if aligned:
        return Dataset(name=name, codec=codec, arrays=arrays, fingerprint=name)
    rows = {key: np.arange(len(array)) for key, array in arrays.items()}
    return Unaligned(name=name, codec=codec, arrays=arrays, fingerprint=name, rows=rows)


def by_peer(train: Dataset, held_out: Dataset, seconds: float) -> dict[str, Any]:
    """The authors' code for so many CPU seconds; a and b are drawn apart."""
    from translation_speed import their_model

    torch.manual_seed(0)
    model = their_model("cyclegan", "resnet_6blocks", 16)
    first, second = Order(len(train), 0), Order(len(train), 1)
    rounds, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        for optimizer in model.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = 2e-4 * min(1.0, 2 * (1 - spent / seconds))
        a, b = train.batch(first.take(1))["a"], train.batch(second.take(1))["b"]
        a, b = flipped_together(a, a)[0], flipped_together(b, b)[0]
        model.set_input({"A": a, "B": b, "A_paths": "", "B_paths": ""})
        model.optimize_parameters()
        rounds += 1
    batch = held_out.batch(slice(None))
    with torch.inference_mode():
        made = torch.cat([model.netG_A(one) for one in batch["a"].split(1)])
    fake = Dataset.of({"a": batch["a"], "b": made, "target": batch["b"]}, held_out.codec, "peer")
    return {**judged(fake, fake), "rounds": rounds, "cpu_seconds_per_round": round(spent / rounds, 4)}


def judged(made: Dataset, real: Dataset) -> dict[str, float]:
    return {name: round(float(values.mean()), 4) for name, values in each(made, real).items() if name in MEASURED}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--side", type=int, default=48)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--options", default='{"identity": 0.0}', help="fields of our CycleGAN's Config, as JSON")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    a, b = scenes(800, options.side, 0)[0], scenes(800, options.side, 1)[1]
    pairs = drawn(options.side, True, dict(zip("ab", scenes(500, options.side, 2), strict=True)), "drawn pairs")
    held_out = drawn(options.side, True, dict(zip("ab", scenes(128, options.side, 3), strict=True)), "held out")
    train = drawn(options.side, False, {"a": a, "b": b}, "drawn domains")
    results: dict[str, Any] = {"seconds": options.seconds, "side": options.side, "options": json.loads(options.options)}
    for name, made in trivial(pairs, held_out).items():
        results[name] = judged(made, held_out)
        print(name, results[name], flush=True)
    runs = []
    for seed in range(options.seeds):
        runs.append(trained(train, held_out, "cyclegan", "small", json.loads(options.options), options.seconds, seed))
        print("ours", runs[-1], flush=True)
    results["ours"] = {"seeds": runs, **{key: round(float(np.mean([run[key] for run in runs])), 4) for key in MEASURED}}
    if options.peer:
        sys.path.insert(0, str(options.peer))
        results["peer"] = by_peer(train, held_out, options.seconds)
        print("peer", results["peer"], flush=True)
    if options.out:
        options.out.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
