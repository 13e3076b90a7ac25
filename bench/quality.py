"""Quality for each CPU second: what `gansmith train DATA --minutes M` reaches, beside the DCGAN of the tutorials.

    python bench/quality.py textbook fashion_mnist_train.npz --cpu-seconds 120
    python bench/quality.py ours fashion_mnist_train.npz --cpu-seconds 120 --seeds 0 1 2

One thread; reading the data is part of the time, judging is not. The textbook is the DCGAN of the TensorFlow and PyTorch
tutorials in float32 as they write it: a dense layer and 5x5 transposed convolutions of 256, 128 and 64 channels with batch norm, a
critic of 64 and 128 channels with dropout, the non-saturating loss, Adam with 2e-4, batches of 64. Both are judged by the same
classifier of the data, 10,000 generated examples. The results go to bench/results/quality.json and .md.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from synthesis import opened
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu
from torch.utils.data import DataLoader, TensorDataset

import gansmith
from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.evaluation.judgement import Judgement
from gansmith.kinds.opening import open_dataset
from gansmith.planning.plan import cpu_model
from gansmith.runs import data as opening
from gansmith.runs.run import Run

RESULTS = Path(__file__).parent / "results"
METRICS = ("frechet", "precision", "recall", "density", "coverage")
JUDGED = 10_000


class TextbookGenerator(nn.Module):
    """The tutorial's generator: 100 numbers, 7x7 (or 8x8) of 256 channels, three transposed convolutions."""

    def __init__(self, channels: int, lowest: int) -> None:
        super().__init__()
        self.lowest = lowest
        self.first = nn.Linear(100, lowest * lowest * 256, bias=False)
        self.first_norm = nn.BatchNorm1d(lowest * lowest * 256)
        self.second = nn.ConvTranspose2d(256, 128, 5, padding=2, bias=False)
        self.second_norm = nn.BatchNorm2d(128)
        self.third = nn.ConvTranspose2d(128, 64, 5, stride=2, padding=2, output_padding=1, bias=False)
        self.third_norm = nn.BatchNorm2d(64)
        self.last = nn.ConvTranspose2d(64, channels, 5, stride=2, padding=2, output_padding=1, bias=False)

    def forward(self, noise: Tensor) -> Tensor:
        x = leaky_relu(self.first_norm(self.first(noise)), 0.3).view(-1, 256, self.lowest, self.lowest)
        x = leaky_relu(self.second_norm(self.second(x)), 0.3)
        x = leaky_relu(self.third_norm(self.third(x)), 0.3)
        return self.last(x).tanh()


def textbook_critic(channels: int, lowest: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, 64, 5, stride=2, padding=2),
        nn.LeakyReLU(0.3),
        nn.Dropout(0.3),
        nn.Conv2d(64, 128, 5, stride=2, padding=2),
        nn.LeakyReLU(0.3),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(128 * lowest * lowest, 1),
    )


def textbook(data: Dataset, seconds: float, seed: int) -> tuple[Tensor, int]:
    """The tutorial's loop until the time is over: its generated images and how many it has seen."""
    began = time.process_time()
    torch.manual_seed(seed)
    images = data.batch(slice(None))["image"]
    channels, side, _ = images.shape[1:]
    loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True, drop_last=True)
    generator, critic = TextbookGenerator(channels, side // 4), textbook_critic(channels, side // 4)
    by_generator = torch.optim.Adam(generator.parameters(), 2e-4)
    by_critic = torch.optim.Adam(critic.parameters(), 2e-4)
    ones, zeros, seen = torch.ones(64, 1), torch.zeros(64, 1), 0
    while True:
        for (real,) in loader:
            fake = generator(torch.randn(64, 100))
            by_critic.zero_grad()
            loss = binary_cross_entropy_with_logits(critic(real), ones) + binary_cross_entropy_with_logits(
                critic(fake.detach()), zeros
            )
            loss.backward()
            by_critic.step()
            by_generator.zero_grad()
            binary_cross_entropy_with_logits(critic(fake), ones).backward()
            by_generator.step()
            seen += 64
            if time.process_time() - began >= seconds:
                generator.eval()
                with torch.no_grad():
                    return torch.cat([generator(torch.randn(500, 100)) for _ in range(JUDGED // 500)]), seen


def by_the_book(path: str, seconds: float, seed: int) -> tuple[Judgement, dict[str, Any]]:
    data = open_dataset(path)
    training, held_out = data.split(min(opening.HELD_OUT, opening.HELD_OUT_MOST / len(data)))
    before = time.process_time()
    images, seen = textbook(training, seconds, seed)
    trained = time.process_time() - before
    fake = Dataset.of({"image": images}, data.codec, "generated")
    return judge(fake, training, held_out, metrics=METRICS, seed=0), {"cpu_seconds": round(trained), "samples": seen}


def ours(path: str, seconds: float, seed: int, out: Path, **how: Any) -> tuple[Judgement, dict[str, Any]]:
    """`gansmith train DATA --minutes M` by a clock that counts this process's CPU time; `how` are further options of the training."""
    folder = Run.next_folder(out, f"quality-{Path(path).stem}-{round(seconds)}-{seed}")
    before = time.process_time()
    with patch("time.monotonic", time.process_time):
        settings = {"minutes": seconds / 60, "seed": seed, "threads": 1, "device": "cpu"}
        run = gansmith.train(path, **settings, evaluate=False, out=folder, **how)
    trained = time.process_time() - before
    seen = run.records("log.jsonl")[-1]["samples"]
    return run.evaluate(metrics=METRICS, seed=0), {"cpu_seconds": round(trained), "samples": seen, "preset": run.facts["preset"]}


def table(results: list[dict[str, Any]]) -> str:
    lines = ["| data | budget | who | seed | CPU s | samples | " + " | ".join(METRICS) + " |", "|---" * (6 + len(METRICS)) + "|"]
    for result in sorted(results, key=lambda r: (r["data"], r["budget"], r["who"], r["seed"])):
        cells = [f"{s['value']:.3f} ({s['low']:.3f} to {s['high']:.3f})" for s in result["scores"].values()]
        facts = [result[key] for key in ("data", "budget", "who", "seed", "cpu_seconds", "samples")]
        lines.append("| " + " | ".join(map(str, facts + cells)) + " |")
    for name in sorted({result["data"] for result in results}):
        scores = next(result["scores"] for result in results if result["data"] == name)
        for label, key in (("baseline", "baseline"), ("ceiling (real)", "ceiling")):
            lines.append(f"| {name} | | {label} | | | | " + " | ".join(f"{s[key]:.3f}" for s in scores.values()) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("who", choices=("textbook", "ours"))
    parser.add_argument("data")
    parser.add_argument("--cpu-seconds", type=float, default=120.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("runs/quality"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    path = opened(arguments.data, arguments.out)
    file = RESULTS / "quality.json"
    for seed in arguments.seeds:
        if arguments.who == "textbook":
            judgement, facts = by_the_book(path, arguments.cpu_seconds, seed)
        else:
            judgement, facts = ours(path, arguments.cpu_seconds, seed, arguments.out)
        scores = {score.name.partition("[")[0]: score.to_json() for score in judgement.scores}
        named = {"data": Path(arguments.data).stem, "budget": arguments.cpu_seconds, "who": arguments.who, "seed": seed}
        before = json.loads(file.read_text())["results"] if file.exists() else []
        results = [r for r in before if any(r[key] != value for key, value in named.items())] + [
            {**named, **facts, "scores": scores}
        ]
        machine = {"cpu": cpu_model(), "torch": torch.__version__, "threads": 1}
        file.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
        file.with_suffix(".md").write_text(table(results))
        print(table(results[-1:]), flush=True)


if __name__ == "__main__":
    main()
