"""Images of any height and width: gray, RGB or RGBA, with or without classes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from gansmith.data.codec import Batch
from gansmith.data.fitting import check_crop, fitted
from gansmith.data.mosaic import mosaic
from gansmith.data.spec import Spec
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError


@dataclass(frozen=True)
class Picture:
    """One image and, if the data has classes, the name of its class."""

    image: Image.Image
    label: str | None = None


@dataclass(frozen=True)
class Codec:
    """Pictures as uint8 [C, H, W] when packed and as float32 in [-1, 1] when unpacked; the class is "label".

    Packing resizes and converts (see `gansmith.data.fitting`); unpacking and repacking are exact inverses.
    """

    spec: Spec
    crop: str = "center"
    """How pictures of other proportions are fitted: center, fit or pad."""
    frequencies: tuple[int, ...] = ()
    """How many examples of the data each class has."""
    white: float = 255.0
    """The value that counts as white in pictures of more than 8 bits."""

    def __post_init__(self) -> None:
        check_crop(self.crop)

    @property
    def previewed(self) -> int:
        return 64

    def pixels(self, image: Image.Image) -> np.ndarray:
        """The image as uint8 [C, H, W] of the codec's shape; raises what Pillow raises on damaged files."""
        channels, height, width = self.spec.shape
        return fitted(image, (channels, height, width), self.crop, self.white)

    def pack(self, raw: Picture) -> dict[str, np.ndarray]:
        packed = {"image": self.pixels(raw.image)}
        if self.spec.classes:
            if raw.label is None:
                raise UserError(
                    "the data has classes, but this picture has none: give every picture a label, or train without labels."
                )
            packed["label"] = np.array(self._class(raw.label), np.int64)
        return packed

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        image = np.divide(packed["image"], np.float32(127.5), dtype=np.float32)
        image -= 1
        batch = {"image": torch.from_numpy(np.ascontiguousarray(image))}
        if "label" in packed:
            batch["label"] = torch.from_numpy(np.array(packed["label"], np.int64))
        return batch

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        image = batch["image"].detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
        packed = {"image": image.cpu().contiguous().numpy()}
        if "label" in batch:
            packed["label"] = batch["label"].detach().cpu().numpy().astype(np.int64)
        return packed

    def encode(self, raw: Picture) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Picture]:
        packed = self.repack(batch)
        images = [as_image(pixels) for pixels in packed["image"]]
        labels = [self.spec.classes[index] for index in packed["label"]] if "label" in packed else [None] * len(images)
        return [Picture(image, label) for image, label in zip(images, labels, strict=True)]

    def conditions(self, n: int, rng: torch.Generator, **wish: str) -> Batch:
        """Labels [n] as frequent as in the data, or all of the wished class (`class="7"`); nothing without classes.

        Raises UserError if there is no such class, or if something else than a class is wished.
        """
        for key in wish:
            if not self.spec.classes:
                raise UserError(f"this model was trained without classes, so {key}={wish[key]} cannot be wished: leave it out.")
            if key != "class":
                raise UserError(
                    f'"{key}" cannot be wished{did_you_mean(key, ["class"])}: what can be is class={self.spec.classes[0]}.'
                )
        if not self.spec.classes:
            return {}
        if "class" in wish:
            return {"label": torch.full((n,), self._class(str(wish["class"])), device=rng.device)}
        shares = torch.tensor(self.frequencies or [1] * len(self.spec.classes), dtype=torch.float32, device=rng.device)
        return {"label": torch.multinomial(shares, n, replacement=True, generator=rng)}

    def save(self, raws: Sequence[Picture], folder: Path) -> list[Path]:
        """PNG files `000000-<class>.png`, numbered on from those that are already there, so that none is overwritten."""
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(match[1]) for path in folder.glob("*.png") if (match := re.match(r"(\d{6,})[-.]", path.name))]
        paths = []
        for number, raw in enumerate(raws, start=max(numbers, default=-1) + 1):
            suffix = "" if raw.label is None else "-" + re.sub(r"[^\w.+-]", "_", raw.label)
            paths.append(folder / f"{number:06d}{suffix}.png")
            raw.image.save(paths[-1])
        return paths

    def preview(self, raws: Sequence[Picture]) -> Image.Image:
        return mosaic([raw.image for raw in raws])

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """The image averaged down to at most 8 x 8 cells."""
        image = batch["image"]
        return adaptive_avg_pool2d(image, (min(8, image.shape[2]), min(8, image.shape[3]))).flatten(1)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"spec": self.spec.to_json(), "frequencies": list(self.frequencies)}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Codec":
        return cls(**{**facts, "spec": Spec.from_json(facts["spec"]), "frequencies": tuple(facts["frequencies"])})

    def _class(self, label: str) -> int:
        if label not in self.spec.classes:
            near = did_you_mean(label, self.spec.classes)
            raise UserError(f'there is no class "{label}"{near}: the classes are {listed(self.spec.classes)}.')
        return self.spec.classes.index(label)


def as_image(pixels: np.ndarray) -> Image.Image:
    """uint8 [C, H, W] as a picture of mode L, RGB or RGBA."""
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
