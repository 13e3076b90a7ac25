"""What is said, as numbers: phonemes, and how many frames each lasts where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.speech.front_ends import PAUSES, phonemes

NEAR = {"ZH": "SH", "DH": "TH", "TH": "F", "OY1": "AO1", "AW0": "AA0", "UH0": "UH1", "UH1": "AH1", "!": ".", "?": "."}
"""English phonemes, each with one that stands for it where it was never heard; vowels also stand for each other's stress."""

_KEYS = ("phonemes", "frames", "speaker")


@dataclass(frozen=True)
class Said:
    """A sentence by its phonemes."""

    phonemes: tuple[str, ...]
    frames: tuple[int, ...] = ()
    """How many frames each lasts; empty if that is not known."""
    speaker: str | None = None
    """Who says it, if there are several."""


@dataclass(frozen=True)
class PhonemeCodec:
    """Sentences as int16 [phonemes], numbered from 1 with 0 behind the end, and the "frames" of each, all 0 if unknown."""

    suffixes = (".txt",)
    previewed = 12
    spec: AudioSpec
    heard: tuple[int, ...] = ()
    """How often each symbol occurs in the training data."""

    def pack(self, raw: Said) -> dict[str, np.ndarray]:
        most = self.spec.shape[0]
        if len(raw.phonemes) > most:
            raise UserError(f"a sentence of at most {most} phonemes is needed, but it has {len(raw.phonemes)}: cut it.")
        packed = {"phonemes": np.zeros(most, np.int16), "frames": np.zeros(most, np.int16)}
        packed["phonemes"][: len(raw.phonemes)] = [self.number(own) for own in raw.phonemes]
        packed["frames"][: len(raw.frames)] = raw.frames
        if self.spec.speakers:
            packed["speaker"] = np.array(self.speaker(raw.speaker), np.int16)
        return packed

    def speaker(self, asked: str | int | None) -> int:
        """The place of a speaker, by name, or by number from 1; the first if none is asked for.

        Raises UserError for one that the voices do not have.
        """
        known = self.spec.speakers
        if not known and asked is not None:
            raise UserError("this model has one voice: leave out --speaker.")
        if asked is None:
            return 0
        if str(asked) in known:
            return known.index(str(asked))
        if str(asked).isdigit() and 1 <= int(asked) <= len(known):
            return int(asked) - 1
        raise UserError(f"--speaker must be one of {listed(known, 20)}, or its number from 1, but it is {asked}.")

    def number(self, phoneme: str) -> int:
        """The number of a phoneme. Raises UserError for one that the data do not have."""
        if phoneme not in self.spec.symbols:
            raise UserError(f"there is no phoneme {phoneme!r} among {' '.join(self.spec.symbols)}: write it with those.")
        return self.spec.symbols.index(phoneme) + 1

    def numbers_of(self, text: str) -> tuple[list[int], list[str]]:
        """The numbers of a text's phonemes, and those of its phonemes for which a similar one stands, since it was never heard.

        Raises UserError for a phoneme that nothing stands for.
        """
        found, replaced = [], []
        for own in phonemes(text, self.spec.language):
            given, tried = own, {own}
            while not self._is_heard(own):
                other = own[:-1] + "10"[int(own[-1])] if own[-1:] in ("0", "1") and own[:-1].isupper() else own
                own = other if self._is_heard(other) else NEAR.get(own) or NEAR.get(other) or given
                if own in tried:
                    self.number(given)
                    raise UserError(
                        f"the voice never said {given!r} in what it learned from: write the word with other phonemes."
                    )
                tried.add(own)
            if own != given and given not in PAUSES:
                replaced.append(given)
            found.append(self.number(own))
        return found, replaced

    def _is_heard(self, phoneme: str) -> bool:
        return phoneme in self.spec.symbols and (not self.heard or self.heard[self.spec.symbols.index(phoneme)] > 0)

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        return {key: torch.from_numpy(np.asarray(packed[key]).astype(np.int64)) for key in _KEYS if key in packed}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        return {key: batch[key].detach().cpu().numpy().astype(np.int16) for key in _KEYS if key in batch}

    def encode(self, raw: Said) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Said]:
        packed = self.repack(batch)
        said = []
        for place, row in enumerate(packed["phonemes"]):
            length = int((row > 0).sum())
            frames = packed["frames"][place][:length] if "frames" in packed else np.zeros(length, np.int16)
            said.append(
                Said(
                    tuple(self.spec.symbols[number - 1] for number in row[:length]),
                    tuple(map(int, frames)) if frames.any() else (),
                    self.spec.speakers[int(packed["speaker"][place])] if "speaker" in packed else None,
                )
            )
        return said

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        return {}

    def save(self, raws: Sequence[Said], folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        first = len(list(folder.glob("*.txt")))
        paths = [folder / f"{first + place:06d}.txt" for place in range(len(raws))]
        for raw, path in zip(raws, paths, strict=True):
            path.write_text(" ".join(raw.phonemes) + "\n", encoding="utf-8")
        return paths

    def write(self, raws: Sequence[Said], path: Path) -> None:
        path.write_text("".join(" ".join(raw.phonemes) + "\n" for raw in raws), encoding="utf-8")

    def preview(self, raws: Sequence[Said]) -> Image.Image:
        """The phonemes in words, a column of lines each."""
        font = ImageFont.load_default(11)
        sheet = Image.new("RGB", (220 * max(1, len(raws)), 145), "white")
        pen = ImageDraw.Draw(sheet)
        for place, raw in enumerate(raws):
            lines, line = [], ""
            for own in raw.phonemes:
                if len(line) + len(own) > 32:
                    lines.append(line)
                    line = ""
                line += own + " "
            pen.text((220 * place + 8, 4), "\n".join([*lines, line][:9]), "black", font)
        return sheet

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        return batch["phonemes"].float()

    def fault(self) -> str | None:
        """What does not fit in facts that were read from a file; None if all fits."""
        if self.spec.key != "phonemes" or len(self.spec.shape) != 1 or not self.spec.symbols:
            return f"makes {self.spec.key!r:.40} of {len(self.spec.symbols)} symbols, where phonemes are said"
        if self.heard and len(self.heard) != len(self.spec.symbols):
            return f"has {len(self.spec.symbols)} symbols, but {len(self.heard)} counts of them"
        return None

    def to_json(self) -> dict[str, Any]:
        return {"spec": self.spec.to_json(), "heard": list(self.heard)}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        return cls(AudioSpec.from_json(facts["spec"]), tuple(facts.get("heard", ())))
