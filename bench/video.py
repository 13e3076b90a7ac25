"""Videos: GANs of clips at equal CPU seconds, beside clips without a game.

    python bench/video.py shapes --gans motiongan mocogan videogan --seconds 120
    python bench/video.py clips.npz --frames 8 --resolution 32 --channels 3 --gans motiongan

Each GAN trains for so many seconds of one thread, with its usual preset, on all but a fifth of the videos; 400 of its clips are judged
by the metrics of video, beside frozen and shuffled frames, cross-fades and mean clips. Results go to bench/results/video.json.

    python bench/video.py shapes --speed

compares the CPU seconds of a round of motiongan's usual preset with those of MoCoGAN as in its paper, at the same batch, in one process.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from gansmith import gans, kinds
from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.game import GAN
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.video.baseline import cross_fades, frozen_frames, mean_clips, shuffled_frames
from gansmith.kinds.video.preview import strips
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer

RESULTS = Path(__file__).parent / "results" / "video.json"
JUDGED, TRIED = 400, 12
SIZES = ("frames", "resolution", "channels")
DURING = ("frechet", "motion_frechet", "clip_class", "recall", "motion_error", "drift_error")
CHEATS = {"frozen frame": frozen_frames, "shuffled frames": shuffled_frames, "cross-fades": cross_fades, "mean clip": mean_clips}


def trained(
    name: str,
    train: Dataset,
    seconds: float,
    seed: int,
    precision: str,
    changed: Mapping[str, Any] = MappingProxyType({}),
    visited: Callable[[GAN, float], None] | None = None,
) -> tuple[GAN, dict[str, Any]]:
    """A GAN that trained for so many CPU seconds, to which its schedules are stretched by a few rounds tried first, and facts.

    `visited` gets the GAN and the seconds spent after every tenth of them."""
    seed_everything(seed)
    made = gans.find(name)
    preset = next(own for own in made.presets.values() if own.kind in (None, "video"))
    config = made.Config(**{**preset.config, **changed})

    def trainer(samples: int) -> Trainer:
        seed_everything(seed)
        return Trainer(
            made(config, train.codec.spec), train, Settings(batch=preset.batch, samples=samples, seed=seed, precision=precision)
        )

    tried = trainer(10_000)
    tried.play_round()
    begun = time.process_time()
    for _ in range(TRIED):
        tried.play_round()
    round_seconds = (time.process_time() - begun) / TRIED
    rounds = int(seconds / round_seconds)
    real = trainer(rounds * preset.batch)
    begun = time.process_time()
    visits, aside = 1, 0.0
    while real.gan.clock.rounds < rounds and (spent := time.process_time() - begun - aside) < seconds:
        real.play_round()
        if visited is not None and spent > visits * seconds / 10:
            before = time.process_time()
            visited(real.gan, spent)
            real.gan.train()
            visits, aside = visits + 1, aside + time.process_time() - before
    spent = time.process_time() - begun - aside
    real.gan.eval()
    facts = {"rounds": real.gan.clock.rounds, "batch": preset.batch, "seconds": round(spent, 1), "precision": precision}
    return real.gan, facts


def clips_of(gan: GAN, train: Dataset, seed: int) -> Dataset:
    """JUDGED clips from noise."""
    condition = train.codec.conditions(JUDGED, torch.Generator().manual_seed(seed))
    parts = []
    with torch.inference_mode():
        for start in range(0, JUDGED, 50):
            own = {key: value[start : start + 50] for key, value in condition.items()}
            parts.append(gan.generate(50, own, rng=torch.Generator().manual_seed(seed + 1 + start)))
    batch = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    return Dataset.of(batch, train.codec, gan.name)


def speed(train: Dataset, rounds: int = 6) -> None:
    """Prints the CPU seconds of a round, in turns, as neighbours on a machine slow both down."""
    spec, batch = train.codec.spec, 16
    trainers = {}
    for name, preset in (("motiongan", "small"), ("mocogan", "small"), ("mocogan", "paper")):
        made = gans.find(name)
        settings = Settings(batch=batch, samples=10_000, seed=0, precision="bfloat16" if name == "motiongan" else "float32")
        trainers[f"{name} {preset}"] = Trainer(made(made.Config(**made.presets[preset].config), spec), train, settings)
    seconds = dict.fromkeys(trainers, 0.0)
    for turn in range(rounds + 1):
        for name, trainer in trainers.items():
            begun = time.process_time()
            for _ in range(6 if "motiongan" in name else 1):  # penalties come every third, other things every sixth round
                trainer.play_round()
            if turn:  # the first one warms up
                seconds[name] += (time.process_time() - begun) / (6 if "motiongan" in name else 1) / rounds
    own = seconds["motiongan small"]
    print({name: f"{took:.3f} s, {took / own:.1f} x motiongan's" for name, took in seconds.items()})


def add_data(parser: argparse.ArgumentParser) -> None:
    """What says which clips are opened, and which of them are held out."""
    parser.add_argument("data")
    parser.add_argument("--held-out", help="data that others are measured on; else a fifth of the videos")
    for name in SIZES:
        parser.add_argument(f"--{name}", type=int)


def opened(asked: argparse.Namespace) -> tuple[str, Dataset, Dataset]:
    """The name of the data, the clips to learn from and those held out."""
    options = {name: getattr(asked, name) for name in SIZES if getattr(asked, name) is not None}
    data = open_dataset(asked.data, kind="video", **options)
    if asked.held_out:
        return data.name, data, open_dataset(asked.held_out, kind="video", **options)
    return data.name, *data.split(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data(parser)
    parser.add_argument("--gans", nargs="*", default=["motiongan", "mocogan", "videogan"])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--pictures", type=Path, help="a folder for film strips of what was made")
    parser.add_argument("--speed", action="store_true", help="only compare the seconds of a round")
    parser.add_argument("--set", nargs="*", default=[], help="options of the GANs, as width=24")
    parser.add_argument("--called", default="", help="what such settings are called in the results")
    parser.add_argument("--curve", action="store_true", help="print a few scores after every tenth of the seconds")
    parser.add_argument("--cheats", default=True, action=argparse.BooleanOptionalAction)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data, train, held_out = opened(asked)
    if asked.speed:
        speed(train)
        return
    cheats = CHEATS if asked.cheats else {}
    made = {name: (sampler(train, JUDGED, asked.seed + 1), {}) for name, sampler in cheats.items()}
    changed = {name: json.loads(value) for name, _, value in (own.partition("=") for own in asked.set)}

    def visited(gan: GAN, spent: float) -> None:
        gan.eval()
        judged = judge(clips_of(gan, train, asked.seed), train, held_out, metrics=list(DURING), cache=cache_folder())
        print(round(spent), gan.clock.rounds, {score.name: round(score.value, 3) for score in judged.scores}, flush=True)

    for name in asked.gans:
        curve = visited if asked.curve else None
        gan, facts = trained(name, train, asked.seconds, asked.seed, asked.precision, changed, curve)
        made[f"{name} {asked.called}".strip()] = (clips_of(gan, train, asked.seed), {**facts, **changed})
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, (clips, facts) in made.items():
        judged = judge(clips, train, held_out, metrics=list(kinds.find("video").metrics), cache=cache_folder())
        scores = {score.name: [round(score.value, 4), round(score.low, 4), round(score.high, 4)] for score in judged.scores}
        real = {score.name: None if score.ceiling is None else round(score.ceiling, 4) for score in judged.scores}
        found[f"{data} {name} seed {asked.seed}"] = {**facts, "scores": scores, "real": real}
        print(name, facts, {key: value[0] for key, value in scores.items()}, flush=True)
        if asked.pictures:
            asked.pictures.mkdir(parents=True, exist_ok=True)
            strips(clips.codec.decode(clips.batch(slice(0, 8)))).save(asked.pictures / f"{data}-{name.replace(' ', '-')}.png")
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
