import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gansmith.kinds.images.channels_file import Stack
from gansmith.kinds.images.resize import channels_of, fitted, upright_size
from gansmith.kinds.images.values import Levels, white_of


def reread(image: Image.Image, kind: str = "PNG", **options: object) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return Image.open(file)


RAMP = np.arange(0, 240, 2, dtype=np.uint8).reshape(10, 12)


def test_what_has_the_right_size_and_mode_is_not_touched() -> None:
    np.testing.assert_array_equal(fitted(reread(Image.fromarray(RAMP)), (1, 10, 12), "center"), RAMP[None])


def test_the_camera_orientation_is_applied_before_anything_else() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter, to be shown clockwise
    turned = reread(Image.fromarray(RAMP), exif=exif)
    assert upright_size(turned) == (12, 10)
    np.testing.assert_array_equal(fitted(turned, (1, 12, 10), "center")[0], np.rot90(RAMP, -1))


@pytest.mark.parametrize(
    ("image", "channels"),
    [
        (Image.new("1", (4, 4)), 1),
        (Image.new("L", (4, 4)), 1),
        (Image.new("LA", (4, 4)), 4),
        (Image.new("I;16", (4, 4)), 1),
        (Image.new("RGB", (4, 4)), 3),
        (Image.new("RGBA", (4, 4)), 4),
        (Image.new("CMYK", (4, 4)), 3),
        (Image.new("YCbCr", (4, 4)), 3),
        (Image.fromarray(RAMP).convert("P"), 1),
        (Image.new("RGB", (4, 4), "red").quantize(4), 3),
    ],
)
def test_every_mode_becomes_gray_or_rgb_or_rgba(image: Image.Image, channels: int) -> None:
    assert channels_of(image) == channels
    for wanted in (1, 3, 4):
        assert fitted(image.copy(), (wanted, 2, 2), "center").shape == (wanted, 2, 2)


def test_a_palette_with_transparency_becomes_rgba() -> None:
    image = reread(Image.new("RGB", (4, 4), "red").quantize(4), transparency=0)
    assert channels_of(image) == 4
    assert fitted(image, (4, 4, 4), "center")[3].max() == 0


def test_one_bit_and_cmyk_keep_black_and_white() -> None:
    checks = np.eye(4, dtype=bool)
    np.testing.assert_array_equal(fitted(Image.fromarray(checks), (1, 4, 4), "center")[0], checks * np.uint8(255))
    assert fitted(Image.new("CMYK", (2, 2), (0, 0, 0, 255)), (3, 2, 2), "center").max() == 0


def test_deep_images_keep_every_value_and_are_reduced_only_among_ordinary_ones() -> None:
    values = (np.arange(16, dtype=np.uint16) * 273).reshape(4, 4)
    deep = reread(Image.fromarray(values))
    assert deep.mode == "I;16"
    twelve_bits = Levels(dtype="uint16", high=4095.0)
    np.testing.assert_array_equal(fitted(deep, (1, 4, 4), "center", twelve_bits)[0], values)
    np.testing.assert_array_equal(fitted(deep, (1, 4, 4), "center").ravel(), np.arange(16) * 17)
    assert fitted(Image.fromarray(np.full((2, 2), 0.5, np.float32)), (1, 2, 2), "center").max() == 128
    ordinary = fitted(Image.fromarray(np.full((2, 2), 255, np.uint8)), (1, 2, 2), "center", twelve_bits)
    assert ordinary.dtype == np.uint16 and ordinary.max() == ordinary.min() == 4095


@pytest.mark.parametrize("crop", ["center", "fit", "pad"])
def test_deep_images_are_resized_as_ordinary_ones_are(crop: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (17, 24), np.uint8)
    expected = fitted(Image.fromarray(pixels), (1, 8, 8), crop)
    wide = Levels(dtype="float32", high=25500.0)
    found = fitted(Stack(pixels[None] * np.float32(100)), (1, 8, 8), crop, wide)
    np.testing.assert_allclose(found / 100, expected, atol=4.0)
    lifted = fitted(Stack(pixels[None].astype(np.int16) - 1000), (1, 8, 8), crop, Levels(dtype="int16", low=-1000.0, high=-745.0))
    np.testing.assert_allclose(lifted + 1000.0, expected, atol=4.0)


def test_channels_that_cannot_be_brought_together_are_refused() -> None:
    with pytest.raises(ValueError, match="has 5 channels, but the data have 6"):
        fitted(Stack(np.zeros((5, 2, 2), np.uint16)), (6, 2, 2), "center", Levels(dtype="uint16", high=4095.0))


@pytest.mark.parametrize(
    ("maximum", "white"), [(0.7, 1), (1.0, 1), (2.0, 255), (255.0, 255), (256.0, 511), (4000.0, 4095), (65535.0, 65535)]
)
def test_white_is_the_largest_number_of_as_many_bits(maximum: float, white: float) -> None:
    assert white_of(maximum) == white


def test_values_that_cannot_be_brightness_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        fitted(Image.fromarray(np.full((2, 2), np.nan, np.float32)), (1, 2, 2), "center")


def test_transparency_asked_away_lies_on_white() -> None:
    image = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert fitted(image, (3, 2, 2), "center").min() == 255 and fitted(image, (1, 2, 2), "center").min() == 255


def stripes() -> Image.Image:
    """Red, green and blue thirds, side by side."""
    pixels = np.zeros((20, 60, 3), np.uint8)
    for index in range(3):
        pixels[:, 20 * index : 20 * index + 20, index] = 255
    return Image.fromarray(pixels)


def test_center_takes_the_middle_and_fit_takes_all_and_pad_keeps_proportions() -> None:
    center = fitted(stripes(), (3, 20, 20), "center")
    assert center[1].min() == 255 and center[0].max() == center[2].max() == 0
    fit = fitted(stripes(), (3, 21, 21), "fit")
    assert [int(fit[:, 10, x].argmax()) for x in (2, 10, 18)] == [0, 1, 2] and (fit.max(0) > 0).all()
    pad = fitted(stripes(), (3, 30, 30), "pad")
    assert pad[:, :10].max() == 0 and pad[:, 20:].max() == 0
    assert [int(pad[:, 15, x].argmax()) for x in (3, 15, 27)] == [0, 1, 2]


def test_padding_of_rgba_is_transparent() -> None:
    pad = fitted(Image.new("RGBA", (20, 10), "red"), (4, 8, 8), "pad")
    assert pad[3, 0].max() == 0 and pad[3, 4].min() == 255


def test_downscaling_averages_rather_than_drops_pixels() -> None:
    checks = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = fitted(Image.fromarray(checks), (1, 8, 8), "center").astype(int)
    assert abs(small - 127).max() <= 2


def test_a_large_jpeg_decoded_at_a_fraction_looks_as_if_decoded_whole() -> None:
    ramp = np.linspace(0, 255, 640).astype(np.uint8)
    large = Image.fromarray(np.broadcast_to(ramp, (480, 640)).copy())
    file = reread(large, "JPEG", quality=95)
    small = fitted(file, (1, 24, 32), "fit").astype(int)
    assert abs(small - fitted(large, (1, 24, 32), "fit")).max() <= 3


@settings(deadline=None, max_examples=40)
@given(*[st.integers(1, 40)] * 4, st.sampled_from(["center", "fit", "pad"]), st.sampled_from(["L", "RGB", "RGBA"]))
def test_any_size_is_brought_to_any_other(width: int, height: int, to_width: int, to_height: int, crop: str, mode: str) -> None:
    channels = len(mode)
    pixels = fitted(Image.new(mode, (width, height), "white"), (channels, to_height, to_width), crop)
    assert pixels.shape == (channels, to_height, to_width) and pixels.dtype == np.uint8 and pixels.flags.c_contiguous
    if crop != "pad":
        assert pixels.min() >= 254
