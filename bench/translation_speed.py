"""Rounds a second of pix2pix and CycleGAN against their authors' own code, with equal networks, batches and images, in turns.

    git clone https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix PEER
    python bench/translation_speed.py PEER --threads 2 --out bench/results/translation-speed

Both play the same recipe on the same random images; blocks of rounds alternate, so that both meet the same machine. The ratio is that of
the medians of the seconds a round over the blocks. Networks are checked to have as many parameters.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from gansmith import gans
from gansmith.data.dataset import Dataset
from gansmith.data.paired import PairedCodec
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.training.allocator import kept_for_reuse
from gansmith.training.precision import choose_precision
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer

CASES: dict[str, dict[str, Any]] = {
    "pix2pix, U-Net 128, 128 pixels": {"gan": "pix2pix", "side": 128, "net": "unet_128", "options": {"halvings": 7}},
    "pix2pix, U-Net 256, 256 pixels": {"gan": "pix2pix", "side": 256, "net": "unet_256", "options": {"halvings": 8}},
    "cyclegan, 9 blocks, 64 pixels": {"gan": "cyclegan", "side": 64, "net": "resnet_9blocks", "options": {"blocks": 9}},
    "cyclegan, 9 blocks, 128 pixels": {"gan": "cyclegan", "side": 128, "net": "resnet_9blocks", "options": {"blocks": 9}},
}


def pairs(side: int, count: int = 8) -> Dataset:
    """Random images."""
    rng = np.random.default_rng(0)
    arrays = {key: rng.integers(0, 256, (count, 3, side, side), np.uint8) for key in ("a", "b")}
    own = ImageCodec(ImageSpec(shape=(3, side, side)))
    return Dataset(name="random", codec=PairedCodec.of(own, own, aligned=True), arrays=arrays, fingerprint="random")


def ours(case: dict[str, Any], width: int, precision: str = "float32") -> tuple[Callable[[], None], int]:
    """What plays one round of gansmith's paper preset, and the number of parameters that move."""
    data = pairs(case["side"])
    made = gans.find(case["gan"])
    seed_everything(0)
    gan = made(made.Config(width=width, critic_width=width, **case["options"]), data.codec.spec)
    trainer = Trainer(gan, data, Settings(batch=1, samples=10**6, precision=precision))
    gan.clock.total = 10**6
    return trainer.play_round, sum(p.numel() for player in gan.players.values() for p in player.moving())


def their_model(gan: str, net: str, width: int, **options: Any) -> Any:
    """The authors' model with its defaults, of the checkout that is first on the path."""
    paired = gan == "pix2pix"
    usual = {
        "isTrain": True,
        "device": torch.device("cpu"),
        "gpu_ids": [],
        "checkpoints_dir": "checkpoints",
        "name": "peer",
        "preprocess": "none",
        "input_nc": 3,
        "output_nc": 3,
        "ngf": width,
        "ndf": width,
        "netG": net,
        "netD": "basic",
        "n_layers_D": 3,
        "norm": "batch" if paired else "instance",
        "no_dropout": not paired,
        "init_type": "normal",
        "init_gain": 0.02,
        "gan_mode": "vanilla" if paired else "lsgan",
        "lr": 2e-4,
        "beta1": 0.5,
        "lambda_L1": 100.0,
        "lambda_A": 10.0,
        "lambda_B": 10.0,
        "lambda_identity": 0.5,
        "pool_size": 0 if paired else 50,
        "direction": "AtoB",
    }
    if paired:
        from models.pix2pix_model import Pix2PixModel as Peer  # pyright: ignore[reportMissingImports], the checkout's
    else:
        from models.cycle_gan_model import CycleGANModel as Peer  # pyright: ignore[reportMissingImports], the checkout's
    return Peer(SimpleNamespace(**usual | options))


def theirs(case: dict[str, Any], width: int) -> tuple[Callable[[], None], int]:
    """What plays one round of the authors' code with its defaults, and the number of parameters that move."""
    torch.manual_seed(0)
    model = their_model(case["gan"], case["net"], width)
    data, place = pairs(case["side"]), 0

    def play() -> None:
        nonlocal place
        batch = data.batch(slice(place % len(data), place % len(data) + 1))
        place += 1
        model.set_input({"A": batch["a"], "B": batch["b"], "A_paths": "", "B_paths": ""})
        model.optimize_parameters()

    return play, sum(p.numel() for made in model.optimizers for group in made.param_groups for p in group["params"])


def block(play: Callable[[], None], rounds: int, keeps: bool) -> tuple[float, float]:
    """(seconds, CPU seconds) a round, after one that is not counted; `keeps`: with memory kept for reuse, as `Trainer.train` has it."""
    with kept_for_reuse() if keeps else nullcontext():
        play()
        wall, spent = time.perf_counter(), time.process_time()
        for _ in range(rounds):
            play()
    return (time.perf_counter() - wall) / rounds, (time.process_time() - spent) / rounds


def compared(case: dict[str, Any], width: int, blocks: int, rounds: int) -> dict[str, Any]:
    """Both in turns, after a block each that is not counted; ours in float32 and, where the hardware computes in it, in bfloat16, which
    is what `gansmith train` then takes by itself."""
    players = {"theirs": theirs(case, width), "float32": ours(case, width)}
    if choose_precision("auto", "cpu", pairs(8).codec.spec) == "bfloat16":
        players["bfloat16"] = ours(case, width, "bfloat16")
    parameters = {name: count for name, (_, count) in players.items()}
    assert len(set(parameters.values())) == 1, parameters
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in players}
    for turn in range(blocks + 1):
        for name, (play, _) in players.items():
            seconds = block(play, rounds, keeps=name != "theirs")
            if turn:
                found[name].append(seconds)
    wall, cpu = ({name: median(pair[place] for pair in pairs) for name, pairs in found.items()} for place in (0, 1))
    return {
        "parameters": parameters["theirs"],
        "seconds_a_round": {name: round(value, 4) for name, value in wall.items()},
        "cpu_seconds_a_round": {name: round(value, 4) for name, value in cpu.items()},
        "times_as_fast": {name: round(wall["theirs"] / value, 3) for name, value in wall.items()},
        "times_as_fast_by_block": {
            name: sorted(round(b[0] / a[0], 3) for a, b in zip(own, found["theirs"], strict=True)) for name, own in found.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", type=Path, help="a checkout of junyanz/pytorch-CycleGAN-and-pix2pix")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", default=list(CASES), help="parts of the names of cases")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sys.path.insert(0, str(options.peer))
    torch.set_num_threads(options.threads)
    results: dict[str, Any] = {"threads": options.threads, "width": options.width, "torch": torch.__version__}
    for name, case in CASES.items():
        if any(part in name for part in options.cases):
            results[name] = compared(case, options.width, options.blocks, options.rounds)
            print(name, results[name], flush=True)
            if options.out:
                options.out.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
