"""Sounds: waves of one channel and one length, as 16 bits when packed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from zipfile import ZipFile

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d

from gansmith.data.attributes import Attributes, label_of, misfit, repacked, unpacked
from gansmith.data.codec import Batch
from gansmith.data.outputs import whole
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.audio.cleaning import as_int16
from gansmith.kinds.audio.preview import sheet
from gansmith.kinds.audio.readers.files import joined, wav_bytes, written
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.tables import noted
from gansmith.kinds.audio.transforms import Mel, log_mel

SKETCHED = Mel(16_000, 256, 128, 16)
"""The spectrum of sketches; the rate scales with that of the sounds."""


@dataclass(frozen=True)
class AudioCodec:
    """Waves [samples] as int16 when packed, float32 in [-1, 1) when unpacked; what is packed comes back exactly.

    A wave that is shorter is followed by silence, a longer one is cut.
    """

    suffixes = (".wav", ".flac", ".npz", ".zip", ".png")
    previewed = 12
    spec: AudioSpec
    frequencies: tuple[int, ...] = ()
    """How many examples each class has."""
    attributes: Attributes | None = None
    """What the numbers under "label" are, if they are several or continuous."""

    @property
    def samples(self) -> int:
        return self.spec.shape[0]

    def pack(self, raw: Sound) -> dict[str, np.ndarray]:
        if raw.rate != self.spec.rate:
            raise UserError(f"a sound of {self.spec.rate} Hz is needed, but it has {raw.rate}: resample it first.")
        wave = np.zeros(self.samples, np.int16)
        kept = as_int16(raw.wave[: self.samples])
        wave[: len(kept)] = kept
        packed = {"wave": wave}
        if self.attributes:
            packed["label"] = np.array([(raw.attributes or {})[name] for name in self.attributes.names], np.float32)
        elif self.spec.classes:
            packed["label"] = np.array(self._class(raw.label), np.int64)
        return packed

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        batch = {"wave": torch.from_numpy(packed["wave"].astype(np.float32)) / 32768}
        if "label" in packed:
            batch["label"] = unpacked(packed["label"], self.attributes)
        return batch

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        packed = {"wave": as_int16(batch["wave"].detach().cpu().float().numpy())}
        if "label" in batch:
            packed["label"] = repacked(batch["label"], self.attributes)
        return packed

    def encode(self, raw: Sound) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Sound]:
        packed = self.repack(batch)
        waves = packed["wave"].astype(np.float32) / 32768
        labels = packed.get("label", [None] * len(waves))
        return [
            Sound(wave, self.spec.rate, *label_of(label, self.attributes, self.spec.classes))
            for wave, label in zip(waves, labels, strict=True)
        ]

    def _class(self, name: str | None) -> int:
        if name not in self.spec.classes:
            known = listed(self.spec.classes, 20)
            if name is None:
                raise UserError(f"these sounds have no classes, where those learned have ({known}): put them into sub-folders.")
            raise UserError(f'there is no class "{name}"{did_you_mean(name, self.spec.classes)}: the classes are {known}.')
        return self.spec.classes.index(name)

    # ---- what to generate -------------------------------------------------------------------------------------------------------

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Classes [n] or attributes [n, K] as frequent as in the data, or as requested (class="snare", pitch="60").

        Raises UserError for what the data do not have.
        """
        if self.attributes:
            return {"label": self.attributes.draw(n, rng, where)}
        for key, value in where.items():
            if not self.spec.classes:
                raise UserError(f"this model is unconditional: remove {key}={value}.")
            if key != "class":
                near = did_you_mean(key, ["class"])
                raise UserError(f'"{key}" cannot be requested{near}: give a class, such as class={self.spec.classes[0]}.')
        if not self.spec.classes:
            return {}
        if "class" in where:
            return {"label": torch.full((n,), self._class(str(where["class"])))}
        shares = torch.tensor(self.frequencies, dtype=torch.float32)
        return {"label": torch.multinomial(shares, n, replacement=True, generator=rng)}

    # ---- what is shown and kept -------------------------------------------------------------------------------------------------

    def save(self, raws: Sequence[Sound], folder: Path) -> list[Path]:
        """000000.wav, ..., those of a class in its sub-folder, attributes in attributes.csv; numbered on, none overwritten."""
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(match[1]) for path in _written(folder) if (match := re.match(r"(\d{6,})\.", path.name))]
        paths = []
        for number, raw in enumerate(raws, start=max(numbers, default=-1) + 1):
            place = folder / _folder_name(raw.label) if raw.label is not None else folder
            place.mkdir(exist_ok=True)
            paths.append(place / f"{number:06d}.wav")
            with whole(paths[-1]) as part:
                part.write_bytes(wav_bytes(raw))
        if self.attributes:
            noted(folder, self.attributes.names, paths, [raw.attributes or {} for raw in raws])
        return paths

    def write(self, raws: Sequence[Sound], path: Path) -> None:
        """All sounds one after another as .wav or .flac, as arrays (.npz), as a .zip of what `save` writes, or drawn (.png)."""
        if path.suffix == ".png":
            self.preview(raws).save(path)
        elif path.suffix == ".npz":
            packed = [self.pack(raw) for raw in raws]
            arrays: dict[str, Any] = {key: np.stack([one[key] for one in packed]) for key in packed[0]} | {"rate": self.spec.rate}
            if self.attributes:
                arrays |= {"attributes": arrays.pop("label"), "attribute_names": np.array(self.attributes.names)}
            elif self.spec.classes:
                arrays["classes"] = np.array(self.spec.classes)
            np.savez(path, **arrays)
        elif path.suffix == ".zip":
            with TemporaryDirectory() as folder, ZipFile(path, "w") as archive:
                self.save(raws, Path(folder))
                for file in sorted(Path(folder).rglob("*.*")):
                    archive.write(file, file.relative_to(folder))
        else:
            written(joined(raws), path)

    def preview(self, raws: Sequence[Sound]) -> Image.Image:
        """Waves over their spectra, in a grid."""
        return sheet(raws)

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """A coarse logarithmic mel spectrum: 16 bands at 16 times."""
        wave = batch["wave"].cpu().float()
        wave = torch.nn.functional.pad(wave, (0, max(0, SKETCHED.n_fft - wave.shape[1])))
        return adaptive_avg_pool1d(log_mel(wave, SKETCHED), 16).flatten(1)

    def fault(self) -> str | None:
        """What does not fit in facts that were read from a file; None if all fits."""
        if self.spec.key != "wave" or len(self.spec.shape) != 1:
            return f"makes {self.spec.key!r:.40} of {len(self.spec.shape)} dimensions, where waves are made"
        if len(self.frequencies) != len(self.spec.classes):
            return f"has {len(self.spec.classes)} classes, but {len(self.frequencies)} frequencies of them"
        return misfit(self.attributes, self.spec)

    def to_json(self) -> dict[str, Any]:
        attributes = self.attributes.to_json() if self.attributes else None
        return {"spec": self.spec.to_json(), "frequencies": list(self.frequencies), "attributes": attributes}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        attributes = Attributes.from_json(facts["attributes"]) if facts.get("attributes") else None
        return cls(AudioSpec.from_json(facts["spec"]), tuple(facts["frequencies"]), attributes)


def _folder_name(label: str) -> str:
    """A class as the name of a folder that lies where it is put."""
    return label.replace("/", "_").replace("\\", "_").lstrip(".") or "_"


def _written(folder: Path) -> list[Path]:
    """The sounds in a folder and in those right below it, as `save` writes them."""
    return [*folder.glob("*.wav"), *folder.glob("*/*.wav")]
