"""Music: voices on a grid, with what a MIDI file needs besides."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.outputs import whole
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.music.grid import notes_of, voices_of
from gansmith.kinds.music.midi import TEMPI, TICKS, write_midi
from gansmith.kinds.music.piece import Note, Piece, Track
from gansmith.kinds.music.preview import roll
from gansmith.kinds.music.spec import MusicSpec
from gansmith.kinds.music.synthesis import wav

LONGEST = 2**14
"""Steps of the longest piece that is made."""


@dataclass(frozen=True)
class MusicCodec:
    """Pieces of a fixed length as tokens [voices, steps], bytes when packed, int64 when unpacked.

    Decoding what was encoded gives the same notes; velocities are not kept.
    """

    suffixes = (".mid", ".zip", ".wav", ".png")
    spec: MusicSpec
    names: tuple[str, ...]
    """Of the tracks, in order."""
    programs: tuple[int, ...]
    drums: tuple[bool, ...]
    tempo: float
    """Beats a minute of pieces that are generated: the median of the data."""
    meter: tuple[int, int]
    per_beat: int
    frequencies: tuple[int, ...] = ()
    """How many examples each class has."""

    @property
    def previewed(self) -> int:
        return 8

    @property
    def steps(self) -> int:
        return self.spec.shape[1]

    @property
    def high(self) -> int:
        """The highest pitch."""
        return self.spec.low + self.spec.vocabulary - 3

    def voices(self, piece: Piece) -> tuple[np.ndarray, int]:
        """Tokens [voices, steps] of a piece of any length, and how many of its notes are left out."""
        tracks, rows, lost = {track.name: track for track in piece.tracks}, [], 0
        for name, voices in zip(self.names, self.spec.voices, strict=True):
            notes: Sequence[Note] = tracks[name].notes if name in tracks else ()
            found, left = voices_of(notes, piece.steps, voices, self.spec.low, self.high)
            rows.append(found)
            lost += left
        return np.concatenate(rows).astype(np.uint8), lost

    def pack(self, raw: Piece) -> dict[str, np.ndarray]:
        found, _ = self.voices(raw)
        whole = np.zeros(self.spec.shape, np.uint8)
        whole[:, : found.shape[1]] = found[:, : self.steps]
        packed = {self.spec.key: whole}
        if self.spec.classes:
            packed["label"] = np.array(self._class(raw.label), np.int64)
        return packed

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        return {key: torch.from_numpy(packed[key].astype(np.int64)) for key in (self.spec.key, "label") if key in packed}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        packed = {self.spec.key: batch[self.spec.key].detach().cpu().numpy().astype(np.uint8)}
        if "label" in batch:
            packed["label"] = batch["label"].detach().cpu().numpy().astype(np.int64)
        return packed

    def encode(self, raw: Piece) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Piece]:
        rows = batch[self.spec.key].detach().cpu().numpy()
        labels = batch["label"].tolist() if "label" in batch and self.spec.classes else [None] * len(rows)
        return [
            self.piece(row, None if label is None else self.spec.classes[label]) for row, label in zip(rows, labels, strict=True)
        ]

    def piece(self, voices: np.ndarray, label: str | None = None) -> Piece:
        """The notes of tokens [voices, steps] of any length."""
        tracks, at = [], 0
        for name, program, drum, count in zip(self.names, self.programs, self.drums, self.spec.voices, strict=True):
            tracks.append(Track(name, notes_of(voices[at : at + count], self.spec.low), program, drum))
            at += count
        return Piece(tuple(tracks), voices.shape[1], self.tempo, self.meter, self.per_beat, label)

    def _class(self, name: str | None) -> int:
        if name not in self.spec.classes:
            raise UserError(
                f'there is no class "{name}"{did_you_mean(str(name), self.spec.classes)}: the classes are {listed(self.spec.classes, 24)}.'
            )
        return self.spec.classes.index(name)

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Keys [n] as frequent as in the data, or all of the requested one (class="C major", or key="C major"); nothing without keys.

        With bars="16" (or length="256", in steps), "length" is the steps [n] of longer pieces. Raises UserError for a key that the data do
        not have, and for any other request.
        """
        for name, size in (("bars", self.spec.bar), ("length", 1)):
            if name in where:
                steps = self._longer(name, str(where.pop(name)), size)
                return {**self.conditions(n, rng, **where), "length": torch.full((n,), steps)}
        for key, value in where.items():
            if not self.spec.classes:
                raise UserError(f"this model is unconditional: remove {key}={value}, or train it with --keys.")
            if key not in ("class", "key"):
                raise UserError(
                    f'"{key}" cannot be requested{did_you_mean(key, ["class", "key"])}: give a key, such as key="C major".'
                )
        if not self.spec.classes:
            return {}
        for value in where.values():
            return {"label": torch.full((n,), self._class(str(value)))}
        shares = torch.tensor(self.frequencies, dtype=torch.float32)
        return {"label": torch.multinomial(shares, n, replacement=True, generator=rng)}

    def _longer(self, name: str, value: str, size: int) -> int:
        """The steps of longer pieces."""
        number = int(value) if value.isdecimal() and len(value) < 10 else 0
        steps = number * size
        if not self.steps <= steps <= LONGEST or steps % self.spec.bar:
            least = self.steps // size
            raise UserError(
                f"{name} must be whole bars, at least {least} and at most {LONGEST // size:,}, but it is {value!r}: a bar has "
                f"{self.spec.bar} steps."
            )
        return steps

    def save(self, raws: Sequence[Piece], folder: Path) -> list[Path]:
        """A MIDI file for each: 0001.mid and on, none overwritten."""
        folder.mkdir(parents=True, exist_ok=True)
        paths, number = [], 0
        for raw in raws:
            number += 1
            while (path := folder / f"{number:04}.mid").exists():
                number += 1
            with whole(path) as part:
                part.write_bytes(write_midi(raw))
            paths.append(path)
        return paths

    def write(self, raws: Sequence[Piece], path: Path) -> None:
        """All pieces one after another as .mid or .wav, a MIDI file for each in a .zip, or drawn as .png."""
        if path.suffix == ".png":
            self.preview(raws).save(path)
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
                for number, raw in enumerate(raws, 1):
                    file.writestr(zipfile.ZipInfo(f"{number:04}.mid"), write_midi(raw))
        else:
            piece = joined(raws)
            path.write_bytes(wav(piece) if path.suffix == ".wav" else write_midi(piece))

    def preview(self, raws: Sequence[Piece]) -> Image.Image:
        """Piano rolls, one colour a track."""
        return roll(raws, self.spec.low, self.high, self.spec.bar)

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """How often each voice has each pitch class, rests and holds, and where in the bar notes begin."""
        music = batch[self.spec.key].cpu()
        began = music >= self.spec.first
        parts = [((music - self.spec.first + self.spec.low) % 12 == pitch) & began for pitch in range(12)]
        parts += [music == self.spec.rest, music == self.spec.hold]
        beats = began.float().mean(1).unflatten(1, (-1, self.spec.bar)).mean(1)
        return torch.cat([torch.stack([part.float().mean(2) for part in parts], 2).flatten(1), beats], 1)

    def fault(self) -> str | None:
        """What does not fit in facts that were read from a file; None if all fits."""
        if sum(self.spec.voices) != self.spec.shape[0] or len(self.spec.voices) != len(self.names):
            return f"has {len(self.names)} tracks and {self.spec.shape[0]} voices where its spec has {self.spec.voices}"
        if not len(self.names) == len(self.programs) == len(self.drums):
            return "has tracks without a program"
        if self.spec.frequencies and [len(row) for row in self.spec.frequencies] != [self.spec.vocabulary] * self.spec.shape[0]:
            return "has frequencies of other voices or tokens"
        if self.spec.shape[1] % self.spec.bar or not 0 <= self.spec.low <= self.high <= 127 or not self.tempo > 0:
            return "has a bar, a range or a tempo that cannot be"
        if not all(0 <= program <= 127 for program in self.programs) or not TEMPI[0] <= self.tempo <= TEMPI[1]:
            return "has an instrument or a tempo that MIDI does not have"
        if not (0 < self.meter[0] < 256 and self.meter[1] in (1, 2, 4, 8, 16, 32, 64) and 0 < self.per_beat <= TICKS):
            return "has a meter or a beat that MIDI does not have"
        if len(self.frequencies) != len(self.spec.classes):
            return f"has {len(self.spec.classes)} classes, but {len(self.frequencies)} frequencies of them"
        return None

    def to_json(self) -> dict[str, Any]:
        facts = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return facts | {"spec": self.spec.to_json()}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        known = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
        return cls(**known | {"spec": MusicSpec.from_json(facts["spec"])})


def joined(pieces: Sequence[Piece]) -> Piece:
    """Pieces with the same tracks, one behind the other."""
    notes: list[list[Note]] = [[] for _ in pieces[0].tracks]
    at = 0
    for piece in pieces:
        for own, track in zip(notes, piece.tracks, strict=True):
            own += [Note(at + note.start, note.length, note.pitch) for note in track.notes]
        at += piece.steps
    tracks = tuple(
        Track(track.name, tuple(own), track.program, track.drum) for track, own in zip(pieces[0].tracks, notes, strict=True)
    )
    return Piece(tracks, at, pieces[0].tempo, pieces[0].meter, pieces[0].per_beat)
