"""A picture of any size through a model: transparency and 16 bits are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from gansmith.data.fitting import DEEP, fitted
from gansmith.data.images import Codec as ImageCodec
from gansmith.data.label_maps import LabelMaps
from gansmith.data.masks import Holed, hidden
from gansmith.data.pairs import Codec
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.translating import Styled, Translating
from gansmith.translation.tiles import translated

if TYPE_CHECKING:
    from gansmith.model import Model

_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_NAMES = {1: "gray", 3: "RGB", 4: "RGBA"}
_DEEP_WHITE = 65535.0


def check_translates(model: Model, makes: str = "b") -> Translating:
    """The model's GAN. Raises UserError unless it makes this side of images of the other, or this domain."""
    gan = model.gan
    if not isinstance(gan, Translating):
        raise UserError(f"{model.card['gan']} makes images of noise, not of images: use gansmith generate, or train on pairs.")
    if makes not in gan.directions:
        if "b" not in gan.directions:
            near = did_you_mean(makes, gan.directions)
            raise UserError(f"--makes must say one of the domains {listed(gan.directions)}, but it is {makes}{near}.")
        raise UserError(
            f"{model.card['gan']} makes {' and '.join(gan.directions)} alone, not {makes}: leave --makes out, or train cyclegan."
        )
    return gan


@torch.inference_mode()
def translate_picture(
    model: Model,
    picture: Image.Image,
    *,
    makes: str = "b",
    tile: int | None = None,
    overlap: int = 32,
    name: str = "the picture",
    style: Tensor | None = None,
    partner: Image.Image | None = None,
    mask: Image.Image | None = None,
) -> Image.Image:
    """What the model makes of a picture, as large (or `scale` times as large), with its transparency.

    `style` [1, S] (of `random_styles` or `reference_style`) is for models that make many images of one, which else take the style of
    seed 0; `partner` is the second picture of a fusion; `mask` is white where the picture is to be filled in, which else is where it is
    transparent. Gray pictures of 16 bits stay so where the model makes gray; a model of 16 bits
    or floating point numbers makes those. Raises UserError for a picture with colours where the model takes gray, and for a partner of
    another size, one too many or one too few.
    """
    gan = check_translates(model, makes)
    codec, result_codec = sides_of(model, makes)
    channels = codec.spec.shape[0]
    if isinstance(codec, Holed):
        picture = hidden(picture, mask, name)
    elif mask is not None:
        raise UserError(f"{model.card['gan']} was not trained to fill holes: leave --masks out, or train with --masks.")
    picture = ImageOps.exif_transpose(picture)
    deep = picture.mode in DEEP
    alpha = picture.convert("RGBA").getchannel("A") if channels != 4 and _transparent(picture) else None
    given = _given(codec, picture, name).to(gan.device)
    if partner is not None or gan.partner:
        given = torch.cat([given, _partner(model, picture, partner, name).to(gan.device)], 1)
    network = gan.used(makes)
    if isinstance(gan, Styled):
        style = random_styles(model, 1, makes=makes)[0] if style is None else style
        network = _InStyle(network, style.to(gan.device))
    made = translated(network, given, scale=gan.scale, tile=tile, overlap=overlap)[0].cpu()
    levels = result_codec.levels
    if levels.deep:
        return Image.fromarray(levels.repack(made)[0] if levels.dtype != "int16" else levels.repack(made)[0].astype(np.float32))
    result = _picture(made, deep)
    if alpha is not None and result.mode in ("L", "RGB"):
        result.putalpha(alpha.resize(result.size, Image.Resampling.BICUBIC))
    return result


def sides_of(model: Model, makes: str) -> tuple[ImageCodec, ImageCodec]:
    """The codecs of what is given and of what is made. Raises UserError for images of so many channels that no picture has them."""
    codec = model.codec
    assert isinstance(codec, Codec | ImageCodec)
    given, made = (codec.a, codec.b) if isinstance(codec, Codec) else (codec, codec)
    given, made = (made, given) if makes == "a" else (given, made)
    for side in (given, made):
        count = side.spec.shape[0]
        if not isinstance(side, LabelMaps) and (count not in _NAMES or (count > 1 and side.levels.deep)):
            raise UserError(
                f"this model is of images of {count} channels of {side.levels.dtype}, which no picture has: call it from Python, "
                "gansmith.load(RUN).gan.maker()."
            )
    return given, made


def _given(codec: ImageCodec, picture: Image.Image, name: str) -> Tensor:
    """The picture in its own size as the network takes it, [1, C, H, W]."""
    channels, levels = codec.spec.shape[0], codec.levels
    if isinstance(codec, LabelMaps):
        return codec.seen(picture, name)
    if isinstance(codec, Holed):
        return codec.seen(picture)
    if channels == 1 and picture.mode not in DEEP:
        colours = np.asarray(picture.convert("RGB"))
        if (colours != colours[..., :1]).any():
            raise UserError(f"this model takes gray images, but {name} is {picture.mode} with colours: convert it to gray first.")
    if levels.deep:
        packed = fitted(picture, (channels, picture.height, picture.width), codec.crop, levels)
        return torch.from_numpy(np.ascontiguousarray(levels.unpack(packed[None])))
    return _tensor(picture, channels, name)


class _InStyle(nn.Module):
    """A network from image and style to image, with the style given once and for all."""

    def __init__(self, network: nn.Module, style: Tensor) -> None:
        super().__init__()
        self.network, self.style = network, style

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image, self.style.expand(len(image), -1))


@torch.inference_mode()
def random_styles(model: Model, n: int, *, makes: str = "b", seed: int = 0) -> list[Tensor]:
    """n styles [1, S] for `translate_picture`. Raises UserError for a model that makes one image of one, if n is greater than 1."""
    gan = check_translates(model, makes)
    if not isinstance(gan, Styled):
        raise UserError(
            f"{model.card['gan']} makes one image of an image, so there are no {n} of them: leave -n out, or train bicyclegan, munit or "
            "starganv2."
        )
    noise = torch.randn(n, gan.config.noise, generator=torch.Generator().manual_seed(seed)).to(gan.device)
    return list(gan.style_from(noise, makes).split(1))


@torch.inference_mode()
def reference_style(model: Model, picture: Image.Image, *, makes: str = "b", name: str = "the reference") -> Tensor:
    """The style [1, S] of a picture of the side that is made, which may have any size. Raises UserError for a model without styles."""
    gan = check_translates(model, makes)
    if not isinstance(gan, Styled):
        raise UserError(
            f"{model.card['gan']} takes no reference: leave --reference out, or train bicyclegan, munit or starganv2."
        )
    codec = sides_of(model, makes)[1]
    _, height, width = codec.spec.shape
    picture = ImageOps.exif_transpose(picture)
    picture = ImageOps.fit(picture.convert("RGB") if picture.mode == "P" else picture, (width, height), Image.Resampling.BICUBIC)
    return gan.style_of(_given(codec, picture, name).to(gan.device), makes)


def _partner(model: Model, picture: Image.Image, partner: Image.Image | None, name: str) -> Tensor:
    """The second picture of a fusion as the network takes it."""
    if partner is None or not (isinstance(model.gan, Translating) and model.gan.partner):
        wrong = "fuses two pictures: give --partner" if partner is None else "makes a picture of one: leave --partner out"
        raise UserError(f"{model.card['gan']} {wrong}.")
    partner = ImageOps.exif_transpose(partner)
    if partner.size != picture.size:
        sizes = " and ".join(f"{one.width}x{one.height}" for one in (picture, partner))
        raise UserError(f"the two pictures of a fusion must have one size, but {name} and its partner have {sizes}: resize one.")
    return _given(sides_of(model, "b")[1], partner, f"the partner of {name}")


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
