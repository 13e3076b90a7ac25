"""How near restored and vocoded sounds come to the real ones, beside what needs no training.

    python bench/sound_restoration.py RUN [--count 60] [--cpu-seconds S] [--out bench/results/NAME.json]

RUN is a run of `cmgan`, `advoc` or `vocos`. Held-out windows (of recordings that were not trained on) are made by the model and by every
trivial restoration (Griffin-Lim of 32 and 64 iterations for mel spectra; the input, spectral gating, a decision-directed Wiener filter and,
where pyrnnoise is installed, RNNoise for damaged waves) and compared with the real ones. PESQ is measured where the package pesq is
installed. Prints a table; writes it as JSON with the seconds of one thread.
"""

import argparse
import importlib.util
import json
import time
from pathlib import Path

import numpy as np
import torch

from gansmith.data.dataset import Dataset, choose
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.audio.cleaning import resampled
from gansmith.kinds.audio.metrics.quality import values_of as pesq_of
from gansmith.kinds.audio.metrics.restoration import values_of
from gansmith.kinds.audio.transforms import istft, magnitude, stft, wave_from_log_mel
from gansmith.kinds.audio.trivial_restorations import trivial
from gansmith.model import Model
from gansmith.runs.data import run_data, split
from gansmith.runs.run import Run

AT_ONCE = 8


def quality(made: Dataset, real: Dataset) -> np.ndarray | None:
    """PESQ of every example, NaN for what it cannot judge; None where the package is missing."""
    return pesq_of(made, real)["pesq"] if importlib.util.find_spec("pesq") else None


def wiener(wave: torch.Tensor, n_fft: int, hop: int) -> torch.Tensor:
    """Decision-directed Wiener filter (Ephraim & Malah 1984; Scalart & Filho 1996); the noise is that of the quietest tenth of frames."""
    spectrum = stft(wave, n_fft, hop)
    power = magnitude(spectrum).square()
    loudness = power.sum(1)
    quiet = loudness <= loudness.quantile(0.1, dim=1, keepdim=True)
    noise = ((power * quiet[:, None]).sum(2) / quiet.sum(1)[:, None]).clamp_min(1e-12)
    gains, before = [], torch.zeros_like(noise)
    for frame in power.unbind(2):
        posterior = frame / noise
        prior = 0.98 * before / noise + 0.02 * (posterior - 1).clamp_min(0)
        gain = (prior / (1 + prior)).clamp_min(0.05)
        before = gain.square() * frame
        gains.append(gain)
    return istft(spectrum * torch.stack(gains, 2), n_fft, hop)


def rnnoise(wave: torch.Tensor, rate: int) -> torch.Tensor:
    """RNNoise (Valin 2018), by the library of pyrnnoise at its 48 kHz; each window is heard twice, so that the network has warmed up.

    It answers two frames late, all but a sample: its high-pass filter leads. The lag is taken away as it is measured."""
    import ctypes

    folder = next(iter(importlib.util.find_spec("pyrnnoise").submodule_search_locations))
    library, pointer = ctypes.CDLL(f"{folder}/librnnoise.so"), ctypes.POINTER(ctypes.c_float)
    library.rnnoise_create.restype, library.rnnoise_create.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, pointer, pointer]
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    size, made = library.rnnoise_get_frame_size(), []
    for row in wave.double().numpy():
        state = library.rnnoise_create(None)
        twice = resampled(np.concatenate([row, row]), rate, 48_000)
        frames = np.pad(32_767 * twice, (0, 2 * size - len(twice) % size)).astype(np.float32).reshape(-1, size).copy()
        for frame in frames:
            place = frame.ctypes.data_as(pointer)
            library.rnnoise_process_frame(state, place, place)
        library.rnnoise_destroy(state)
        heard = np.roll(frames.ravel(), -lag(frames.ravel(), 32_767 * twice))[: len(twice)] / 32_767
        made.append(resampled(heard.astype(np.float64), 48_000, rate)[len(row) : 2 * len(row)])
    return torch.from_numpy(np.stack(made)).float()


def lag(made: np.ndarray, given: np.ndarray) -> int:
    """By how many samples a wave lags behind another: where their correlation is greatest."""
    size = 2 * max(len(made), len(given))
    spectra = (np.fft.rfft(wave.astype(np.float64), size) for wave in (made, given))
    return int(np.fft.irfft(next(spectra) * next(spectra).conj())[: size // 2].argmax())


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
    parser.add_argument("--cpu-seconds", type=float, help="those of the training, for the record")
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
    else:
        n_fft = spec.n_fft // 2
        rows["Wiener filter"] = made_by(lambda a: wiener(a, n_fft, n_fft // 4), held_out)[0]
        if importlib.util.find_spec("pyrnnoise"):
            rows["RNNoise"] = made_by(lambda a: rnnoise(a, spec.rate), held_out)[0]
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
    facts |= {"cpu_seconds": options.cpu_seconds}
    print(facts)
    if options.out:
        options.out.write_text(json.dumps({**facts, "rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
