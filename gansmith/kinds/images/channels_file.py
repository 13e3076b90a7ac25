"""Pictures that Pillow has no mode for: any number of channels of any numbers, from .npy and TIFF files."""

import logging
import os
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from PIL import Image, UnidentifiedImageError

from gansmith.data.readers.files import Unreadable, check_ends
from gansmith.data.readers.limits import check, check_ratio, current
from gansmith.data.readers.rows import read_npy
from gansmith.errors import UserError, missing_extra

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Numbers of channels that Pillow has a mode of bytes for."""
MAX_CHANNELS = 64
"""The shortest side of an array is taken for its channels up to this length."""


class Stack:
    """Numbers [C, H, W], opened and closed like a Pillow image."""

    def __init__(
        self, values: np.ndarray, format: str = "array", is_animated: bool = False, info: dict[str, Any] | None = None
    ) -> None:
        """`format`, `is_animated` (whether the file holds more of them) and `info` are as of a Pillow image; `info["alpha"]` says that
        the last channel is opacity, and whether the others are "straight" or "premultiplied" by it."""
        self.values, self.format, self.is_animated, self.info = values, format, is_animated, info or {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    @property
    def mode(self) -> str:
        return f"{self.values.dtype} x {len(self.values)}"

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)"""
        return self.values.shape[2], self.values.shape[1]

    def tobytes(self) -> bytes:
        return self.values.tobytes()


Opened = Image.Image | Stack
"""A picture as a source opens it."""


def as_picture(values: np.ndarray) -> Opened:
    """Numbers [C, H, W] as a Pillow image where they are bytes of 1, 3 or 4 channels, else as they are."""
    return as_image(values) if values.dtype == np.uint8 and len(values) in MODES else Stack(values)


def as_image(pixels: np.ndarray) -> Image.Image:
    """uint8 [C, H, W] as a picture of mode L, RGB or RGBA; of other numbers of channels the first three (of two, the first)."""
    if len(pixels) not in MODES:
        pixels = pixels[: 1 if len(pixels) == 2 else 3]
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def channels_first(array: np.ndarray) -> np.ndarray:
    """[H, W], [H, W, C] or [C, H, W] as [C, H, W], the shortest of the outer sides being the channels. Raises ValueError."""
    if array.ndim == 2 and array.size:
        return array[None]
    if array.ndim != 3 or not array.size or min(array.shape[0], array.shape[2]) > MAX_CHANNELS:
        raise ValueError(f"has the shape {list(array.shape)}, where a picture is [H, W], [H, W, C] or [C, H, W]")
    return array if array.shape[0] <= array.shape[2] else array.transpose(2, 0, 1)


def open_npy_picture(file: Path | IO[bytes]) -> Opened:
    """The picture in a .npy file; truth values are black and white. Raises OSError, ValueError and UserError for what is none."""
    if isinstance(file, Path):
        size = check_ends(file)
        with file.open("rb") as content:
            array = read_npy(content, size)
    else:
        array = read_npy(file, _size(file))
    if array.dtype.kind not in "buif":
        raise ValueError(f"holds {array.dtype}, where numbers are expected")
    values = channels_first(array)
    _check_pixels(values.shape[2], values.shape[1])
    return as_picture(values.astype(np.uint8) * np.uint8(255) if values.dtype.kind == "b" else np.ascontiguousarray(values))


def open_picture(file: Path | IO[bytes]) -> Opened:
    """A picture that Pillow reads without loss, or one in a TIFF file that it does not (through the extra [tiff]).

    Raises OSError, ValueError and UserError for what is none, and UserError above the limit `pixels`.
    """
    if isinstance(file, Path):
        check_ends(file)
    try:
        image = _open_by_pillow(file)
    except UnidentifiedImageError:
        if _begins(file, 12)[4:] in _HEIF:
            return _open_heif(file)
        if _begins(file, 4) not in _TIFF:
            raise
        return _open_tiff(file)
    if image.format == "TIFF" and (is_reduced(image) or _is_misread(image)):
        if isinstance(file, Path):
            image.close()
        return _open_tiff(file)
    return image


def _open_by_pillow(file: Path | IO[bytes]) -> Image.Image:
    most = current().pixels
    if Image.MAX_IMAGE_PIXELS is not None and most > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = most  # the user raised our limit above Pillow's own
    try:
        image = Image.open(file)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(
            f"has far more than the limit of {most:,} pixels: shrink it, or set GANSMITH_LIMITS=pixels=..."
        ) from error
    try:
        _check_pixels(*image.size)
    except ValueError:
        image.close()
        raise
    return image


def _check_pixels(width: int, height: int) -> None:
    check("pixels", width * height, f"a picture of {width} x {height}", "pixels")


def is_reduced(image: Image.Image) -> bool:
    """Whether Pillow would cut the channels of this picture from 16 bits to 8."""
    tiles: list[Any] = list(getattr(image, "tile", []))
    raw = {str(part) for tile in tiles for part in (tile[3] if isinstance(tile[3], tuple) else (tile[3],))}
    return image.mode in ("RGB", "RGBA", "LA", "CMYK") and any(";16" in part for part in raw)


def _is_misread(image: Image.Image) -> bool:
    """Whether a TIFF file holds more channels than Pillow takes it for, or planes of more bits, whose bytes Pillow takes for pixels."""
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS, (1,))
    deepest = max(bits) if isinstance(bits, tuple) else bits
    return tags.get(_SAMPLES_A_PIXEL, 1) > len(image.getbands()) or (deepest > 8 and image.mode in ("RGB", "RGBA", "LA", "CMYK"))


def _begins(file: Path | IO[bytes], count: int) -> bytes:
    """The first bytes of a file."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return opened.read(count)
    file.seek(0)
    begins = file.read(count)
    file.seek(0)
    return begins


def _open_heif(file: Path | IO[bytes]) -> Image.Image:
    """A picture of a phone, through the extra [heif]."""
    try:
        from pillow_heif import register_heif_opener  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("pillow-heif", "heif", "A HEIC picture") from error
    register_heif_opener()
    return _open_by_pillow(file)


_BITS, _SAMPLES_A_PIXEL = 258, 277
_HEIF = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
"""What the files of phones hold after four bytes."""
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


_SILENT = logging.NullHandler()


def _open_tiff(file: Path | IO[bytes]) -> Opened:
    try:
        import tifffile  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("tifffile", "tiff", "A TIFF file with channels that Pillow cannot hold") from error
    logging.getLogger("tifffile").addHandler(_SILENT)  # else it prints what it finds damaged
    size = check_ends(file) if isinstance(file, Path) else _size(file)
    try:
        with tifffile.TiffFile(file) as opened:
            several, info = len(opened.pages) > 1, _facts(opened.pages[0])
            values = _first_page(opened.series[0], size)
    except (UserError, Unreadable):
        raise
    except Exception as error:  # half a dozen kinds for a damaged file
        raise ValueError(f"is no TIFF file that tifffile reads: {error}") from error
    picture = as_picture(channels_first(np.ascontiguousarray(values)))
    picture.format, picture.is_animated = "TIFF", several  # pyright: ignore[reportAttributeAccessIssue], as Pillow's plugins do
    if not isinstance(picture, Stack):
        info.pop("alpha", None)  # said by its mode
    picture.info.update(info)
    return picture


def _facts(page: Any) -> dict[str, Any]:
    """Profile, resolution and kind of transparency of a page, as far as it says."""
    info: dict[str, Any] = {}
    if page.iccprofile:
        info["icc_profile"] = page.iccprofile
    if (unit := {2: 1.0, 3: 2.54}.get(int(page.resolutionunit))) is not None:
        info["dpi"] = tuple(float(number) * unit for number in page.resolution)
    kinds = {1: "premultiplied", 2: "straight"}
    if page.extrasamples and int(page.extrasamples[-1]) in kinds:
        info["alpha"] = kinds[int(page.extrasamples[-1])]
    return info


def _first_page(series: Any, size: int) -> np.ndarray:
    """[H, W] with the samples of a pixel, or the pages that are its channels; of all other pages the first."""
    sides = dict(zip(series.axes, series.shape, strict=True))
    _check_pixels(sides.get("X", 1), sides.get("Y", 1))
    check_ratio(int(np.prod(series.shape, dtype=object)) * series.dtype.itemsize, size, "a picture")
    if "C" not in series.axes or "S" in series.axes:
        return series.pages[0].asarray()
    return series.asarray()[tuple(slice(None) if axis in "YXC" else 0 for axis in series.axes)]


def _size(file: IO[bytes]) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size
