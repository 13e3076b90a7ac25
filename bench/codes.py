"""How a codec sounds, beside one of the same bit rate without a network: residual k-means of mel spectra, then Griffin-Lim.

    gansmith train voice/ --gan codec --out RUN
    python bench/codes.py RUN [--count 40] [--cpu-seconds S] [--out bench/results/codes.json]

Held-out windows, of recordings that were not trained on. The rival has as many codebooks of as many codes for every frame, fitted to the
training frames by k-means, and ends in the same Griffin-Lim iterations; the ceiling is these iterations of the spectrum itself.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from sound_restoration import made_by, quality

from gansmith.data.dataset import choose
from gansmith.kinds.audio.metrics.restoration import values_of
from gansmith.kinds.audio.transforms import FLOOR, log_mel
from gansmith.layers.sounding import GriffinLim
from gansmith.model import Model
from gansmith.runs.data import run_data, split
from gansmith.runs.run import Run

ROUNDS = 20


def k_means(rows: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """Centres [count, D]; an empty one begins anew at a random row."""
    rng = torch.Generator().manual_seed(seed)
    centres = rows[torch.randperm(len(rows), generator=rng)[:count]].clone()
    for _ in range(ROUNDS):
        nearest = (centres.square().sum(1) - 2 * rows @ centres.T).argmin(1)
        counts = torch.bincount(nearest, minlength=count)
        centres = torch.zeros_like(centres).index_add_(0, nearest, rows) / counts.clamp_min(1)[:, None]
        empty = counts == 0
        centres[empty] = rows[torch.randint(len(rows), (int(empty.sum()),), generator=rng)]
    return centres


def books_of(rows: torch.Tensor, books: int, codes: int) -> list[torch.Tensor]:
    found = []
    for stage in range(books):
        found.append(k_means(rows, codes, stage))
        rows = rows - found[-1][(found[-1].square().sum(1) - 2 * rows @ found[-1].T).argmin(1)]
    return found


def quantised(mel: torch.Tensor, books: list[torch.Tensor]) -> torch.Tensor:
    """The mel spectrum [B, bands, frames] by its codes."""
    rest = rows = mel.mT.flatten(0, 1)
    for book in books:
        rest = rest - book[(book.square().sum(1) - 2 * rest @ book.T).argmin(1)]
    return (rows - rest).unflatten(0, (len(mel), -1)).mT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--cpu-seconds", type=float)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    run, model = Run(options.run), Model.load(options.run)
    train, held_out = split(run_data(run))
    held_out = held_out.subset(choose(len(held_out), options.count, 0))
    gan, spec = model.gan, held_out.codec.spec
    some = train.subset(choose(len(train), 600, 0))
    with torch.inference_mode():
        frames = torch.cat(
            [log_mel(some.batch(slice(at, at + 50))["b"], spec.mel).mT.flatten(0, 1) for at in range(0, len(some), 50)]
        )
    books = books_of(frames, *gan.books)
    phases = GriffinLim(spec.mel, spec.shape[0] // spec.hop, gan.config.iterations)

    def inverted(mel: torch.Tensor) -> torch.Tensor:
        return phases(mel.exp() - 0.999 * FLOOR).clamp(-1, 1)

    rows = {
        "the spectrum itself, Griffin-Lim": made_by(lambda a: inverted(log_mel(a, spec.mel)), held_out)[0],
        "residual k-means, Griffin-Lim": made_by(lambda a: inverted(quantised(log_mel(a, spec.mel), books)), held_out)[0],
        "codec": made_by(gan.players["generator"].averaged, held_out)[0],
    }
    found = {}
    for name, made in rows.items():
        values = values_of(made, held_out)
        if (marks := quality(made, held_out)) is not None:
            values["pesq"] = marks
        found[name] = {
            metric: [float(np.nanmean(own)), float(np.nanstd(own) / np.sqrt(np.isfinite(own).sum()))]
            for metric, own in values.items()
        }
        said = "".join(f"  {metric} {value[0]:.3f} ± {value[1]:.3f}" for metric, value in found[name].items())
        print(f"{name:34}{said}", flush=True)
    facts = {
        "bits_per_second": gan.bits_per_second,
        "windows": len(held_out),
        "samples": run.records("log.jsonl")[-1]["samples"],
        "cpu_seconds": options.cpu_seconds,
        "seed": run.facts["settings"]["seed"],
        "codebook_use": run.records("log.jsonl")[-1]["gauges"]["codebook_use"],
    }
    print(facts)
    if options.out:
        options.out.write_text(json.dumps({**facts, "rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
