"""Maps of labels: pictures whose colours (or palette, or gray values) say what is where, and mean nothing as brightnesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Opened
from gansmith.kinds.images.codec import ImageCodec, Picture
from gansmith.kinds.images.readers.collection import Collection, in_threads
from gansmith.kinds.images.spec import ImageSpec

MAXIMUM = 256
"""The most labels; pictures with more colours are no maps."""


@dataclass(frozen=True)
class LabelMaps(ImageCodec):
    """Maps as indices [1, H, W] when packed and as one plane of 0 and 1 per label, [K, H, W], when unpacked. Sizes change to the nearest
    pixel, never in between."""

    colours: tuple[int, ...] = ()
    """The labels' colours, red * 65536 + green * 256 + blue, ascending."""

    @classmethod
    def of(cls, colours: list[int], height: int, width: int, crop: str) -> LabelMaps:
        spec = ImageSpec(shape=(len(colours), height, width))
        return cls(spec, crop, colours=tuple(colours))

    def pixels(self, image: Opened) -> UInt8[np.ndarray, "1 height width"]:
        """Raises ValueError for a colour that is no label."""
        _, height, width = self.spec.shape
        return self.indices(_sized(_upright(image), height, width, self.crop))[None]

    def indices(self, image: Image.Image) -> UInt8[np.ndarray, "height width"]:
        """The label of every pixel; raises ValueError for a colour that is none."""
        values, known = numbers_of(image), np.array(self.colours)
        found = np.searchsorted(known, values).clip(0, len(known) - 1)
        strange = np.unique(values[known[found] != values])
        if len(strange):
            raise ValueError(f"has the colour {named(int(strange[0]))}, which is no label of the data ({self.legend()})")
        return found.astype(np.uint8)

    def seen(self, image: Opened, name: str) -> Float[Tensor, "1 labels height width"]:
        """A map of any size as a network takes it. Raises UserError for a colour that is no label."""
        try:
            packed = self.indices(_upright(image))
        except ValueError as error:
            raise UserError(f"{name} {error}: give a map in the colours of the training data.") from error
        return self.unpack({"image": packed[None, None]})["image"]

    def legend(self) -> str:
        return listed([named(colour) for colour in self.colours], 6)

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        index = torch.from_numpy(np.array(packed["image"][:, 0], np.int64))
        planes = torch.arange(len(self.colours)).view(1, -1, 1, 1)
        return {"image": (index[:, None] == planes).float()}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        return {"image": batch["image"].detach().argmax(1, keepdim=True).cpu().numpy().astype(np.uint8)}

    def decode(self, batch: Batch) -> list[Picture]:
        palette = np.array([[colour >> 16, colour >> 8 & 255, colour & 255] for colour in self.colours], np.uint8)
        return [Picture(Image.fromarray(palette[index[0]])) for index in self.repack(batch)["image"]]

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "colours": list(self.colours)}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> LabelMaps:
        return cls(ImageSpec.from_json(facts["spec"]), facts["crop"], colours=tuple(facts["colours"]))


def numbers_of(image: Image.Image) -> np.ndarray:
    """Every pixel's colour as one number; gray values of more than 8 bits are refused as ValueError."""
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"is a picture of mode {image.mode}, where maps have 8 bits")
    pixels = np.asarray(image.convert("RGB"), np.int64)
    return pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]


def named(colour: int) -> str:
    return f"#{colour:06x}"


def fit_label_maps(collection: Collection, height: int, width: int, crop: str) -> LabelMaps:
    """The labels that occur in a collection. Raises UserError where there are more than maps have."""
    if crop == "pad":
        raise UserError("maps of labels have no colour to pad with: choose --crop center or fit.")

    def colours_of(example: Any) -> tuple[str, np.ndarray]:
        try:
            with example.open() as image:
                return example.name, np.unique(numbers_of(_upright(image)))
        except Exception:  # what cannot be read is named when it is decoded
            return example.name, np.empty(0, np.int64)

    found: set[int] = set()
    for name, colours in in_threads(colours_of, collection.examples):
        found |= set(colours.tolist())
        if len(found) > MAXIMUM:
            raise UserError(
                f"{collection.name} cannot hold maps of labels: up to {name} they have {len(found):,} colours, but at most {MAXIMUM} can "
                "be labels; save them as PNG (JPEG blurs colours), or leave --label-maps out."
            )
    return LabelMaps.of(sorted(found), height, width, crop)


def _upright(image: Opened) -> Image.Image:
    if not isinstance(image, Image.Image):
        raise ValueError(f"holds {image.mode}, where maps of labels are pictures")
    return ImageOps.exif_transpose(image)


def _sized(image: Image.Image, height: int, width: int, crop: str) -> Image.Image:
    """To the nearest pixel."""
    if image.mode == "P":
        image = image.convert("RGB")
    if crop == "center":
        return ImageOps.fit(image, (width, height), Image.Resampling.NEAREST)
    return image.resize((width, height), Image.Resampling.NEAREST)
