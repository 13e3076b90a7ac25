from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.images.values import BYTES, Extremes, Levels
from gansmith.kinds.opening import inspect_dataset, open_dataset

TYPES = {"uint8": np.uint8, "uint16": np.uint16, "int16": np.int16}


@settings(deadline=None, max_examples=40)
@given(st.data(), st.sampled_from(sorted(TYPES)))
def test_whole_numbers_survive_unpacking_and_repacking_exactly(data: st.DataObject, dtype: str) -> None:
    values = data.draw(arrays(TYPES[dtype], (3, 2, 4)))
    values.flat[0], values.flat[1] = np.iinfo(TYPES[dtype]).min, np.iinfo(TYPES[dtype]).max
    levels = Extremes.of(values).levels()
    assert levels.dtype == dtype
    unpacked = levels.unpack(values)
    assert unpacked.dtype == np.float32 and unpacked.min() >= -1 and unpacked.max() <= 1
    np.testing.assert_array_equal(levels.repack(torch.from_numpy(unpacked)), values)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float32, (3, 5), elements=st.floats(-1e6, 1e6, width=32)))
def test_fractions_survive_to_a_millionth_of_their_range(values: np.ndarray) -> None:
    values.flat[0] += 1
    levels = Extremes.of(values + np.float32(0.25)).levels()
    assert levels.dtype == "float32"
    back = levels.repack(torch.from_numpy(levels.unpack(values + np.float32(0.25))))
    np.testing.assert_allclose(back, values + np.float32(0.25), atol=1e-6 * (levels.high - levels.low))


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (0, 200, True, ("uint8", 0, 255)),
        (3, 4000, True, ("uint16", 0, 4095)),
        (0, 65535, True, ("uint16", 0, 65535)),
        (30000, 30255, True, ("uint16", 30000, 30255)),
        (500, 500, True, ("uint16", 0, 511)),
        (-1024, 3071, True, ("int16", -1024, 3071)),
        (0, 70000, True, ("float32", 0, 70000)),
        (0.1, 0.7, False, ("float32", 0, 1)),
        (0.01, 0.3, False, ("float32", 0.01, 0.3)),
        (-3.5, 900.0, False, ("float32", -3.5, 900)),
        (7.5, 7.5, False, ("float32", 7.5, 8.5)),
    ],
)
def test_the_narrowest_type_that_loses_nothing_is_taken(
    low: float, high: float, whole: bool, expected: tuple[str, float, float]
) -> None:
    levels = Levels.of(low, high, whole, (low, high))
    assert (levels.dtype, levels.low, levels.high) == expected


def test_what_is_out_of_range_is_cut() -> None:
    levels = Levels(dtype="int16", low=-1024.0, high=3071.0)
    assert levels.repack(torch.tensor([-2.0, -1.0, 1.0, 9.0])).tolist() == [-1024, -1024, 3071, 3071]


def test_a_preview_shows_the_window() -> None:
    levels = Levels(dtype="uint16", high=65535.0, black=1000.0, white=3000.0)
    assert levels.shown(np.array([0, 1000, 2000, 3000, 60000], np.uint16)).tolist() == [0, 0, 128, 255, 255]


def test_the_window_leaves_out_the_outermost_half_percent() -> None:
    values = np.concatenate([np.linspace(100, 200, 1001), [60000.0]]).astype(np.uint16)
    levels = Extremes.of(values).levels()
    assert levels.high == 65535 and levels.black == pytest.approx(100, abs=2) and levels.white == pytest.approx(200, abs=2)


def test_faint_pictures_are_told_and_can_be_cut_off(tmp_path: Path) -> None:
    values = np.linspace(100, 2000, 60 * 64).reshape(60, 1, 8, 8).astype(np.uint16)
    values[0, 0, 0, 0] = 65535
    values = np.repeat(np.repeat(values, 4, 2), 4, 3)
    values[0] = values[1]
    values[0, 0, 0, 0] = 65535
    (note,) = [note for note in open_dataset(values).remarks() if "--values" in note]
    assert note.startswith("99% of the values of every picture lie from 1") and "from 0 to 65535, which leaves" in note
    cut = open_dataset(values, values="0,2000")
    assert (cut.codec.levels.low, cut.codec.levels.high) == (0, 2000) and cut.arrays["image"].max() == 2000
    assert not any("--values" in note for note in cut.remarks())
    np.testing.assert_array_equal(cut.arrays["image"], np.minimum(values, 2000))
    with pytest.raises(UserError, match="--values takes the lower number first, such as 0,3000, but it is 5,1"):
        open_dataset(values, values=(5, 1))
    with pytest.raises(UserError, match="for images of more than 8 bits"):
        open_dataset((values // 256).astype(np.uint8), values=(0, 3))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("5", 'two numbers, such as 0,3000 or -1000,400, not "5"'),
        ("a,b", "a number, but it is 'a'"),
        ("1,2,3", 'two numbers, such as 0,3000 or -1000,400, not "1,2,3"'),
    ],
)
def test_a_range_of_values_is_two_numbers(words: str, said: str) -> None:
    with pytest.raises(UserError, match=f"--values takes {said}"):
        open_dataset(np.zeros((9, 8, 8), np.uint16), values=words)


SHAPES = {"gray": (1, 15, 17), "two bands": (2, 15, 17), "colours": (3, 15, 17), "thirteen bands": (13, 15, 17)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_saved_images_are_read_back_as_they_were(tmp_path: Path, shape: tuple[int, int, int], dtype: Any) -> None:
    rng = np.random.default_rng(0)
    values = (
        rng.uniform(-900, 60000, (9, *shape)).astype(dtype) if dtype != np.uint8 else rng.integers(0, 256, (9, *shape), np.uint8)
    )
    if dtype == np.int16:
        values = rng.integers(-1024, 3072, (9, *shape)).astype(dtype)
    levels = BYTES if dtype == np.uint8 else Extremes.of(values).levels()
    codec = ImageCodec(ImageSpec(shape=shape), levels=levels)
    packed = codec.repack(codec.unpack({"image": values}))
    codec.save(codec.decode(codec.unpack({"image": values})), tmp_path / "made")
    again = open_dataset(tmp_path / "made", like=codec)
    assert again.arrays["image"].dtype == dtype and again.codec.spec.shape == shape
    np.testing.assert_array_equal(again.arrays["image"], packed["image"])
    np.testing.assert_allclose(packed["image"].astype(float), values.astype(float), atol=0 if dtype != np.float32 else 0.01)
    assert codec.preview(codec.decode(codec.unpack({"image": values}))).mode == "RGB"


def test_every_codec_of_deep_images_survives_json() -> None:
    codec = ImageCodec(ImageSpec(shape=(13, 4, 6)), levels=Levels(dtype="float32", low=-3.0, high=7.0))
    assert ImageCodec.from_json(codec.to_json()) == codec


def test_runs_of_the_time_before_levels_are_still_read() -> None:
    spec = ImageSpec(shape=(1, 4, 4))
    old = {"spec": spec.to_json(), "crop": "center", "frequencies": [], "white": 4095.0}
    assert ImageCodec.from_json(old) == ImageCodec(spec)


def test_arrays_of_any_number_of_channels_keep_their_type() -> None:
    bands = np.random.default_rng(0).integers(0, 10_000, (20, 18, 16, 13)).astype(np.uint16)
    dataset = open_dataset(bands)
    assert dataset.codec.spec.shape == (13, 18, 16) and dataset.codec.levels.high == 16383
    np.testing.assert_array_equal(dataset.arrays["image"], bands.transpose(0, 3, 1, 2))
    heights = np.random.default_rng(0).normal(300, 900, (20, 8, 10, 1)).astype(np.float32)
    assert open_dataset(heights).codec.levels.low == heights.min()
    with pytest.raises(ValueError, match="has 13 channels, which cannot become 3"):
        open_dataset(bands, channels=3)


def test_pillow_and_array_files_of_16_bits_hold_the_same(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (6, 9, 8)).astype(np.uint16)
    for number, plane in enumerate(values):
        (tmp_path / "png").mkdir(exist_ok=True)
        Image.fromarray(plane).save(tmp_path / "png" / f"{number}.png")
        (tmp_path / "tif").mkdir(exist_ok=True)
        Image.fromarray(plane).save(tmp_path / "tif" / f"{number}.tif")
        (tmp_path / "npy").mkdir(exist_ok=True)
        np.save(tmp_path / "npy" / f"{number}.npy", plane)
    for kind in ("png", "tif", "npy"):
        dataset = open_dataset(tmp_path / kind)
        np.testing.assert_array_equal(dataset.arrays["image"][:, 0], values)
        assert dataset.codec.levels.dtype == "uint16"


def test_array_files_among_pictures_are_no_pictures(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    np.save(tmp_path / "features.npy", np.zeros((8, 8)))
    assert len(open_dataset(tmp_path)) == 1


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 6), st.integers(2, 9), st.integers(2, 9))
def test_judged_data_take_the_range_of_the_training_data(channels: int, height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    real, fake = (rng.normal(0, scale, (8, channels, height + 70, width + 70)).astype(np.float32) for scale in (9, 2))
    training = open_dataset(real)
    other = open_dataset(fake, like=training.codec)
    expected = (fake.astype(float) - training.codec.levels.low) / (training.codec.levels.high - training.codec.levels.low) * 2 - 1
    np.testing.assert_allclose(other.batch(slice(0, 8))["image"].numpy(), expected, atol=1e-5)


UNIT = np.random.default_rng(3).integers(0, 256, (10, 8, 8, 3)).astype(np.float64) / 255


def overshot(change: dict[int, float], scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    values = UNIT * scale + shift
    for place, value in change.items():
        values.flat[place] = value
    return values


@pytest.mark.parametrize(
    ("values", "black", "white", "cut"),
    [
        (overshot({}), 0, 1, 0),
        (overshot({0: 1.0000002}), 0, 1, 1),
        (overshot({0: -1e-7}), 0, 1, 1),
        (overshot({0: -0.04, 1: 1.06, 2: 1.0}), 0, 1, 2),
        (overshot({0: -1.0000002}, 2, -1), -1, 1, 1),
        (overshot({0: 1.1, 1: -1.1}, 2, -1), -1, 1, 2),
        (overshot({0: 255.4, 1: -0.3}, 255), 0, 255, 2),
        (overshot({}, 255), 0, 255, 0),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_a_little_overshoot_changes_no_range_and_is_told(
    values: np.ndarray, black: float, white: float, cut: int, listed: bool
) -> None:
    dataset = open_dataset(list(values) if listed else values)
    expected = np.rint((values - black) / (white - black) * 255).clip(0, 255)
    assert dataset.codec.levels == BYTES
    np.testing.assert_array_equal(dataset.arrays["image"], expected.transpose(0, 3, 1, 2))
    what = "values of the arrays" if listed else "float64 values"
    beyond = f"; {cut:,} of 1,920 lie beyond and are cut off" if cut else ""
    assert f"The {what} are read as brightness from {black:g} (black) to {white:g} (white){beyond}." in dataset.remarks()


def test_one_value_far_above_one_does_not_make_all_others_black() -> None:
    dataset = open_dataset(overshot({0: 3.0}))
    assert dataset.codec.levels.dtype == "float32" and dataset.codec.levels.high == 3
    sketch = np.zeros((10, 8, 8))
    sketch[:, 2] = np.linspace(3, 255, 8)
    assert open_dataset(sketch).arrays["image"].max() == 255


def test_bytes_among_floats_say_nothing_of_the_range_of_the_floats() -> None:
    mixed = [*(UNIT[:5]), *(UNIT[5:] * 255).astype(np.uint8)]
    expected = np.concatenate([np.rint(UNIT[:5] * 255), (UNIT[5:] * 255).astype(np.uint8)])
    np.testing.assert_array_equal(open_dataset(mixed).arrays["image"], expected.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("source", ["array", "list", "npy", "folder"])
def test_masks_of_bytes_0_and_1_are_nearly_black_and_that_is_told(source: str, tmp_path: Path) -> None:
    masks = np.random.default_rng(0).integers(0, 2, (6, 8, 8), np.uint8)
    said = "The brightest value of all is 1 of 255, so that the pictures are nearly black: multiply masks that are stored as 0 and 1 "
    said += "by 255."
    data: Any = masks if source == "array" else [Image.fromarray(mask) for mask in masks]
    if source == "npy":
        np.save(data := tmp_path / "masks.npy", masks)
    if source == "folder":
        for number, picture in enumerate(data):
            picture.save(tmp_path / f"{number}.png")
        data = tmp_path
    assert said in open_dataset(data).remarks()
    assert said in inspect_dataset(data).sentences()
    bright = open_dataset(masks * np.uint8(255))
    assert not any("nearly black" in remark for remark in bright.remarks())


@pytest.mark.parametrize("shape", [(32, 32, 3, 700), (28, 28, 1, 10), (20, 24, 4, 30)])
def test_arrays_of_height_width_channels_number_are_refused_with_the_way_out(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"looks like height, width, channels, number: give array.transpose\(3, 0, 1, 2\)"):
        open_dataset(np.zeros(shape, np.uint8))
    assert len(open_dataset(np.zeros(shape, np.uint8).transpose(3, 0, 1, 2))) == shape[3]


@pytest.mark.parametrize(
    ("shape", "order", "way"),
    [
        ((3, 12, 12, 20), (3, 1, 2, 0), r"channels, height, width, number: give array.transpose\(3, 1, 2, 0\)"),
        ((28, 28, 50), (2, 0, 1), r"height, width, number: give array.transpose\(2, 0, 1\)"),
    ],
)
def test_other_orders_with_the_number_last_are_refused_too(shape: tuple[int, ...], order: tuple[int, ...], way: str) -> None:
    with pytest.raises(UserError, match=way):
        open_dataset(np.zeros(shape, np.uint8))
    assert len(open_dataset(np.zeros(shape, np.uint8).transpose(order))) == shape[-1]
    assert len(open_dataset(np.zeros((12, 12, 50, 1), np.uint8))) == 12  # the way that is named for 12 images of 12x50


@pytest.mark.parametrize("most", [1.2, 2.5, 15.0])
def test_dim_fractions_are_not_read_as_brightness_up_to_255(most: float) -> None:
    """A tenth of the values a fifth above 1: images normalised by a quantile, sharpened ones. Of 255 they would be black."""
    values = np.random.default_rng(0).random((20, 8, 8, 3)).astype(np.float32)
    values.flat[::10] = most
    data = open_dataset(values)
    assert f"to {most:g} are kept as float32" in data.remarks()[0]
    assert np.allclose(data.codec.repack(data.batch(slice(0, 1)))["image"][0].transpose(1, 2, 0), values[0], atol=1e-5)
    bright = open_dataset(np.where(values == np.float32(most), 255, values * 100).astype(np.float32))
    assert "from 0 (black) to 255 (white)" in bright.remarks()[0]


@pytest.mark.parametrize("options", [{"photometric": "rgb"}, {"photometric": "rgb", "planarconfig": "separate"}])
def test_the_first_page_of_deep_colour_tiff_is_read(options: dict[str, str], tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    pages = np.random.default_rng(0).integers(0, 65536, (3, 8, 10, 3), np.uint16)
    stored = pages if "planarconfig" not in options else pages.transpose(0, 3, 1, 2)
    tifffile.imwrite(tmp_path / "a.tif", stored, **options)
    dataset = open_dataset(tmp_path)
    np.testing.assert_array_equal(dataset.arrays["image"][0], pages[0].transpose(2, 0, 1))
    assert any("Of 1 files that hold several frames or pages the first one is used" in said for said in dataset.remarks())


def test_tiff_pages_that_are_channels_belong_together(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    channels = np.random.default_rng(0).integers(0, 65536, (5, 8, 10), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", channels.astype(np.float64), ome=True, metadata={"axes": "CYX"})
    np.testing.assert_array_equal(open_dataset(tmp_path).arrays["image"][0], channels)
