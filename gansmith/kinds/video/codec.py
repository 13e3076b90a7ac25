"""Clips: frames of one size, number and rate."""

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
from torch.nn.functional import adaptive_avg_pool2d

from gansmith.data.attributes import Attributes, label_of, misfit, repacked, unpacked
from gansmith.data.codec import Batch
from gansmith.data.spreadsheets import add_to_table
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.images.resize import converted, resized
from gansmith.kinds.video.clip import Clip, as_image
from gansmith.kinds.video.preview import strips
from gansmith.kinds.video.spec import VideoSpec
from gansmith.kinds.video.writers import SUFFIXES, arrays_of, save_animation, save_frames, write_film

LENGTHS = ("frames", "seconds")
"""What may be requested of any model besides classes and attributes."""


@dataclass(frozen=True)
class VideoCodec:
    """Clips [frames, channels, height, width], uint8 when packed, float32 from -1 to 1 when unpacked.

    A batch may have more or fewer frames than the spec says: they are decoded as they are.
    """

    suffixes = SUFFIXES
    previewed = 8
    spec: VideoSpec
    crop: str = "center"
    """How frames of other proportions are fitted."""
    frequencies: tuple[int, ...] = ()
    """How many clips each class has."""
    attributes: Attributes | None = None
    """What is known of the attributes, if the data have any."""

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        channels, height, width = self.spec.shape[1:]
        return channels, height, width

    # ---- between clips and tensors ----------------------------------------------------------------------------------------------

    def pixels(self, image: Image.Image) -> np.ndarray:
        """A frame as numbers [channels, height, width]."""
        channels, height, width = self.frame_shape
        found = np.asarray(resized(converted(image, channels), height, width, self.crop), np.uint8)
        return np.ascontiguousarray(found[None] if channels == 1 else found.transpose(2, 0, 1))

    def pack(self, raw: Clip) -> dict[str, np.ndarray]:
        """Raises UserError for a clip of another length, or without a label that the data have."""
        if len(raw.frames) != self.spec.shape[0]:
            raise UserError(f"a clip of {self.spec.shape[0]} frames was expected, but this one has {len(raw.frames)}: cut it.")
        packed = {"video": np.stack([self.pixels(as_image(frame)) for frame in raw.frames])}
        if self.spec.classes:
            packed["label"] = np.array(self.class_of(raw.label), np.int64)
        if self.attributes:
            if raw.attributes is None or not set(raw.attributes) >= set(self.attributes.names):
                raise UserError(f"a clip with the attributes {listed(self.attributes.names)} was expected: give it all of them.")
            packed["label"] = np.array([raw.attributes[name] for name in self.attributes.names], np.float32)
        return packed

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        batch = {"video": torch.from_numpy(np.ascontiguousarray(packed["video"])).float().mul_(2 / 255).sub_(1)}
        if "label" in packed:
            batch["label"] = unpacked(packed["label"], self.attributes)
        return batch

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        video = batch["video"].detach().cpu().float()
        packed = {"video": video.add(1).mul_(255 / 2).round_().clamp_(0, 255).to(torch.uint8).numpy()}
        if "label" in batch:
            packed["label"] = repacked(batch["label"], self.attributes)
        return packed

    def encode(self, raw: Clip) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Clip]:
        packed = self.repack(batch)
        frames = packed["video"].transpose(0, 1, 3, 4, 2)
        labels = packed.get("label", [None] * len(frames))
        return [
            Clip(np.ascontiguousarray(own), self.spec.rate, *label_of(label, self.attributes, self.spec.classes), self.spec.loops)
            for own, label in zip(frames, labels, strict=True)
        ]

    def class_of(self, name: str | None) -> int:
        """Raises UserError for a class that the data do not have."""
        if name not in self.spec.classes:
            known = listed(self.spec.classes, 20)
            if name is None:
                raise UserError(f"this clip has no class, where those learned have ({known}): give it one.")
            raise UserError(f'there is no class "{name}"{did_you_mean(name, self.spec.classes)}: the classes are {known}.')
        return self.spec.classes.index(name)

    # ---- what to generate -------------------------------------------------------------------------------------------------------

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Classes [n] or attributes [n, K] as frequent as in the data, or as requested (class="walk"); nothing without either.

        Raises UserError for what the data do not have, and for any other request.
        """
        if self.attributes:
            return {"label": self.attributes.draw(n, rng, where)}
        for key, value in where.items():
            if not self.spec.classes:
                raise UserError(f"this model is unconditional: remove {key}={value}.")
            if key != "class":
                known = ["class", *LENGTHS]
                raise UserError(
                    f'"{key}" cannot be requested{did_you_mean(key, known)}: give a class, such as class={self.spec.classes[0]}.'
                )
        if not self.spec.classes:
            return {}
        if "class" in where:
            return {"label": torch.full((n,), self.class_of(str(where["class"])))}
        shares = torch.tensor(self.frequencies or [1] * len(self.spec.classes), dtype=torch.float32)
        return {"label": torch.multinomial(shares, n, replacement=True, generator=rng)}

    # ---- what is shown and kept -------------------------------------------------------------------------------------------------

    def save(self, raws: Sequence[Clip], folder: Path) -> list[Path]:
        """Files 000000-<class>.webp without loss, numbered on from those that are there; classes and attributes in labels.csv beside."""
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(match[1]) for path in folder.iterdir() if (match := re.match(r"(\d{6,})[-.]", path.name))]
        paths = []
        for number, raw in enumerate(raws, start=max(numbers, default=-1) + 1):
            paths.append(folder / f"{number:06d}{_spelled(raw.label)}.webp")
            save_animation(raw.images(), paths[-1], raw.rate, raw.loops)
        self._note(folder, [path.name for path in paths], raws)
        return paths

    def write(self, raws: Sequence[Clip], path: Path) -> None:
        """All clips side by side in one film or animation, as film strips (.png), as arrays (.npz), or a .zip with a folder of frames
        for each."""
        if path.suffix.lower() == ".npz":
            arrays = arrays_of(raws, self.spec.classes, self.spec.attributes)
            np.savez_compressed(path, **arrays)  # pyright: ignore[reportArgumentType], NumPy's stubs want allow_pickle alone
        elif path.suffix.lower() == ".zip":
            with TemporaryDirectory() as place, ZipFile(path, "w") as archive:
                names = [f"{number:06d}{_spelled(raw.label)}" for number, raw in enumerate(raws)]
                for name, raw in zip(names, raws, strict=True):
                    save_frames(raw, Path(place, name))
                self._note(Path(place), names, raws)
                for file in sorted(Path(place).rglob("*.*")):
                    archive.write(file, file.relative_to(place).as_posix())
        else:
            write_film(raws, path)

    def _note(self, folder: Path, names: Sequence[str], raws: Sequence[Clip]) -> None:
        """Adds the classes or attributes of the clips, if they have any, to labels.csv."""
        if self.attributes:
            columns = list(self.attributes.names)
            rows = [[f"{(raw.attributes or {})[name]:.7g}" for name in columns] for raw in raws]
        elif self.spec.classes and all(raw.label is not None for raw in raws):
            columns, rows = ["class"], [[str(raw.label)] for raw in raws]
        else:
            return
        add_to_table(folder / "labels.csv", ["file", *columns], ([name, *row] for name, row in zip(names, rows, strict=True)))

    def preview(self, raws: Sequence[Clip]) -> Image.Image:
        """Film strips."""
        return strips(raws)

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """Four frames averaged down to at most 8 x 8 cells, and how those differ from the frames after them."""
        video = batch["video"].cpu()
        steps = video.shape[1]
        places = np.linspace(0, steps - 1, 4).round().astype(int)
        after = np.minimum(places + 1, steps - 1)
        side = (min(8, video.shape[3]), min(8, video.shape[4]))
        small = adaptive_avg_pool2d(torch.cat([video[:, places], video[:, after] - video[:, places]], 1).flatten(1, 2), side)
        return small.flatten(1)

    def fault(self) -> str | None:
        """What does not fit in facts that were read from a file; None if all fits."""
        if self.spec.key != "video" or len(self.spec.shape) != len(self.spec.axes):
            return f"makes {self.spec.key!r:.40} of {len(self.spec.shape)} dimensions, where clips are made"
        if self.spec.shape[1] not in (1, 3, 4) or not 0 < self.spec.rate <= 1000:
            return f"has {self.spec.shape[1]} channels and {self.spec.rate:g} frames a second"
        if len(self.frequencies) not in (0, len(self.spec.classes)):
            return f"has {len(self.spec.classes)} classes, but frequencies of {len(self.frequencies)}"
        return misfit(self.attributes, self.spec)

    def to_json(self) -> dict[str, Any]:
        return {
            "spec": self.spec.to_json(),
            "crop": self.crop,
            "frequencies": list(self.frequencies),
            "attributes": self.attributes.to_json() if self.attributes else None,
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        attributes = Attributes.from_json(facts["attributes"]) if facts.get("attributes") else None
        return cls(VideoSpec.from_json(facts["spec"]), facts["crop"], tuple(facts["frequencies"]), attributes)


def _spelled(label: str | None) -> str:
    """A class as a part of the name of a file."""
    return "" if label is None else "-" + re.sub(r"[^\w.+-]", "_", label)
