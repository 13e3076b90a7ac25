"""Pairs of images: one that is given (a) and one that is made from it (b). Of one scene, or merely of two domains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.kinds.images.codec import Codec as ImageCodec
from gansmith.kinds.images.codec import Picture
from gansmith.kinds.images.label_maps import LabelMaps
from gansmith.kinds.images.masks import Holed
from gansmith.kinds.images.mosaic import mosaic

_SIDES = ("a", "b", "target")


@dataclass(frozen=True)
class Pair:
    """The image that is given, the one made from it, and for what is generated the real one that belongs there, where known."""

    a: Image.Image
    b: Image.Image
    target: Image.Image | None = None


@dataclass(frozen=True)
class Codec:
    """Both sides as uint8 [C, H, W] when packed and float32 in [-1, 1] when unpacked, under "a" and "b".

    What is generated carries "target" besides, the real "b" of its "a", where the two belong together.
    """

    spec: Spec
    a: ImageCodec
    b: ImageCodec

    @classmethod
    def of(cls, a: Any, b: Any, aligned: bool) -> "Codec":
        """The codec of two codecs of images."""
        assert isinstance(a, ImageCodec) and isinstance(b, ImageCodec)
        holes = isinstance(a, Holed)
        return cls(Spec(kind="pairs", key="b", shape=b.spec.shape, given=a.spec.shape, aligned=aligned, holes=holes), a, b)

    @property
    def previewed(self) -> int:
        return 16

    def pack(self, raw: Pair) -> dict[str, np.ndarray]:
        packed = {"a": self.a.pixels(raw.a), "b": self.b.pixels(raw.b)}
        return packed | ({"target": self.b.pixels(raw.target)} if raw.target is not None else {})

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        return {key: self._side(key).unpack({"image": packed[key]})["image"] for key in _SIDES if key in packed}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        return {key: self._side(key).repack({"image": batch[key]})["image"] for key in _SIDES if key in batch}

    def encode(self, raw: Pair) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Pair]:
        sides = {key: [raw.image for raw in self._side(key).decode({"image": batch[key]})] for key in _SIDES if key in batch}
        return [Pair(**{key: images[i] for key, images in sides.items()}) for i in range(len(batch["b"]))]

    def conditions(self, n: int, rng: torch.Generator, **wish: str) -> Batch:
        """Nothing but the images given: pairs have no classes, and to wish for one is a UserError."""
        for key, value in wish.items():
            raise UserError(f"pairs have no classes, so {key}={value} cannot be wished: leave it out.")
        return {}

    def given(self, batch: Batch) -> Batch:
        """What of real examples is given to make others: their "a", and "target" where the two sides belong together."""
        return {"a": batch["a"], **({"target": batch["b"]} if self.spec.aligned else {})}

    def save(self, raws: Sequence[Pair], folder: Path) -> list[Path]:
        """The made images as PNG files, numbered on from those that are already there."""
        return self.b.save([Picture(raw.b) for raw in raws], folder)

    def preview(self, raws: Sequence[Pair]) -> Image.Image:
        """Strips of given, made and, where known, real."""
        return mosaic([_strip(raw) for raw in raws])

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """That of the made image."""
        return self.b.sketch({"image": batch["b"]})

    def to_json(self) -> dict[str, Any]:
        return {"spec": self.spec.to_json(), "a": self.a.to_json(), "b": self.b.to_json()}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Codec":
        given = LabelMaps if "colours" in facts["a"] else Holed if "holes" in facts["a"] else ImageCodec
        return cls(Spec.from_json(facts["spec"]), given.from_json(facts["a"]), ImageCodec.from_json(facts["b"]))

    def _side(self, key: str) -> ImageCodec:
        return self.a if key == "a" else self.b


def _strip(raw: Pair) -> Image.Image:
    """The sides next to each other, the given one enlarged where it is smaller."""
    sides = [raw.a.resize(raw.b.size, Image.Resampling.NEAREST), raw.b, *([raw.target] if raw.target else [])]
    alpha = any(side.mode == "RGBA" for side in sides)
    strip = Image.new("RGBA" if alpha else "RGB", (sum(side.width for side in sides), raw.b.height))
    for place, side in enumerate(sides):
        strip.paste(side.convert(strip.mode), (place * raw.b.width, 0))
    return strip
