"""How music is read and cut into examples."""

from __future__ import annotations

from dataclasses import dataclass

from gansmith.data.options import DataOptions, option
from gansmith.data.suggestions import listed
from gansmith.errors import UserError

BUILTIN = {"tunes": "300 tunes of 8 bars for four voices over simple chords; offline"}
"""The built-in data of this kind, each with one line of description."""
MOST_BEATS, UNITS = 32, ("1", "2", "4", "8", "16", "32")
"""Beats of a bar, and the notes that may be a beat."""
FINEST = 480
"""The most steps of a beat."""


def meter_of(text: str) -> tuple[int, int]:
    """Beats of a bar and their unit, of "3/4". Raises UserError for what is no meter."""
    beats, _, unit = text.partition("/")
    if not (beats.isdecimal() and beats.isascii() and 1 <= int(beats[:4]) <= MOST_BEATS and unit in UNITS):
        raise UserError(
            f'--meter is written as 4/4: beats from 1 to {MOST_BEATS}, then {listed(UNITS[:-1], 9)} or {UNITS[-1]}, but it is "{text}".'
        )
    return int(beats), int(unit)


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Options of music."""

    bars: int = option(2, "N")
    """Bars of an example; examples of one piece begin a bar apart."""
    steps: int = option(4, "N")
    """Steps of a beat: 4 is a grid of sixteenths."""
    meter: str = option("", "4/4", "that of most files")
    """The meter in which all files are counted, whatever they say; otherwise files in other meters than most are left out."""
    tracks: tuple[str, ...] = option((), "A,B", "those of most files")
    """The tracks that are learned, by name; other tracks are left out."""
    voices: int = option(4, "N")
    """The most notes that sound at once in a track; more are left out, and how many is said."""
    transpose: int = option(0, "N")
    """Semitones, up to 6, by which pieces are learned higher and lower, too: 5 gives eleven times the examples."""
    keys: bool = option(False)
    """The key of each example, as it is estimated, is its class: generate --where class="C major"."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("bars", "steps", "voices"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be at least 1, but it is {getattr(self, name)}.")
        if self.meter:
            meter_of(self.meter)
        if self.steps > FINEST:
            raise UserError(f"--steps must be at most {FINEST}, the ticks of a beat in MIDI files, but it is {self.steps}.")
        if not 0 <= self.transpose <= 6:
            raise UserError(f"--transpose must lie between 0 and 6, but it is {self.transpose}.")
