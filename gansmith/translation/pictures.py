"""A picture of any size through a model: transparency and 16 bits are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from gansmith.data.fitting import DEEP
from gansmith.data.pairs import Codec
from gansmith.errors import UserError
from gansmith.translating import Translating
from gansmith.translation.tiles import translated

if TYPE_CHECKING:
    from gansmith.model import Model

_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_NAMES = {1: "gray", 3: "RGB", 4: "RGBA"}
_DEEP_WHITE = 65535.0


def check_translates(model: Model, makes: str = "b") -> Translating:
    """The model's GAN. Raises UserError unless it makes this side of images of the other."""
    gan = model.gan
    if not isinstance(gan, Translating) or not isinstance(model.codec, Codec):
        raise UserError(f"{model.card['gan']} makes images of noise, not of images: use gansmith generate, or train on pairs.")
    if makes not in gan.directions:
        raise UserError(
            f"{model.card['gan']} makes {' and '.join(gan.directions)} alone, not {makes}: leave --makes out, or train cyclegan."
        )
    return gan


@torch.inference_mode()
def translate_picture(
    model: Model, picture: Image.Image, *, makes: str = "b", tile: int | None = None, overlap: int = 32, name: str = "the picture"
) -> Image.Image:
    """What the model makes of a picture, as large (or `scale` times as large), with its transparency.

    Gray pictures of 16 bits stay so where the model makes gray. Raises UserError for a picture with colours where the model takes gray.
    """
    gan = check_translates(model, makes)
    spec = model.codec.spec
    channels = spec.given[0] if makes == "b" else spec.shape[0]
    picture = ImageOps.exif_transpose(picture)
    deep = picture.mode in DEEP
    alpha = picture.convert("RGBA").getchannel("A") if channels != 4 and _transparent(picture) else None
    given = _tensor(picture, channels, name).to(gan.device)
    made = translated(gan.maker(makes), given, scale=gan.scale, tile=tile, overlap=overlap)[0].cpu()
    result = _picture(made, deep)
    if alpha is not None and result.mode in ("L", "RGB"):
        result.putalpha(alpha.resize(result.size, Image.Resampling.BICUBIC))
    return result


def _transparent(picture: Image.Image) -> bool:
    return picture.mode in _ALPHA or picture.has_transparency_data


def _tensor(picture: Image.Image, channels: int, name: str) -> Tensor:
    """[1, C, H, W] from -1 to 1."""
    if picture.mode in DEEP:
        values = np.asarray(picture, np.float64)
        if picture.mode == "F":
            values = values * _DEEP_WHITE if values.max() <= 1 else values
        x = torch.from_numpy((values / _DEEP_WHITE).astype(np.float32))[None].expand(channels, -1, -1)
        return x[None] * 2 - 1
    if channels == 1:
        colours = np.asarray(picture.convert("RGB"))
        if (colours != colours[..., :1]).any():
            raise UserError(f"this model takes gray images, but {name} is {picture.mode} with colours: convert it to gray first.")
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    pixels = np.asarray(picture.convert(mode), np.float32)
    x = torch.from_numpy(pixels if pixels.ndim == 3 else pixels[..., None])
    return (x.movedim(2, 0)[None] / 127.5) - 1


def _picture(made: Tensor, deep: bool) -> Image.Image:
    """[C, H, W] from -1 to 1 as a picture; gray in 16 bits if asked."""
    if deep and len(made) == 1:
        values = made[0].add(1).mul(_DEEP_WHITE / 2).round().clamp(0, _DEEP_WHITE).numpy()
        return Image.fromarray(values.astype(np.uint16))
    pixels = made.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).movedim(0, 2).contiguous().numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
