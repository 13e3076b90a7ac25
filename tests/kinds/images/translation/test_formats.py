"""Files that hold more than a picture, and files that are written whole."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Stack
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.images.translation.formats import read, shown, suffix_for, write
from gansmith.kinds.images.values import BYTES, Levels


def side(channels: int, levels: Levels = BYTES) -> ImageCodec:
    return ImageCodec(ImageSpec(shape=(channels, 8, 8)), levels=levels)


@pytest.mark.parametrize(
    ("given", "channels", "dtype", "suffix"),
    [
        ("a.jpg", 3, "uint8", ".png"),
        ("a.mp4", 3, "uint8", ".mp4"),
        ("a.png", 1, "uint16", ".png"),
        ("a.png", 1, "float32", ".tif"),
        ("a.npy", 5, "uint16", ".npy"),
        ("a.tiff", 5, "uint16", ".tif"),
        ("a.png", 3, "uint16", ".npy"),
        ("a.png", 2, "uint8", ".npy"),
    ],
)
def test_the_suffix_is_one_that_holds_what_is_made(given: str, channels: int, dtype: str, suffix: str, tmp_path: Path) -> None:
    assert suffix_for(tmp_path / given, side(channels, Levels(dtype=dtype))) == suffix


@pytest.mark.parametrize("shape", [(5, 6, 7), (3, 6, 7), (2, 6, 7)])
def test_numbers_come_back_as_they_were_written(shape: tuple[int, ...], tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 65_536, shape, np.uint16)
    write(Stack(values), tmp_path / "a.npy")
    found = read(tmp_path / "a.npy")
    assert isinstance(found, Stack)
    np.testing.assert_array_equal(found.values, values)


@pytest.mark.parametrize("shape", [(5, 6, 7), (3, 6, 7), (4, 9, 8), (2, 6, 7)])
def test_tiff_keeps_the_numbers_of_all_channels(shape: tuple[int, ...], tmp_path: Path) -> None:
    pytest.importorskip("tifffile")
    values = np.random.default_rng(0).integers(0, 65_536, shape, np.uint16)
    write(Stack(values), tmp_path / "a.tif")
    found = read(tmp_path / "a.tif")
    assert isinstance(found, Stack)
    np.testing.assert_array_equal(found.values, values)


def test_damaged_files_of_every_kind_are_named(tmp_path: Path) -> None:
    for name in ("a.npy", "a.png", "a.tif", "a.jpg", "a.gif"):
        for content in (b"", b"text that is no picture", b"\x89PNG\r\n\x1a\n" + bytes(30), b"GIF89a\x01", b"II*\0"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(UserError, match=f"{name} cannot be read as a picture|tifffile"):
                read(tmp_path / name)


def test_any_numbers_are_shown_from_their_smallest_to_their_largest() -> None:
    faint = shown(Image.fromarray(np.array([[0.2, 0.3]], np.float32)))
    assert (faint.mode, faint.getextrema()) == ("L", (0, 255))
    many = shown(Stack(np.arange(2 * 3 * 5 * 4, dtype=np.uint16).reshape(5, 6, 4)))
    assert (many.mode, many.size) == ("RGB", (4, 6))
    assert shown(Image.new("P", (2, 2))).mode == "RGBA"
