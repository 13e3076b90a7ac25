"""A picture of any size through a model: transparency and 16 bits are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from gansmith.data.paired import PairedCodec
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.data.values import Looks, Overlap, Seed, Tile, checked
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import MODES, Opened, Stack
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.label_maps import LabelMaps
from gansmith.kinds.images.masks import Holed, hidden
from gansmith.kinds.images.resize import DEEP, fitted
from gansmith.kinds.images.translation.tiles import FIRST_TILE, translated
from gansmith.kinds.images.translation.transparency import is_transparent, joined, split
from gansmith.kinds.images.values import Levels
from gansmith.tasks.translation import Styled, Translating

if TYPE_CHECKING:
    from gansmith.model import Model

_SPACES = {1: b"GRAY", 2: b"GRAY", 3: b"RGB ", 4: b"RGB "}
"""What a colour profile is for, as it says itself, by the number of channels."""
_HEADER = 128
"""Bytes at the beginning of every colour profile."""
_DEEP_WHITE = 65535.0
LARGE = 1024**2
"""Pixels beyond which a picture goes in tiles where they make what the whole makes: whole it might take all memory there is."""


def check_translates(model: Model, makes: str = "b") -> Translating:
    """The model's GAN. Raises UserError unless it makes this side of images of the other, or this domain."""
    gan = model.gan
    if not isinstance(gan, Translating):
        raise UserError(f"{model.card['gan']} makes images of noise, not of images: use gansmith generate, or train on pairs.")
    if makes not in gan.directions:
        if "b" not in gan.directions:
            if makes == "b":
                raise UserError(f"this model knows several domains: say with --makes which to make, {listed(gan.directions)}.")
            near = did_you_mean(makes, gan.directions)
            raise UserError(f"--makes must say one of the domains {listed(gan.directions)}, but it is {makes}{near}.")
        raise UserError(
            f"{model.card['gan']} makes {' and '.join(gan.directions)} alone, not {makes}: leave --makes out, or train cyclegan."
        )
    return gan


@checked
@torch.inference_mode()
def translate_picture(
    model: Model,
    picture: Opened,
    *,
    makes: str = "b",
    tile: Tile | None = None,
    overlap: Overlap = 32,
    name: str = "the picture",
    style: Tensor | None = None,
    partner: Opened | None = None,
    mask: Opened | None = None,
) -> Opened:
    """What the model makes of a picture, as large (or `scale` times as large), with its transparency.

    `style` [1, S] (of `random_styles` or `reference_style`) is for models that make many images of one, which else take the style of
    seed 0; `partner` is the second picture of a fusion; `mask` is white where the picture is to be filled in, which else is where it is
    transparent. Gray pictures of 16 bits stay so where the model makes gray; a model of 16 bits
    or floating point numbers makes those. Numbers that no picture holds (colours of 16 bits, other channels than gray, RGB and RGBA) come
    and go as a `Stack`. Raises UserError for a picture with colours where the model takes gray, for one of other channels than the
    model's, and for a partner of another size, one too many or one too few.
    """
    gan = check_translates(model, makes)
    codec, result_codec = sides_of(model, makes)
    channels = codec.spec.shape[0]
    if isinstance(codec, Holed):
        picture = hidden(picture, mask, name)
    elif mask is not None:
        raise UserError(f"{model.card['gan']} was not trained to fill holes: leave --masks out, or train with --masks.")
    picture = _upright(picture)
    deep = isinstance(picture, Stack) or picture.mode in DEEP
    original, alpha = picture, None
    if not isinstance(codec, LabelMaps):
        picture, alpha = split(picture, channels)
    given = _given(codec, picture, name).to(gan.device)
    if partner is not None or gan.partner:
        given = torch.cat([given, _partner(model, picture, partner, name).to(gan.device)], 1)
    if tile is None and gan.near and picture.size[0] * picture.size[1] > LARGE:
        tile = FIRST_TILE
    network = gan.used(makes)
    if isinstance(gan, Styled):
        style = random_styles(model, 1, makes=makes)[0] if style is None else style
        network = _InStyle(network, style.to(gan.device))
    made = translated(network, given, scale=gan.scale, tile=tile, overlap=overlap)[0].cpu()
    result = _result(made, result_codec.levels, picture, deep)
    if alpha is not None:
        result = joined(result, alpha)
    result.info.update(_facts(original, result))
    return result


def dropped(model: Model, picture: Opened, made: Opened, makes: str = "b") -> list[str]:
    """What of a picture's is not in that which `translate_picture` made of it, as the ends of sentences about it."""
    codec = sides_of(model, makes)[0]
    profile, notes = picture.info.get("icc_profile"), []
    if codec.spec.shape[0] != 4 and is_transparent(picture) and not is_transparent(made):
        notes.append("its transparency is left out, which such numbers are not written with")
    if profile and "icc_profile" not in made.info:
        space = profile[16:20].decode(errors="replace").strip() if len(profile) >= _HEADER else "nothing that can be read"
        notes.append(f"its colour profile is for {space} and left out, as {made.mode} is made")
    return notes


def _facts(picture: Opened, made: Opened) -> dict[str, Any]:
    """The colour profile of a picture where it fits what was made of it, and its resolution."""
    facts, profile, dpi = {}, picture.info.get("icc_profile"), picture.info.get("dpi")
    channels = len(made.values) if isinstance(made, Stack) else len(made.getbands())
    if profile and len(profile) >= _HEADER and profile[16:20] == _SPACES.get(channels):
        facts["icc_profile"] = profile
    if dpi and all(0 < float(number) < 1e5 for number in dpi) and tuple(dpi) != (1, 1):  # (1, 1): TIFF of no unit
        facts["dpi"] = tuple(map(float, dpi))
    return facts


def sides_of(model: Model, makes: str) -> tuple[ImageCodec, ImageCodec]:
    """The codecs of what is given and of what is made."""
    codec = model.codec
    assert isinstance(codec, PairedCodec | ImageCodec)
    given, made = (codec.a, codec.b) if isinstance(codec, PairedCodec) else (codec, codec)
    return (made, given) if makes == "a" else (given, made)


def _given(codec: ImageCodec, picture: Opened, name: str) -> Tensor:
    """The picture in its own size as the network takes it, [1, C, H, W]."""
    channels, levels = codec.spec.shape[0], codec.levels
    if isinstance(codec, LabelMaps):
        return codec.seen(picture, name)
    if isinstance(codec, Holed):
        assert isinstance(picture, Image.Image)
        return codec.seen(picture)
    if isinstance(picture, Stack):
        if len(picture.values) != channels:
            raise UserError(
                f"this model takes images of {channels} channels, but {name} has {len(picture.values)}: give one of as many."
            )
    elif channels not in MODES:
        raise UserError(
            f"this model takes images of {channels} channels, but {name} is {picture.mode}: give a .npy or TIFF file of as many."
        )
    elif channels == 1 and picture.mode not in DEEP:
        colours = np.asarray(picture.convert("RGB"))
        if (colours != colours[..., :1]).any():
            raise UserError(f"this model takes gray images, but {name} is {picture.mode} with colours: convert it to gray first.")
    if levels.deep:
        width, height = picture.size
        try:
            packed = fitted(picture, (channels, height, width), codec.crop, levels)
        except ValueError as error:  # NaN and infinite values
            raise UserError(f"{name} {error}: repair it, or leave it out.") from error
        return torch.from_numpy(np.ascontiguousarray(levels.unpack(packed[None])))
    return _tensor(picture, channels)


class _InStyle(nn.Module):
    """A network from image and style to image, with the style given once and for all."""

    def __init__(self, network: nn.Module, style: Tensor) -> None:
        super().__init__()
        self.network, self.style = network, style

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image, self.style.expand(len(image), -1))


@checked
@torch.inference_mode()
def random_styles(model: Model, n: Looks, *, makes: str = "b", seed: Seed = 0) -> list[Tensor]:
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
def reference_style(model: Model, picture: Opened, *, makes: str = "b", name: str = "the reference") -> Tensor:
    """The style [1, S] of a picture of the side that is made, which may have any size. Raises UserError for a model without styles."""
    gan = check_translates(model, makes)
    if not isinstance(gan, Styled):
        raise UserError(
            f"{model.card['gan']} takes no reference: leave --reference out, or train bicyclegan, munit or starganv2."
        )
    codec = sides_of(model, makes)[1]
    _, height, width = codec.spec.shape
    picture, _ = split(_upright(picture), codec.spec.shape[0])
    if isinstance(picture, Image.Image):
        picture = picture.convert("RGB") if picture.mode == "P" else picture
        picture = ImageOps.fit(picture, (width, height), Image.Resampling.BICUBIC)
    return gan.style_of(_given(codec, picture, name).to(gan.device), makes)


def _partner(model: Model, picture: Opened, partner: Opened | None, name: str) -> Tensor:
    """The second picture of a fusion as the network takes it."""
    if partner is None or not (isinstance(model.gan, Translating) and model.gan.partner):
        wrong = "fuses two pictures: give --partner" if partner is None else "makes a picture of one: leave --partner out"
        raise UserError(f"{model.card['gan']} {wrong}.")
    partner = _upright(partner)
    if partner.size != picture.size:
        sizes = " and ".join(f"{width}x{height}" for width, height in (picture.size, partner.size))
        raise UserError(f"the two pictures of a fusion must have one size, but {name} and its partner have {sizes}: resize one.")
    codec = sides_of(model, "b")[1]
    return _given(codec, split(partner, codec.spec.shape[0])[0], f"the partner of {name}")


def _upright(picture: Opened) -> Opened:
    """Raises UserError for what is no opened picture."""
    if not isinstance(picture, Image.Image | Stack):
        raise UserError(
            f"a picture is expected, as PIL.Image.open gives one, but it is a {type(picture).__name__}: open it first."
        )
    return picture if isinstance(picture, Stack) else ImageOps.exif_transpose(picture)


def _tensor(picture: Opened, channels: int) -> Tensor:
    """[1, C, H, W] from -1 to 1."""
    if isinstance(picture, Stack):
        values = picture.values.astype(np.float64)
        fractions = picture.values.dtype.kind == "f" and values.max() <= 1
        white = 255.0 if picture.values.dtype == np.uint8 else 1.0 if fractions else _DEEP_WHITE
        return torch.from_numpy((values * (2 / white) - 1).astype(np.float32))[None]
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


def _result(made: Tensor, levels: Levels, picture: Opened, deep: bool) -> Opened:
    """[C, H, W] from -1 to 1 as a picture, or as numbers where no picture holds them."""
    if levels.deep or len(made) not in MODES:
        values = levels.repack(made)
        if len(values) > 1:
            return Stack(values)
        return Image.fromarray(values[0] if levels.dtype != "int16" else values[0].astype(np.float32))
    if isinstance(picture, Stack) and picture.values.dtype != np.uint8 and len(made) > 1:
        return Stack(made.add(1).mul(_DEEP_WHITE / 2).round().clamp(0, _DEEP_WHITE).numpy().astype(np.uint16))
    return _picture(made, deep)


def _picture(made: Tensor, deep: bool) -> Image.Image:
    """[C, H, W] from -1 to 1 as a picture; gray in 16 bits if asked."""
    if deep and len(made) == 1:
        values = made[0].add(1).mul(_DEEP_WHITE / 2).round().clamp(0, _DEEP_WHITE).numpy()
        return Image.fromarray(values.astype(np.uint16))
    pixels = made.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).movedim(0, 2).contiguous().numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
