"""Voices: recordings by who speaks; the model makes what one says in the voice of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from gansmith.data.codec import Batch
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.kinds.audio.codec import AudioCodec
from gansmith.kinds.audio.preview import sheet
from gansmith.kinds.audio.sound import Recordings, Sound, speakers_of


@dataclass(frozen=True, eq=False)
class Converted(Sound):
    """A sound in a voice, and the one that it was made from."""

    given: np.ndarray | None = None


@dataclass(frozen=True)
class VoiceCodec(AudioCodec):
    """Waves with their voice as "label". What is generated carries "a" besides, the wave that it was made from."""

    previewed = 6

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        batch = super().unpack(packed)
        return {**batch, **({"a": super().unpack({"wave": packed["a"]})["wave"]} if "a" in packed else {})}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        packed = super().repack(batch)
        return packed | ({"a": super().repack({"wave": batch["a"]})["wave"]} if "a" in batch else {})

    def decode(self, batch: Batch) -> list[Sound]:
        made = super().decode(batch)
        if "a" not in batch:
            return made
        given = super().decode({"wave": batch["a"]})
        return [Converted(**vars(one), given=other.wave) for one, other in zip(made, given, strict=True)]

    def source(self, batch: Batch) -> Batch:
        """Real recordings are the sources of others: their wave."""
        return {"a": batch["wave"]}

    def preview(self, raws: Sequence[Sound]) -> Image.Image:
        """What was given over what was made of it."""
        shown = []
        for raw in raws:
            if isinstance(raw, Converted) and raw.given is not None:
                shown.append(replace(Sound(raw.given, raw.rate), label="given"))
            shown.append(raw)
        return sheet(shown)


def named_by_speaker(found: Recordings) -> Recordings:
    """The recordings with the speaker as their class. Raises UserError where two are not told apart."""
    speakers = speakers_of(found.recordings)
    if len(set(speakers)) < 2:
        raise UserError(
            f"{found.name} must tell at least two voices apart: sort the recordings into folders VOICE/, or name them in a column speaker "
            "of metadata.csv."
        )
    if "" in speakers:
        raise UserError(f"{found.recordings[speakers.index('')].name} of {found.name} has no speaker: name it, or remove it.")
    recordings = [replace(one, label=who) for one, who in zip(found.recordings, speakers, strict=True)]
    return replace(found, recordings=recordings, attributes=(), classes=None, held_out=None)


def as_voices(data: Dataset, like: VoiceCodec | None) -> Dataset:
    """Sounds by class as voices."""
    if like is not None:
        return replace(data, codec=like)
    codec: Any = data.codec
    spec = replace(codec.spec, source=replace(codec.spec, classes=()), aligned=False)
    own = VoiceCodec(**{**vars(codec), "spec": spec})
    return replace(data, codec=own, fingerprint=f"{data.fingerprint}-voices")
