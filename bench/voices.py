"""Whether converted sentences are heard as the voice that was asked for, and what an offline recogniser still understands of them.

    python bench/espeak_voices.py SENTENCES.csv voices/ en-us+m3 en-us+f2
    gansmith train voices/ --gan maskcyclegan_vc --out RUN
    python bench/voices.py RUN SENTENCES.csv [--count 12] [--cpu-seconds S] [--out bench/results/voices.json]

The classifier is one of the project's that learned from real windows of the training recordings (gan_test); it judges windows of held-out
recordings that were made in the other voice, beside the recordings as they are (none of which should be heard as the other voice), real
ones of the other voice, and what needs no training: every band moved to the mean and the spread that it has in the other voice. Word error
rates need English sentences and a recogniser (see bench/speech.py); their intervals are those of 2,000 draws of the sentences.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from speech import rate

from gansmith.data.dataset import choose
from gansmith.data.source import Source
from gansmith.kinds.audio.features import as_pictures
from gansmith.kinds.audio.metrics.words import errors, recogniser, words_of
from gansmith.kinds.audio.options import Options
from gansmith.kinds.audio.source import recordings_of
from gansmith.kinds.audio.transforms import consistent_griffin_lim, log_mel
from gansmith.kinds.audio.translation.waves import translate_sound
from gansmith.kinds.images.features.classifier import Classifier, answers
from gansmith.model import Model
from gansmith.runs.data import run_data, split
from gansmith.runs.run import Run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--cpu-seconds", type=float)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    run, model = Run(options.run), Model.load(options.run)
    data = run_data(run)
    train, held_out = split(data)
    voices, spec = data.codec.spec.classes, data.codec.spec
    judge = Classifier.trained_on(as_pictures(train), 1, options.run).network  # seed 1: not the network that judged the run
    batch = held_out.batch(slice(None))
    network, other = model.gan.players["generator"].averaged, (batch["label"] + 1) % len(voices)
    learned = train.subset(choose(len(train), 600, 0)).batch(slice(None))
    with torch.inference_mode():
        bands = log_mel(learned["wave"], spec.mel)
        means = torch.stack([bands[learned["label"] == own].mean((0, 2)) for own in range(len(voices))])
        spreads = torch.stack([bands[learned["label"] == own].std((0, 2)).clamp_min(1e-3) for own in range(len(voices))])

    def moved(wave: torch.Tensor, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Waves [n, samples] with every band at the mean and the spread of the other voice."""
        apart = (log_mel(wave, spec.mel) - means[source][:, :, None]) / spreads[source][:, :, None]
        mel = apart * spreads[target][:, :, None] + means[target][:, :, None]
        return consistent_griffin_lim(mel.exp(), spec.mel, iterations=32)

    with torch.inference_mode():
        plain = torch.cat(
            [moved(batch["wave"][at : at + 8], batch["label"][at : at + 8], other[at : at + 8]) for at in range(0, len(other), 8)]
        )
        made = torch.cat([network(batch["wave"][at : at + 8], other[at : at + 8]) for at in range(0, len(other), 8)])

    def heard(wave: torch.Tensor) -> np.ndarray:
        arrays = {"wave": held_out.codec.repack({"wave": wave, "label": other})["wave"], "label": other.numpy()}
        from dataclasses import replace

        return np.asarray(answers(judge, as_pictures(replace(held_out, arrays=arrays, indices=None))))

    shares = {
        "converted, heard as the voice asked for": float((heard(made) == other.numpy()).mean()),
        "bands moved, heard as the voice asked for": float((heard(plain) == other.numpy()).mean()),
        "as they are, heard as the other voice": float((heard(batch["wave"]) == other.numpy()).mean()),
        "as they are, heard as their own": float((heard(batch["wave"]) == batch["label"].numpy()).mean()),
    }
    texts = dict(
        line.split("|")[::2] if line.count("|") > 1 else line.split("|") for line in options.sentences.read_text().splitlines()
    )
    source = recordings_of(Source(run.facts["data"]["source"]), Options(convert=True))
    kept = (
        np.unique(np.asarray(data.groups)[held_out.indices]) if data.groups is not None and held_out.indices is not None else []
    )
    rows: dict[str, list[Any]] = {"recordings": [], "through their spectra": [], "bands moved": [], "converted": []}
    said, judge = [], recogniser()
    for place in kept:
        one = source.recordings[int(place)]
        text = texts.get(Path(one.name).stem)
        if not text or len(words_of(text)) < 3 or len(said) >= options.count:
            continue
        _, wave = one.read()
        wave = wave.mean(1).astype(np.float32)
        whole = torch.nn.functional.pad(torch.from_numpy(wave), (0, -len(wave) % spec.hop))[None]
        with torch.inference_mode():
            through = consistent_griffin_lim(log_mel(whole, spec.mel).exp(), spec.mel, iterations=32)[0].numpy()
        own = voices.index(one.speaker or "")
        target = (own + 1) % len(voices)
        with torch.inference_mode():
            rows["bands moved"].append(moved(whole, torch.tensor([own]), torch.tensor([target]))[0].numpy())
        said.append(words_of(text))
        rows["recordings"].append(wave)
        rows["through their spectra"].append(through)
        rows["converted"].append(translate_sound(model, wave, target).wave)
    lengths = np.array([len(words) for words in said])
    rates = {}
    for name, waves in rows.items():
        wrong = np.array([errors(words, judge.hear(wave, spec.rate)) for words, wave in zip(said, waves, strict=True)])
        rates[name] = rate(wrong, lengths)
    facts = {
        "voices": list(voices),
        "windows": len(other),
        "shares": shares,
        "recogniser": judge.name,
        "sentences": len(said),
        "words": int(lengths.sum()),
        "word_error_rates": rates,
        "samples": run.records("log.jsonl")[-1]["samples"],
        "cpu_seconds": options.cpu_seconds,
        "seed": run.facts["settings"]["seed"],
    }
    print(json.dumps(facts, indent=1))
    if options.out:
        options.out.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
