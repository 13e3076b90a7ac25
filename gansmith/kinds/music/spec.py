"""What networks must know about music."""

from dataclasses import dataclass
from typing import ClassVar

from gansmith.data.spec import Spec


@dataclass(frozen=True, kw_only=True)
class MusicSpec(Spec):
    """Tokens [voices, steps], int64: 0 is a rest, 1 holds the note before, from 2 on pitches begin, the lowest first."""

    FIXED: ClassVar[tuple[str, ...]] = ("axes", "rest", "hold", "first")

    kind: str = "music"
    key: str = "music"
    axes: tuple[str, ...] = ("voice", "step")
    vocabulary: int = 0
    """How many tokens there are."""
    low: int = 0
    """The pitch of token 2, as a MIDI number."""
    voices: tuple[int, ...] = ()
    """How many voices each track has, in order."""
    bar: int = 16
    """Steps of a bar."""
    frequencies: tuple[tuple[int, ...], ...] = ()
    """How often each voice has each token."""
    rest: int = 0
    hold: int = 1
    first: int = 2
