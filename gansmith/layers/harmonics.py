"""Players for notes: networks that see where the harmonics of the requested pitch lie in a mel spectrum.

A convolution sees a few neighbouring bands, and a note differs from its neighbours by shifts of all harmonics, each by another number of
bands. So the generator is given the spectrum of an ideal note of the requested pitch at every resolution, and the critic beside every
picture: both then compare a picture with what lies in the same place.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.data.spec import Spec
from gansmith.kinds.audio.transforms import Mel, mel_filters
from gansmith.layers.bounded import bounded
from gansmith.layers.labels import Label, with_label
from gansmith.layers.plain import SLOPE, PlainCritic, PlainGenerator

FINE = 10
"""Ideal notes are kept for so many parts of a semitone; between them they are interpolated."""
HEARD = 0.4
"""Deviation of what ideal notes add to features of deviation 1, at the start."""


def ideal_notes(pitches: Float[Tensor, " notes"], mel: Mel) -> Float[Tensor, "notes bands"]:
    """Logarithmic mel bands of steady notes with these MIDI numbers, whose harmonics fall with the root of their number; of mean 0 and
    deviation 1 each."""
    first = 440 * 2 ** ((pitches.double() - 69) / 12)
    number = torch.arange(1, max(1, int(mel.rate / 2 / float(first.min()))) + 1, dtype=torch.float64)
    bins = torch.arange(mel.n_fft // 2 + 1, dtype=torch.float64)
    made = torch.zeros(len(pitches), len(bins), dtype=torch.float64)
    for own in number:
        away = bins - (own * first * mel.n_fft / mel.rate)[:, None]
        lobe = torch.where(away.abs() < 2, 0.5 + 0.5 * (math.pi / 2 * away).cos(), 0.0)  # about the Hann window's
        made += lobe * ((own * first < mel.rate / 2) / own.sqrt())[:, None]
    bands = (made.float() @ mel_filters(mel).T).clamp_min(1e-4).log()
    return (bands - bands.mean(1, keepdim=True)) / bands.std(1, keepdim=True).clamp_min(1e-6)


class IdealNote(nn.Module):
    """Attributes, one of which is a pitch, to the bands of an ideal note of that pitch."""

    def __init__(self, mel: Mel, place: int, low: float, high: float) -> None:
        """The pitch is attribute number `place` and goes from `low` to `high` (MIDI numbers), which networks see as -1 to 1."""
        super().__init__()
        self.place = place
        pitches = torch.linspace(low, high, math.ceil(FINE * (high - low)) + 1)
        self.register_buffer("notes", ideal_notes(pitches, mel), persistent=False)
        self.notes: Tensor

    def forward(self, label: Float[Tensor, "batch attributes"]) -> Float[Tensor, "batch bands"]:
        last = self.notes.shape[0] - 1
        at = (label[:, self.place].float() + 1) * (last / 2)
        below = at.floor().clamp(0, last - 1)
        index, share = below.long(), (at - below)[:, None]
        return self.notes[index] * (1 - share) + self.notes[index + 1] * share


class HarmonicGenerator(PlainGenerator):
    """Noise and attributes to the picture of a spectrum, as `PlainGenerator`; the ideal note is added to the features of every resolution,
    where each row sees the bands that it will become."""

    def __init__(self, spec: Spec, note: IdealNote, *, noise: int, width: int) -> None:
        super().__init__(spec, noise=noise, width=width)
        self.note = note
        bands = spec.shape[1]
        self.rows = [min(bands, self.lowest[1] * 2**level) for level in range(len(self.layers))]
        channels = [self.lowest[0], *(norm.num_features for norm in self.norms)]
        self.guides = nn.ModuleList(
            nn.Conv1d(bands // rows, count, 3, padding=1) for rows, count in zip(self.rows, channels, strict=True)
        )
        for guide in self.guides:
            assert isinstance(guide, nn.Conv1d)
            nn.init.normal_(guide.weight, std=HEARD / math.sqrt(guide.in_channels))

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        assert label is not None, "an ideal note needs a pitch"
        note = self.note(label)
        x = self.first(with_label(noise, label, self.spec)).unflatten(1, self.lowest)
        x = self.first_norm(x.contiguous(memory_format=torch.channels_last))
        for place, (layer, guide) in enumerate(zip(self.layers, self.guides, strict=True)):
            heard = guide(note.unflatten(1, (self.rows[place], -1)).mT.contiguous())
            x = layer(leaky_relu(x + heard[:, :, :, None].to(x.dtype), SLOPE))
            x = self.norms[place](x) if place < len(self.norms) else x
        return bounded(x)


class HarmonicCritic(PlainCritic):
    """The picture of a spectrum and its attributes to a logit, as `PlainCritic`; the ideal note is a second channel of the picture."""

    def __init__(self, spec: Spec, note: IdealNote, *, width: int, class_features: int) -> None:
        super().__init__(replace(spec, shape=(1 + spec.shape[0], *spec.shape[1:])), width=width, class_features=class_features)
        self.note = note

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        assert label is not None, "an ideal note needs a pitch"
        beside = self.note(label)[:, None, :, None].to(image.dtype).expand(-1, -1, -1, image.shape[3])
        return super().forward(torch.cat([image, beside], 1), label)
