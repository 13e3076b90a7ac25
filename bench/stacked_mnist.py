"""Stacked MNIST: of 1,000 modes, how many does a GAN find, and how evenly?

    python bench/stacked_mnist.py mnist_train.npz r3gan --cpu-seconds 900 --out runs/stacked

Three random digits are the channels of one image, so there are 1,000 kinds of images (Metz et al. 2017; the protocol of VEEGAN and
PacGAN, Lin et al. 2018, table 2): 128,000 images to learn from, 26,000 made, each channel named by a digit classifier; a mode is
found if at least one sample shows it, and the divergence is that of the modes' frequencies from equal ones, in nats. The classifier is
trained here on five sixths of the digits, from which the images to learn from are made too; its accuracy is that on the last sixth,
from which the 26,000 real images of the ceiling are made. The baseline draws pixels from independent normal distributions.

One thread, so that seconds are CPU seconds of one core. The table goes to bench/results/stacked-mnist.json and .md.
"""

import argparse
import ast
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from synthesis import SHOWN, samples_for
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import gansmith
from gansmith.runs.run import Run

RESULTS = Path(__file__).parent / "results"
TRAINING, JUDGED = 128_000, 26_000
HELD_OUT = 10_000
MODES = 1000
PUBLISHED = (
    ("DCGAN", "99.0", "3.40", "VEEGAN's table, in PacGAN's table 2"),
    ("ALI", "16.0", "5.40", "the same"),
    ("Unrolled GAN", "48.7", "4.32", "the same"),
    ("VEEGAN", "150.0", "2.95", "the same"),
    ("DCGAN", "78.9 (6.5)", "4.50 (0.13)", "PacGAN's own runs"),
    ("PacDCGAN2", "1000 (0)", "0.06 (0.003)", "PacGAN's own runs"),
)
"""Modes and divergence in the papers, after 6.4 million images at widths up to 512 on GPUs."""


def stacked(digits: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Images uint8 [count, 28, 28, 3] of three random digits each."""
    chosen = np.random.default_rng(seed).integers(0, len(digits), (count, 3))
    return np.moveaxis(digits[chosen], 1, 3)


class Reader(nn.Module):
    """A digit [B, 1, 28, 28] in [0, 1] to ten logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 32, 5, stride=2), nn.ReLU(), nn.Conv2d(32, 64, 5, stride=2), nn.ReLU()),
            *(nn.Flatten(), nn.Dropout(0.25), nn.Linear(64 * 16, 128), nn.ReLU(), nn.Linear(128, 10)),
        )

    def forward(self, digits: Tensor) -> Tensor:
        return self.layers(digits)


def as_digits(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 255)[:, None]


def trained_reader(pixels: np.ndarray, labels: np.ndarray, kept_at: Path, epochs: int = 4) -> Reader:
    """The classifier, trained once and kept."""
    torch.manual_seed(0)
    reader, rng = Reader(), np.random.default_rng(0)
    if kept_at.exists():
        reader.load_state_dict(torch.load(kept_at, weights_only=True))
        return reader.eval()
    steps = epochs * (len(pixels) // 128)
    optimizer = torch.optim.Adam(reader.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in rng.permutation(len(pixels))[: len(pixels) // 128 * 128].reshape(-1, 128):
            optimizer.zero_grad()
            cross_entropy(reader(as_digits(pixels[rows])), torch.from_numpy(labels[rows].astype(np.int64))).backward()
            optimizer.step()
            schedule.step()
    torch.save(reader.state_dict(), kept_at)
    return reader.eval()


@torch.inference_mode()
def read(reader: Reader, pixels: np.ndarray) -> np.ndarray:
    """The digits [N] of gray images [N, 28, 28]."""
    parts = [reader(as_digits(pixels[start : start + 1000])).argmax(1).numpy() for start in range(0, len(pixels), 1000)]
    return np.concatenate(parts)


def modes(reader: Reader, images: np.ndarray) -> dict[str, float]:
    """How many of the modes images uint8 [N, 28, 28, 3] show, and the divergence of their frequencies from equal ones."""
    hundreds, tens, ones = (read(reader, images[..., channel]) for channel in range(3))
    shares = np.bincount(100 * hundreds + 10 * tens + ones, minlength=MODES) / len(images)
    seen = shares[shares > 0]
    return {"modes": int((shares > 0).sum()), "divergence": float((seen * np.log(seen * MODES)).sum())}


def table(results: list[dict[str, Any]], accuracy: float) -> str:
    lines = ["| GAN | settings | seed | CPU s | samples | images/s | modes of 1000 | divergence |", "|---" * 8 + "|"]
    for r in sorted(results, key=lambda r: (-r["modes"], r["divergence"])):
        facts = [r[key] for key in ("gan", "settings", "seed", "cpu_seconds", "samples", "examples_per_second", "modes")]
        lines.append("| " + " | ".join(map(str, facts)) + f" | {r['divergence']:.3f} |")
    for name in ("ceiling", "baseline"):
        about = {"ceiling": "real, held out", "baseline": "normal pixels"}[name]
        found = results[-1][name]
        lines.append(f"| {name} | {about} | | | | | {found['modes']} | {found['divergence']:.3f} |")
    lines += [f"\nThe digit classifier reads {accuracy:.2%} of held-out digits rightly.", ""]
    lines += ["| published | modes | divergence | source |", "|---" * 4 + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in PUBLISHED]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("digits", help="an npz with images [N, 28, 28] and labels")
    parser.add_argument("gan")
    parser.add_argument("--cpu-seconds", type=float, default=600.0)
    parser.add_argument("--preset")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--set", nargs="*", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--name", default="default", help="what the settings are called")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/stacked"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with np.load(arguments.digits) as file:
        pixels, labels = file["images"], file["labels"]
    order = np.random.default_rng(0).permutation(len(pixels))
    held, kept = order[:HELD_OUT], order[HELD_OUT:]
    data = stacked(pixels[kept], TRAINING, seed=1)

    given = {key: ast.literal_eval(value) for key, _, value in (text.partition("=") for text in arguments.set)}
    options = {
        "gan": arguments.gan,
        "preset": arguments.preset,
        "options": given,
        "batch": arguments.batch,
        "seed": arguments.seed,
    }
    samples = samples_for(data, options, arguments.cpu_seconds)
    folder = Run.next_folder(arguments.out, f"{arguments.gan}-{arguments.name}-{arguments.seed}")
    before = time.process_time()
    run = gansmith.train(data, **options, samples=samples, evaluate=False, out=folder, device="cpu")
    seconds = time.process_time() - before

    reader = trained_reader(pixels[kept], labels[kept], arguments.out / "reader.pt")
    accuracy = float((read(reader, pixels[held]) == labels[held]).mean())
    model = run.model()
    made = np.concatenate([model.codec.repack(batch)["image"] for batch in model.batches(JUDGED, seed=arguments.seed)])
    noise = np.random.default_rng(2).normal(data.mean(0), data.std(0), (JUDGED, *data.shape[1:]))
    called = "" if arguments.name == "default" else "-" + arguments.name.replace(" ", "-")
    grid = RESULTS / "synthesis" / f"{arguments.gan}-stacked{called}.png"
    grid.parent.mkdir(parents=True, exist_ok=True)
    model.codec.preview(model.generate(SHOWN, seed=arguments.seed)).save(grid)
    records = run.records("log.jsonl")
    result = {
        "gan": arguments.gan,
        "settings": arguments.name,
        "preset": run.facts["preset"],
        "options": given,
        "seed": arguments.seed,
        "cpu_seconds": round(seconds),
        "samples": records[-1]["samples"],
        "examples_per_second": round(records[-1]["samples"] / seconds, 1),
        "parameters": run.facts["parameters"],
        "alarms": sorted({alarm["name"] for record in records for alarm in record["health"]}),
        **modes(reader, np.moveaxis(made, 1, 3)),
        "ceiling": modes(reader, stacked(pixels[held], JUDGED, seed=2)),
        "baseline": modes(reader, noise.round().clip(0, 255).astype(np.uint8)),
    }
    path = RESULTS / "stacked-mnist.json"
    before_this = json.loads(path.read_text())["results"] if path.exists() else []
    results = [r for r in before_this if any(r[key] != result[key] for key in ("gan", "settings", "seed"))] + [result]
    facts = {"torch": torch.__version__, "threads": 1, "classifier_accuracy": accuracy, "results": results}
    path.write_text(json.dumps(facts, indent=1) + "\n")
    path.with_suffix(".md").write_text(table(results, accuracy))
    print(table(results, accuracy))


if __name__ == "__main__":
    main()
