"""How near restored and vocoded sounds come to the real ones, beside what needs no training.

    python bench/sound_restoration.py RUN [--count 60] [--out bench/results/NAME.json]

RUN is a run of `cmgan`, `advoc` or `vocos`. Held-out windows (of recordings that were not trained on) are made by the model and by every
trivial restoration (Griffin-Lim of 32 and 64 iterations for mel spectra; the input and spectral gating for damaged waves) and compared
with the real ones. PESQ is measured where the package pesq is installed. Prints a table; writes it as JSON with the seconds of one thread.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from gansmith.data.dataset import Dataset, choose
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.audio.metrics.restoration import values_of
from gansmith.kinds.audio.transforms import wave_from_log_mel
from gansmith.kinds.audio.trivial_restorations import trivial
from gansmith.model import Model
from gansmith.runs.data import run_data, split
from gansmith.runs.run import Run

AT_ONCE = 8


def quality(made: Dataset, real: Dataset) -> np.ndarray | None:
    """PESQ of every example (ITU-T P.862.2), NaN for what it cannot judge; None where the package is missing or the rate is another."""
    rate = made.codec.spec.rate
    try:
        from pesq import PesqError, pesq
    except ImportError:
        return None
    if rate not in (8_000, 16_000):
        return None
    pairs = zip(real.batch(slice(None))["b"].numpy(), made.batch(slice(None))["b"].numpy(), strict=True)
    mode = "wb" if rate == 16_000 else "nb"
    found = np.array([pesq(rate, one, other, mode, on_error=PesqError.RETURN_VALUES) for one, other in pairs])
    return np.where(found > 0, found, np.nan)


def made_by(network, held_out: Dataset) -> tuple[Dataset, float]:
    """What a function makes of every "a", and its CPU seconds."""
    parts, start = [], time.process_time()
    with torch.inference_mode():
        for first in range(0, len(held_out), AT_ONCE):
            parts.append(network(held_out.batch(slice(first, first + AT_ONCE))["a"]).float())
    seconds = time.process_time() - start
    arrays = {"b": held_out.codec.repack({"b": torch.cat(parts)})["b"]}
    return Dataset(name="made", codec=held_out.codec, arrays=arrays, fingerprint=fingerprint(arrays)), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    run = Run(options.run)
    _, held_out = split(run_data(run))
    held_out = held_out.subset(choose(len(held_out), options.count, 0))
    model = Model.load(options.run)
    spec = held_out.codec.spec
    rows = dict(trivial(held_out))
    if spec.source.key == "mel":
        rows["Griffin-Lim (32)"] = made_by(lambda a: wave_from_log_mel(a, spec.mel, iterations=32), held_out)[0]
    rows["model"], seconds = made_by(model.gan.players["generator"].averaged, held_out)
    found = {}
    for name, made in rows.items():
        values = values_of(made, held_out)
        if (marks := quality(made, held_out)) is not None:
            values["pesq"] = marks
        found[name] = {
            metric: [float(np.nanmean(own)), float(np.nanstd(own) / np.sqrt(np.isfinite(own).sum()))]
            for metric, own in values.items()
        }
    metrics = list(next(iter(found.values())))
    print(f"{'':24}" + "".join(f"{metric:>18}" for metric in metrics))
    for name, values in found.items():
        print(f"{name:24}" + "".join(f"{values[metric][0]:>10.3f} ± {values[metric][1]:<5.3f}" for metric in metrics))
    audible = len(held_out) * spec.shape[0] / spec.rate
    facts = {"windows": len(held_out), "seconds_of_sound": audible, "real_time_factor": audible / seconds}
    trained = [json.loads(line) for line in (options.run / "log.jsonl").read_text().splitlines()]
    facts |= {"samples": trained[-1].get("samples"), "gan": run.facts["gan"], "seed": run.facts["settings"]["seed"]}
    print(facts)
    if options.out:
        options.out.write_text(json.dumps({**facts, "rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
