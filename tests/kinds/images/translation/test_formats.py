"""Files that hold more than a picture, and files that are written whole."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.data.paired import PairedCodec
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Stack
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.images.translation.files import translate_file
from gansmith.kinds.images.translation.formats import read, shown, suffix_for, write
from gansmith.kinds.images.translation.pictures import sides_of
from gansmith.kinds.images.values import BYTES, Levels
from gansmith.model import Model
from tests import toys


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


def profile(space: bytes = b"RGB ") -> bytes:
    """The header of a colour profile for such colours."""
    return bytes(16) + space + bytes(108)


@pytest.fixture
def same() -> Model:
    data = toys.pairs()
    own = Model(toys.small("pix2pix", data).eval(), data.codec, {"gan": "pix2pix", "data": "negatives"})
    own.gan.maker = lambda makes="b": torch.nn.Identity()  # type: ignore[method-assign]
    return own


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp"])
def test_colour_profile_and_resolution_are_kept(name: str, same: Model, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (9, 99, 199)).save(tmp_path / name, icc_profile=profile(), dpi=(300, 300))
    assert translate_file(same, tmp_path / name, tmp_path / "b.png") == []
    with Image.open(tmp_path / "b.png") as made:
        assert made.info["icc_profile"] == profile()
        if name != "a.webp":  # which holds none
            assert made.info["dpi"] == pytest.approx((300, 300), abs=0.01)


@pytest.mark.parametrize(("mode", "space"), [("CMYK", b"CMYK"), ("L", b"GRAY")])
def test_a_profile_for_other_colours_is_left_out_and_that_is_said(mode: str, space: bytes, same: Model, tmp_path: Path) -> None:
    Image.new(mode, (8, 8)).save(tmp_path / "a.jpg", icc_profile=profile(space))
    said = translate_file(same, tmp_path / "a.jpg", tmp_path / "b.png")
    assert said == [f"its colour profile is for {space.decode()} and left out, as RGB is made"]
    with Image.open(tmp_path / "b.png") as made:
        assert "icc_profile" not in made.info


def png_of_16_bits(values: np.ndarray) -> bytes:
    """A PNG file of colours [H, W, 3] of 16 bits, which Pillow does not write."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 2, 0, 0, 0)
    chunks = b""
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        chunks += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_what_is_not_read_of_a_picture_is_said(same: Model, tmp_path: Path) -> None:
    (tmp_path / "deep.png").write_bytes(png_of_16_bits(np.full((8, 8, 3), 30_000, np.uint16)))
    said = translate_file(same, tmp_path / "deep.png", tmp_path / "b.png")
    assert said == ["its colours of 16 bits are read as 8, which TIFF and .npy files keep"]
    pages = [Image.new("RGB", (8, 8), (value, 0, 0)) for value in (10, 20, 30)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert translate_file(same, tmp_path / "a.tif", tmp_path / "c.png") == ["its first page is read, of 3"]
    with Image.open(tmp_path / "c.png") as made:
        assert made.getpixel((0, 0)) == (10, 0, 0)
    pages[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=pages[1:])
    assert translate_file(same, tmp_path / "a.jpg", tmp_path / "d.png") == ["its first page is read, of 3"]


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_transparent_tiff_of_16_bits_goes_through_a_model_of_colours(kind: str, same: Model, tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    values = np.random.default_rng(0).integers(9000, 30_000, (9, 8, 4), np.uint16)
    values[..., 3] = 50_000
    how = {"resolution": (240, 240), "resolutionunit": "INCH", "iccprofile": profile()}
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extrasamples=[kind], **how)
    assert suffix_for(tmp_path / "a.tif", sides_of(same, "b")[1]) == ".tif"
    assert translate_file(same, tmp_path / "a.tif", tmp_path / "b.tif") == []
    found = read(tmp_path / "b.tif")
    assert isinstance(found, Stack) and found.info["alpha"] == "straight" and found.info["icc_profile"] == profile()
    assert found.info["dpi"] == pytest.approx((240, 240))
    colours = values[..., :3] if kind == "unassalpha" else values[..., :3] / (50_000 / 65_535)
    np.testing.assert_allclose(found.values[:3].astype(float), colours.transpose(2, 0, 1), atol=2)
    assert (found.values[3] == 50_000).all()


def test_transparency_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    data = toys.pairs(given=3, made=1)
    own = Model(toys.small("pix2pix", data).eval(), data.codec, {"gan": "pix2pix", "data": "negatives"})
    levels = Levels(dtype="uint16", low=0, high=65535)
    sides = [ImageCodec(ImageSpec(shape=(count, 16, 16)), levels=own) for count, own in ((3, BYTES), (1, levels))]
    own.codec = PairedCodec.of(*sides, aligned=True)
    Image.new("RGBA", (16, 16), (9, 9, 9, 9)).save(tmp_path / "a.png")
    said = translate_file(own, tmp_path / "a.png", tmp_path / "b.png")
    assert said == ["its transparency is left out, which such numbers are not written with"]


def test_a_profile_that_is_none_is_left_out(same: Model, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", icc_profile=b"x")
    said = translate_file(same, tmp_path / "a.png", tmp_path / "b.png")
    assert said == ["its colour profile is for nothing that can be read and left out, as RGB is made"]


def test_any_flipped_bits_end_in_a_sentence_or_a_picture(same: Model, tmp_path: Path) -> None:
    """Whatever Pillow raises and warns of; every format, cut off and with one to sixty wrong bits."""
    frames = [Image.new("RGB", (16, 16), (value, 9, 9)) for value in (0, 90, 180)]
    rng = np.random.default_rng(0)
    ends: dict[bool, int] = {True: 0, False: 0}
    for name, more in (
        ("a.gif", frames[1:]),
        ("b.png", []),
        ("c.png", frames[1:]),
        ("d.jpg", []),
        ("e.tif", frames[1:]),
        ("f.webp", []),
    ):
        frames[0].save(tmp_path / name, **({"save_all": True, "append_images": more} if more else {}))
        whole = (tmp_path / name).read_bytes()
        for flips in (0, 1, 2, 8, 60):
            damaged = bytearray(whole[: len(whole) // 2] if not flips else whole)
            for place in rng.integers(0, len(damaged), flips):
                damaged[place] ^= 1 << int(rng.integers(8))
            (tmp_path / name).write_bytes(damaged)
            try:
                suffix_for(tmp_path / name, sides_of(same, "b")[1])
                translate_file(same, tmp_path / name, tmp_path / "out" / name)
                ends[True] += 1
            except UserError:
                ends[False] += 1
    assert min(ends.values()) > 0 and sum(ends.values()) == 30


def test_an_animation_that_fills_memory_is_refused_by_its_header(
    same: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [Image.new("L", (900, 900), value) for value in range(0, 200, 5)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    monkeypatch.setenv("GANSMITH_LIMITS", "animation_pixels=20_000_000")
    with pytest.raises(UserError, match=r"a.gif, with 40 frames has 32,400,000 pixels, more than the limit of 20,000,000"):
        translate_file(same, tmp_path / "a.gif", tmp_path / "b.gif")
