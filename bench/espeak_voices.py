"""Recordings of sentences in voices of espeak-ng, with a metadata.csv: voices that belong to nobody, to learn from and to be imitated.

    pip install espeakng-loader
    python bench/espeak_voices.py SENTENCES.csv voices/ en-us+m3 en-us+f2          # FILE|TEXT lines, as metadata.csv of recordings
    python bench/espeak_voices.py SENTENCES.csv robot/ en-us                       # one voice: robot/*.wav

Each of several voices says other sentences than the others (`--all`: every voice says all), so that nothing is parallel. Sound at 16 kHz.
"""

import argparse
import ctypes
from pathlib import Path

import numpy as np

from gansmith.kinds.audio.cleaning import resampled
from gansmith.kinds.audio.readers.files import wav_bytes
from gansmith.kinds.audio.sound import Sound

RATE = 16_000
_SYNCHRONOUS, _UTF8 = 2, 1


class Voice:
    """espeak-ng through its C library."""

    def __init__(self) -> None:
        import espeakng_loader

        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate = self.library.espeak_Initialize(_SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), 0)
        self.parts: list[np.ndarray] = []
        kept = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = kept(self._heard)
        self.library.espeak_SetSynthCallback(self.callback)

    def _heard(self, wave, count: int, events) -> int:
        if wave and count:
            self.parts.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    def says(self, text: str, voice: str) -> np.ndarray:
        """A wave at RATE."""
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SystemExit(f"espeak-ng has no voice {voice}")
        self.parts, words = [], text.encode()
        self.library.espeak_Synth(words, len(words) + 1, 0, 1, 0, _UTF8, None, None)
        self.library.espeak_Synchronize()
        return resampled(np.concatenate(self.parts).astype(np.float64) / 32768, self.rate, RATE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("voices", nargs="+")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    rows = [line.split("|") for line in options.sentences.read_text(encoding="utf-8").splitlines() if "|" in line]
    speaker, said = Voice(), []
    for place, (name, *texts) in enumerate(rows):
        for number, voice in enumerate(options.voices):
            if place % len(options.voices) != number and not options.all:
                continue
            folder = options.out / voice if len(options.voices) > 1 else options.out
            folder.mkdir(parents=True, exist_ok=True)
            wave = speaker.says(texts[-1], voice)
            (folder / f"{name}.wav").write_bytes(wav_bytes(Sound(wave.astype(np.float32), RATE)))
            said.append((voice, f"{name}|{texts[-1]}"))
    for voice in options.voices:
        folder = options.out / voice if len(options.voices) > 1 else options.out
        lines = [line for own, line in said if own == voice]
        (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(said)} sentences: {options.out}")


if __name__ == "__main__":
    main()
