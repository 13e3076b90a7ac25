"""Pictures that Pillow has no mode for: any number of channels of any numbers, from .npy and TIFF files."""

from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from PIL import Image, UnidentifiedImageError

from gansmith.errors import missing_extra

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Numbers of channels that Pillow has a mode of bytes for."""
MOST_CHANNELS = 64
"""The shortest side of an array is taken for its channels up to this length."""


class Stack:
    """Numbers [C, H, W], opened and closed like a Pillow image."""

    format = "array"

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

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
    if array.ndim == 2:
        return array[None]
    if array.ndim != 3 or min(array.shape[0], array.shape[2]) > MOST_CHANNELS:
        raise ValueError(f"has the shape {list(array.shape)}, where a picture is [H, W], [H, W, C] or [C, H, W]")
    return array if array.shape[0] <= array.shape[2] else array.transpose(2, 0, 1)


def open_npy_picture(file: Path | IO[bytes]) -> Opened:
    """The picture in a .npy file; Python objects are refused with ValueError."""
    array = np.load(file, allow_pickle=False)
    if array.dtype.kind not in "buif":
        raise ValueError(f"holds {array.dtype}, where numbers are expected")
    return as_picture(channels_first(np.ascontiguousarray(array)))


def open_picture(file: Path | IO[bytes]) -> Opened:
    """A picture that Pillow reads without loss, or one in a TIFF file that it does not (through the extra [tiff])."""
    try:
        image = Image.open(file)
    except UnidentifiedImageError:
        if not _is_tiff(file):
            raise
        return _open_tiff(file)
    if image.format == "TIFF" and (is_reduced(image) or _lacks_channels(image)):
        if isinstance(file, Path):
            image.close()
        return _open_tiff(file)
    return image


def is_reduced(image: Image.Image) -> bool:
    """Whether Pillow would cut the channels of this picture from 16 bits to 8."""
    tiles: list[Any] = list(getattr(image, "tile", []))
    raw = {str(part) for tile in tiles for part in (tile[3] if isinstance(tile[3], tuple) else (tile[3],))}
    return image.mode in ("RGB", "RGBA", "LA", "CMYK") and any(";16" in part for part in raw)


def _lacks_channels(image: Image.Image) -> bool:
    """Whether a TIFF file holds more channels than Pillow takes it for."""
    return getattr(image, "tag_v2", {}).get(_SAMPLES_A_PIXEL, 1) > len(image.getbands())


def _is_tiff(file: Path | IO[bytes]) -> bool:
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return opened.read(4) in _TIFF
    file.seek(0)
    return file.read(4) in _TIFF


_SAMPLES_A_PIXEL = 277
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _open_tiff(file: Path | IO[bytes]) -> Opened:
    try:
        import tifffile  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("tifffile", "tiff", "A TIFF file with channels that Pillow cannot hold") from error
    if not isinstance(file, Path):
        file.seek(0)
    try:
        values = tifffile.imread(file)
    except Exception as error:  # half a dozen kinds for a damaged file
        raise ValueError(f"is no TIFF file that tifffile reads: {error}") from error
    return as_picture(channels_first(np.ascontiguousarray(values)))
