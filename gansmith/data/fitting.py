"""Any picture that Pillow can read, as 8-bit pixels of one size and mode.

Downscaling is Pillow's antialiased Lanczos after an exact box reduction to at least three times the target
(`Image.resize(reducing_gap=3)`); JPEG files far larger than needed are decoded at a fraction of their size by the decoder
itself (`Image.draft`), again no lower than three times the target. Transparent pictures are resampled with premultiplied
alpha, so that invisible colours do not bleed in.
"""

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError

CROPS = ("center", "fit", "pad")
"""center: the largest centred part of the wanted proportions; fit: the whole picture, its proportions changed if need be;
pad: the whole picture in its own proportions, with black (or, with alpha, transparent) borders."""

DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
"""Modes with more than 8 bits a pixel."""

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_ORIENTATION, _FIRST_TURNED = 0x0112, 5
_GAP = 3.0


def check_crop(crop: str) -> None:
    """UserError unless `crop` is one of CROPS."""
    if crop not in CROPS:
        raise UserError(f'crop must be {", ".join(CROPS)}, not "{crop}"{did_you_mean(crop, CROPS)}.')


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(height, width) once the camera's EXIF orientation is applied; reads the header alone."""
    width, height = image.size
    return (width, height) if _turned(image) else (height, width)


def channels_of(image: Image.Image) -> int:
    """1, 3 or 4: the fewest channels that hold what this picture's mode can say; reads the header alone."""
    if image.mode in _ALPHA or image.has_transparency_data:
        return 4
    if image.mode in ("1", "L", *DEEP) or (image.mode == "P" and _is_gray_palette(image)):
        return 1
    return 3


def deep_values(image: Image.Image) -> np.ndarray:
    """The numbers of a picture of more than 8 bits; ValueError if they cannot be brightness."""
    values = np.asarray(image, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("holds NaN or infinite values")
    if values.min() < 0:
        raise ValueError("holds negative values")
    return values


def white_of(maximum: float) -> float:
    """What counts as white among values up to `maximum`: 1 for fractions, else the largest number of 8, 9, 10 ... bits."""
    return 1.0 if maximum <= 1 else float(2 ** max(8, int(np.floor(maximum)).bit_length()) - 1)


def fitted(image: Image.Image, shape: tuple[int, int, int], crop: str, white: float = 255.0) -> UInt8[np.ndarray, "c h w"]:
    """The pixels of `image` at shape (channels, height, width): upright, converted, cropped and resized.

    `white` is the value that becomes 255 in pictures of more than 8 bits. Transparent pictures asked for without alpha are
    laid on white. Raises what Pillow raises on damaged files.
    """
    channels, height, width = shape
    across, down = (height, width) if _turned(image) else (width, height)
    image.draft(None, (int(_GAP * across), int(_GAP * down)))
    if image.getexif().get(_ORIENTATION, 1) != 1:
        image = ImageOps.exif_transpose(image)
    image = _resized(_converted(image, channels, white), height, width, crop)
    pixels = np.asarray(image, np.uint8)
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


def _turned(image: Image.Image) -> bool:
    return image.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED


def _is_gray_palette(image: Image.Image) -> bool:
    colours = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def _converted(image: Image.Image, channels: int, white: float) -> Image.Image:
    if image.mode in DEEP:
        image = Image.fromarray(np.rint(deep_values(image) * (255 / white)).clip(0, 255).astype(np.uint8))
    if channels == 4:
        return image.convert("RGBA")
    if channels_of(image) == 4:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(MODES[channels])


def _resized(image: Image.Image, height: int, width: int, crop: str) -> Image.Image:
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
