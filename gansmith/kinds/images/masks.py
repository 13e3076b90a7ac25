"""Pictures with holes: the model fills in what a mask hides, and sees the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps
from torch import Tensor

from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Opened
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.resize import DEEP, channels_of, converted, fitted
from gansmith.kinds.images.spec import ImageSpec

HALF = 128
"""Where masks are at least this bright they hide the picture; what is less opaque than this is a hole."""


@dataclass(frozen=True)
class Holed(ImageCodec):
    """Pictures of RGBA of which a pixel is known (255 in the last channel) or hidden (0 in all channels), never in between."""

    @classmethod
    def of(cls, height: int, width: int, crop: str) -> Holed:
        return cls(ImageSpec(shape=(4, height, width), holes=True), crop)

    def pixels(self, image: Opened) -> UInt8[np.ndarray, "4 height width"]:
        """Colours are resized as those of the whole picture are, so that both are equal where the picture is known."""
        assert isinstance(image, Image.Image)
        _, height, width = self.spec.shape
        alpha = fitted(image.getchannel("A"), (1, height, width), self.crop)[0]
        return _holed(fitted(image.convert("RGB"), (3, height, width), self.crop), alpha)

    def seen(self, image: Image.Image) -> Float[Tensor, "1 4 height width"]:
        """A picture of `hidden` of any size as a network takes it."""
        pixels = np.asarray(image).transpose(2, 0, 1)
        return self.unpack({"image": _holed(pixels[:3], pixels[3])[None]})["image"]

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "holes": True}


def hidden(picture: Opened, mask: Opened | None, name: str) -> Image.Image:
    """The picture, upright, in RGBA, transparent where the mask is white, or without a mask where it was half transparent, else opaque.

    Raises UserError for a picture or mask of more than 8 bits, a mask of another size or with transparency, and where nothing is hidden.
    """
    for opened, what in ((picture, "picture"), (mask, "mask")):
        if opened is not None and (not isinstance(opened, Image.Image) or opened.mode in DEEP):
            raise UserError(f"holes are filled in pictures of 8 bits, but the {what} {name} is {opened.mode}: convert it.")
    assert isinstance(picture, Image.Image) and (mask is None or isinstance(mask, Image.Image))
    picture = ImageOps.exif_transpose(picture)
    if mask is None:
        whole = picture.convert("RGBA")
        alpha = np.asarray(whole)[..., 3] >= HALF
        if alpha.all():
            raise UserError(
                f"{name} has no transparent part that could be filled in: make holes transparent, or give --masks, white where they are."
            )
    else:
        mask = ImageOps.exif_transpose(mask)
        if mask.size != picture.size:
            raise UserError(
                f"a mask must have the size of its picture, but that of {name} is {mask.width}x{mask.height} for a picture of "
                f"{picture.width}x{picture.height}: resize it."
            )
        if channels_of(mask) == 4 and mask.convert("RGBA").getchannel("A").getextrema() != (255, 255):
            raise UserError(
                f"the mask of {name} is transparent in parts, so that what is white in it is not clear: save it without transparency, "
                "white where the picture is to be filled in and black elsewhere."
            )
        whole = converted(picture, min(3, channels_of(picture))).convert("RGBA")
        brightness = np.asarray(mask.convert("L"))
        alpha = brightness < HALF
        if alpha.all():
            raise UserError(
                f"the mask of {name} hides nothing, as its brightest value is {brightness.max()} and {HALF} to 255 would hide: make it "
                "white where the picture is to be filled in."
            )
    whole.putalpha(Image.fromarray(alpha * np.uint8(255)))
    return whole


def _holed(
    colours: UInt8[np.ndarray, "3 height width"], alpha: UInt8[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "4 height width"]:
    known = alpha >= HALF
    return np.concatenate([colours * known, known[None] * np.uint8(255)])
