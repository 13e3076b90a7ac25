"""What networks must know about sounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from gansmith.data.spec import Spec
from gansmith.data.values import Whole
from gansmith.kinds.audio.transforms import Mel

PITCHES = ("pitch", "midi", "note")
"""Attributes that hold MIDI numbers."""
HIGHEST = 127
"""The highest MIDI number."""


def pitch_of(attributes: Sequence[str]) -> int | None:
    """The place of the attribute that is a pitch by its name; None if there is none."""
    return next((attributes.index(name) for name in PITCHES if name in attributes), None)


@dataclass(frozen=True, kw_only=True)
class AudioSpec(Spec):
    """A wave [samples] of one channel in [-1, 1], or ("mel") its logarithmic mel spectrum [bands, frames], or what is said in it
    ("phonemes")."""

    FIXED: ClassVar[tuple[str, ...]] = ()

    kind: str = "audio"
    key: str = "wave"
    axes: tuple[str, ...] = ("sample",)
    """("sample",), or ("band", "frame") of mel spectra, or ("phoneme",) of what is said."""
    rate: Annotated[int, Whole(1, 768_000)] = 16_000
    """Samples in a second."""
    n_fft: Annotated[int, Whole(1, 2**20)] = 1024
    """Samples of a window of the spectrum."""
    hop: Annotated[int, Whole(1, 2**20)] = 256
    """Samples between its frames."""
    bands: Annotated[int, Whole(1, 2**14)] = 80
    """Mel bands of the spectrum, from 0 Hz to half the rate."""
    symbols: tuple[str, ...] = ()
    """Of what is said: the phonemes that there are, from number 1 on; 0 is none."""
    speakers: tuple[str, ...] = ()
    """Of what is said: who speaks, if there are several."""
    added: bool = False
    """Of damaged waves: whether all that they have suffered is another sound which was added."""
    language: str = ""
    """Of what is said: the front end that made the phonemes."""
    pitches: tuple[float, ...] = ()
    """The lowest and the highest MIDI number of the attribute that is the pitch, if there is one."""

    def identity(self) -> dict[str, Any]:
        """As of the base; `added` follows from how the data are opened."""
        facts = {name: value for name, value in self.to_json().items() if name != "added"}
        return facts | ({"source": self.source.identity()} if self.source else {})

    @property
    def pitched(self) -> int | None:
        """The place of the attribute that is the pitch; None if there is none, or all notes have the same."""
        known = len(self.pitches) == 2 and 0 <= self.pitches[0] < self.pitches[1] <= HIGHEST
        return pitch_of(self.attributes) if known else None

    @property
    def mel(self) -> Mel:
        """The mel spectrum in which sounds are compared, and which vocoders take."""
        return Mel(self.rate, self.n_fft, self.hop, self.bands)
