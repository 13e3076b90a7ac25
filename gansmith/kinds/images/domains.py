"""Domains: images by class; the model gives an image of one class the look of another (StarGAN v2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from gansmith.data.codec import Batch
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.kinds.images.codec import ImageCodec, Picture
from gansmith.kinds.images.mosaic import mosaic


@dataclass(frozen=True)
class Remade(Picture):
    """A picture in the look of a domain, and the one that it was made from."""

    given: Image.Image | None = None


@dataclass(frozen=True)
class DomainCodec(ImageCodec):
    """Images with their domain as "label". What is generated carries "a" besides, the image that it was made from."""

    @property
    def previewed(self) -> int:
        return 32

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        batch = super().unpack(packed)
        return {**batch, **({"a": super().unpack({"image": packed["a"]})["image"]} if "a" in packed else {})}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        packed = super().repack(batch)
        return packed | ({"a": super().repack({"image": batch["a"]})["image"]} if "a" in batch else {})

    def decode(self, batch: Batch) -> list[Picture]:
        made = super().decode(batch)
        if "a" not in batch:
            return made
        given = super().decode({"image": batch["a"]})
        return [Remade(**vars(one), given=other.image) for one, other in zip(made, given, strict=True)]

    def source(self, batch: Batch) -> Batch:
        """Real examples are the sources of others: their image."""
        return {"a": batch["image"]}

    def preview(self, raws: Sequence[Picture]) -> Image.Image:
        """Strips of given and made."""
        return mosaic([_strip(raw) for raw in raws])

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> DomainCodec:
        return cls(**vars(ImageCodec.from_json(facts)))


def domains(images: Dataset) -> Dataset:
    """Images by class as domains. Raises UserError where there are not two classes."""
    codec = images.codec
    assert isinstance(codec, ImageCodec)
    if len(codec.spec.classes) < 2:
        raise UserError(
            f"{images.name} must have a folder for each of at least two domains, but it has {len(codec.spec.classes)}: sort the pictures "
            "into folders DOMAIN/."
        )
    if codec.levels.deep:
        raise UserError(f"domains are pictures of 8 bits, and {images.name} has {codec.levels.dtype}: convert them.")
    spec = replace(codec.spec, source=replace(codec.spec, classes=()), aligned=False)
    own = DomainCodec(**{**vars(codec), "spec": spec})
    held_out = images.held_out and replace(images.held_out, codec=own)
    return replace(images, codec=own, held_out=held_out, fingerprint=f"{images.fingerprint}-domains")


def _strip(raw: Picture) -> Image.Image:
    given = raw.given if isinstance(raw, Remade) and raw.given else raw.image
    strip = Image.new("RGB", (2 * raw.image.width, raw.image.height))
    for place, side in enumerate((given, raw.image)):
        strip.paste(side.convert("RGB"), (place * raw.image.width, 0))
    return strip
