"""How sounds are read, levelled and cut into examples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gansmith.data.options import DataOptions, option
from gansmith.errors import UserError

BUILTIN = {"drums": "1,200 synthetic drum hits of half a second, 6 classes; offline"}
"""The built-in data of this kind, each with one line of description."""
SLOWEST, FASTEST = 2_000, 96_000
"""Rates that can be asked for."""


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Audio."""

    rate: int | None = option(None, "HZ", "16000, or that of the data if it is lower")
    """Samples in a second: recordings of another rate are resampled."""
    seconds: float | None = option(None, "S", "that of the longest recording, or 1 where they are longer than 2")
    """Length of an example: shorter recordings are followed by silence, longer ones are cut into windows."""
    stride: float | None = option(None, "S", "a quarter of an example")
    """From the beginning of one window of a long recording to that of the next."""
    trim: bool = option(True)
    """Leave the silence at both ends of recordings."""
    silence: float = option(60.0, "DB", "60")
    """What is so far below the loudest part of a recording is silence."""
    level: Literal["peak", "loudness", "none"] = option("peak")
    """Bring every recording to the same peak or loudness."""
    labels: bool = option(True)
    """Do not take sub-folders or tables for classes."""
    split_by: Literal["recording", "speaker"] = option("recording")
    """What is held out as a whole: recordings, or speakers (the column speaker of a table, or the class)."""
    degrade: str | None = option(None, "WORDS")
    """Make pairs of clean recordings: noise5,hum10,babble5 (dB), reverb0.4 (s), clip12 (dB), lowpass4000 (Hz), bits6; or mel, or same."""
    noises: Path | None = option(None, "DIR")
    """Recordings of noise that --degrade noise mixes in, in place of noise that is computed; test/ beside train/ is for held-out speech."""
    transcripts: str | None = option(None, "LANGUAGE")
    """Make pairs of what is said and its recording: en, zh, another code of espeak-ng's (de, fr, ...), or phonemes as they are written."""
    convert: bool = option(False)
    """Make recordings of each voice (sub-folders, or the column speaker) sound like another one."""
    skip_unreadable: bool = option(False)
    """Leave out files that cannot be read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate is not None and not SLOWEST <= self.rate <= FASTEST:
            raise UserError(f"--rate must be from {SLOWEST} to {FASTEST} Hz, but it is {self.rate}.")
        for name, value in (("seconds", self.seconds), ("stride", self.stride)):
            if value is not None and not 0.001 <= value <= 3600:
                raise UserError(f"--{name} must be from 0.001 to 3600 seconds, but it is {value:g}.")
        if self.noises is not None and "noise" not in (self.degrade or ""):
            raise UserError("--noises is mixed in by --degrade noise5 (dB): give both, or leave it out.")
        if self.transcripts is not None and self.degrade is not None:
            raise UserError("--transcripts makes speech of text, --degrade clean sounds of damaged ones: give one of them.")
        if self.convert and (self.transcripts or self.degrade):
            raise UserError("--convert makes one voice of another: leave out --transcripts and --degrade.")
        if not 10 <= self.silence <= 120:
            raise UserError(f"--silence must be from 10 to 120 dB, but it is {self.silence:g}.")
