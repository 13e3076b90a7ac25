"""Any picture as pixels of one size, number of channels and type.

Downscaling is Pillow's antialiased Lanczos after an exact box reduction to at least three times the target
(`Image.resize(reducing_gap=3)`); JPEG files far larger than needed are decoded at a fraction of their size by the decoder
itself (`Image.draft`), again no lower than three times the target. Transparent pictures are resampled with premultiplied
alpha, so that invisible colours do not bleed in. Pictures of more than 8 bits and of other channels are resampled in floating
point, channel by channel.
"""

import numpy as np
from jaxtyping import Float, Shaped
from PIL import Image, ImageOps

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import MODES, Opened, Stack
from gansmith.kinds.images.values import BYTES, Levels, white_of

CROPS = ("center", "fit", "pad")
"""center: the largest centred part of the wanted proportions; fit: the whole picture, its proportions changed if need be;
pad: the whole picture in its own proportions, with black (or, with alpha, transparent) borders."""

DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
"""Modes with more than 8 bits a pixel."""

_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_ORIENTATION, _FIRST_TURNED = 0x0112, 5
_GAP = 3.0


def check_crop(crop: str) -> None:
    """UserError unless `crop` is one of CROPS."""
    if crop not in CROPS:
        raise UserError(f'crop must be {", ".join(CROPS)}, not "{crop}"{did_you_mean(crop, CROPS)}.')


def upright_size(image: Opened) -> tuple[int, int]:
    """(height, width) once the camera's EXIF orientation is applied; reads the header alone."""
    if isinstance(image, Stack):
        return image.values.shape[1], image.values.shape[2]
    width, height = image.size
    return (width, height) if _turned(image) else (height, width)


def channels_of(image: Opened) -> int:
    """The fewest channels that hold what this picture's mode can say; reads the header alone."""
    if isinstance(image, Stack):
        return len(image.values)
    if image.mode in _ALPHA or image.has_transparency_data:
        return 4
    if image.mode in ("1", "L", *DEEP) or (image.mode == "P" and _is_gray_palette(image)):
        return 1
    return 3


def hides_nothing(image: Image.Image) -> bool:
    """Whether the alpha channel of a picture that has one is opaque everywhere; decodes it."""
    return image.convert("RGBA").getextrema()[3] == (255, 255)


def deep_values(image: Opened) -> Shaped[np.ndarray, "c h w"] | None:
    """The numbers of a picture that is more than bytes of 1, 3 or 4 channels; None for all others."""
    if isinstance(image, Stack):
        return image.values
    return np.asarray(image)[None] if image.mode in DEEP else None


def fitted(image: Opened, shape: tuple[int, int, int], crop: str, levels: Levels = BYTES) -> Shaped[np.ndarray, "c h w"]:
    """The pixels of `image` at shape (channels, height, width), of the type of `levels`: upright, converted, cropped and resized.

    Ordinary pictures among deep ones are stretched to the range of `levels`, deep pictures among ordinary ones brought to bytes by
    what counts as white in them. Transparent pictures asked for without alpha are laid on white. Raises what Pillow raises on
    damaged files, and ValueError for numbers of channels that cannot be brought together.
    """
    channels, height, width = shape
    if isinstance(image, Image.Image):
        across, down = (height, width) if _turned(image) else (width, height)
        image.draft(None, (int(_GAP * across), int(_GAP * down)))
        if image.getexif().get(_ORIENTATION, 1) != 1:
            image = ImageOps.exif_transpose(image)
    values = deep_values(image)
    if values is None and not levels.deep and channels in MODES:
        assert isinstance(image, Image.Image)
        pixels = np.asarray(resized(converted(image, channels), height, width, crop), np.uint8)
        return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))
    if values is None:  # an ordinary picture among others
        assert isinstance(image, Image.Image)
        values = np.asarray(converted(image, channels if channels in MODES else channels_of(image)))
        values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        values = values * ((levels.high - levels.low) / 255) + levels.low
    elif not levels.deep:
        most = float(values.max())
        values = values * (255 / (255.0 if values.dtype.kind in "bui" and most <= 255 else white_of(most)))
    if len(values) != channels and len(values) != 1:
        raise ValueError(f"has {len(values)} channels, but the data have {channels}")
    if not np.isfinite(values).all():
        raise ValueError("holds NaN or infinite values")
    planes = [_plane(plane - levels.low, height, width, crop) + levels.low for plane in values.astype(np.float64)]
    return levels.fit(np.stack(planes if len(planes) == channels else planes * channels))


def _plane(values: np.ndarray, height: int, width: int, crop: str) -> Float[np.ndarray, "h w"]:
    """One channel resized in floating point, within the range it had; borders are 0."""
    if values.shape == (height, width):
        return values
    plane = np.asarray(resized(Image.fromarray(values.astype(np.float32)), height, width, crop), np.float64)
    return plane.clip(min(values.min(), 0.0) if crop == "pad" else values.min(), values.max())


def _turned(image: Image.Image) -> bool:
    return image.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED


def _is_gray_palette(image: Image.Image) -> bool:
    colours = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def converted(image: Image.Image, channels: int) -> Image.Image:
    """The picture in 1, 3 or 4 channels; a transparent one that loses its transparency is laid on white."""
    if channels == 4:
        return image.convert("RGBA")
    if channels_of(image) == 4:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])  # convert would copy


def resized(image: Image.Image, height: int, width: int, crop: str) -> Image.Image:
    """The picture at this size: its middle ("center"), all of it on black ("pad") or distorted ("stretch")."""
    if image.size == (width, height):
        return image
    if crop == "pad":
        scale = min(width / image.width, height / image.height)
        inside = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        whole = Image.new(image.mode, (width, height))
        whole.paste(
            image.resize(inside, Image.Resampling.LANCZOS, reducing_gap=_GAP),
            ((width - inside[0]) // 2, (height - inside[1]) // 2),
        )
        return whole
    box = (0.0, 0.0, float(image.width), float(image.height))
    if crop == "center":
        scale = min(image.width / width, image.height / height)
        left, top = (image.width - width * scale) / 2, (image.height - height * scale) / 2
        left, top = max(0.0, left), max(0.0, top)  # rounding may leave them just below
        box = (left, top, min(image.width, left + width * scale), min(image.height, top + height * scale))
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box, reducing_gap=_GAP)
