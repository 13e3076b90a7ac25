from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.data.dataset import Dataset
from gansmith.data.paired import PairedCodec
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Stack
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.images.translation import pictures
from gansmith.kinds.images.translation.pictures import random_styles, reference_style, translate_picture
from gansmith.kinds.images.translation.tiles import FIRST_TILE
from gansmith.kinds.images.values import Levels
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from tests import toys


def model(gan: str = "srgan", data: Dataset | None = None) -> Model:
    torch.manual_seed(0)
    data = data or toys.pairs(scale=2)
    return Model(toys.small(gan, data).eval(), data.codec, {"gan": gan, "data": "negatives"})


def random_picture(mode: str, size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], len(mode)), np.uint8)
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels)


@pytest.mark.parametrize("size", [(5, 9), (32, 16), (1, 1)])
def test_the_result_is_as_many_times_as_large_as_in_training(size: tuple[int, int]):
    made = translate_picture(model(), random_picture("RGB", size))
    assert made.mode == "RGB" and made.size == (2 * size[0], 2 * size[1])


def test_the_network_sees_the_picture_as_in_training():
    own = model()
    picture = random_picture("RGB", (8, 8))
    given = torch.from_numpy(np.asarray(picture).transpose(2, 0, 1).copy())[None] / 127.5 - 1
    with torch.inference_mode():
        expected = own.gan.players["generator"].averaged(given)[0]
    found = np.asarray(translate_picture(own, picture), np.float32).transpose(2, 0, 1) / 127.5 - 1
    np.testing.assert_allclose(found, expected.clamp(-1, 1).numpy(), atol=1 / 127)


def filling(tmp_path: Path) -> Model:
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    for number in range(8):
        random_picture("RGB", (16, 16)).save(tmp_path / f"photos/{number}.png")
    hole(16, 16).save(tmp_path / "masks/any.png")
    data = open_dataset(tmp_path / "photos", masks=tmp_path / "masks", cache=tmp_path / "cache")
    return Model(toys.small("pix2pix", data).eval(), data.codec, {"gan": "pix2pix", "data": "photos"})


def hole(width: int, height: int) -> Image.Image:
    mask = Image.new("L", (width, height))
    mask.paste(255, (2, 3, 9, 8))
    return mask


def test_holes_are_filled_and_what_is_known_stays_exactly(tmp_path: Path):
    own, picture = filling(tmp_path), random_picture("RGB", (21, 19))
    made = translate_picture(own, picture, mask=hole(21, 19))
    known = np.asarray(hole(21, 19)) == 0
    assert made.mode == "RGB" and made.size == (21, 19)
    np.testing.assert_array_equal(np.asarray(made)[known], np.asarray(picture)[known])
    assert (np.asarray(made)[~known] != np.asarray(picture)[~known]).any(-1).mean() > 0.9
    transparent = picture.convert("RGBA")
    transparent.putalpha(Image.fromarray(known.astype(np.uint8) * 255))
    assert translate_picture(own, transparent) == made
    with pytest.raises(UserError, match=r"the picture has no transparent part"):
        translate_picture(own, picture)
    with pytest.raises(UserError, match=r"srgan was not trained to fill holes"):
        translate_picture(model(), picture, mask=hole(21, 19))


def test_transparency_is_kept_and_enlarged():
    picture = random_picture("RGBA", (8, 6))
    picture.putalpha(Image.new("L", (8, 6), 77))
    made = translate_picture(model(), picture)
    assert made.mode == "RGBA" and made.size == (16, 12) and made.getchannel("A").getextrema() == (77, 77)


def test_gray_pictures_go_through_colour_models_and_colours_not_through_gray_ones():
    assert translate_picture(model(), random_picture("L", (4, 4))).mode == "RGB"
    gray = model("pix2pix", toys.pairs(given=1, made=1))
    assert translate_picture(gray, random_picture("L", (9, 4)).convert("RGB")).mode == "L"
    with pytest.raises(UserError, match=r"takes gray images, but photo.png is RGB with colours"):
        translate_picture(gray, random_picture("RGB", (4, 4)), name="photo.png")


def test_gray_pictures_of_16_bits_stay_so():
    class Same(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    own = model("pix2pix", toys.pairs(given=1, made=1))
    own.gan.maker = lambda makes="b": Same()  # type: ignore[method-assign]
    values = np.random.default_rng(0).integers(0, 65536, (5, 6)).astype(np.uint16)
    made = translate_picture(own, Image.fromarray(values))
    np.testing.assert_allclose(np.asarray(made, np.int64), values, atol=1)


def test_a_cycle_goes_both_ways_and_others_say_that_they_do_not():
    cycle = model("cyclegan", toys.pairs())
    picture = random_picture("RGB", (16, 16))
    b, a = (np.asarray(translate_picture(cycle, picture, makes=side)) for side in ("b", "a"))
    assert a.shape == b.shape and (a != b).any()
    with pytest.raises(UserError, match="makes b alone, not a"):
        translate_picture(model(), picture, makes="a")


def test_models_of_noise_do_not_translate_and_models_of_images_do_not_generate():
    data = toys.images()
    with pytest.raises(UserError, match="of noise, not of images"):
        translate_picture(model("dcgan", data), random_picture("L", (8, 8)))
    with pytest.raises(UserError, match="gansmith translate RUN INPUT"):
        model().generate(2)


@pytest.mark.parametrize(("dtype", "low", "high"), [("uint16", 0, 65535), ("float32", -2, 3)])
def test_a_model_of_deep_images_reads_and_makes_their_numbers(dtype: str, low: float, high: float):
    class Same(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    data = toys.pairs(given=1, made=1)
    levels = Levels(dtype=dtype, low=low, high=high)
    side = ImageCodec(ImageSpec(shape=(1, 16, 16)), levels=levels)
    own = model("pix2pix", data)
    own.codec = PairedCodec.of(side, side, aligned=True)
    own.gan.maker = lambda makes="b": Same()  # type: ignore[method-assign]
    values = np.random.default_rng(0).uniform(low, high, (9, 7)).astype(dtype)
    made = np.asarray(translate_picture(own, Image.fromarray(values)))
    assert made.dtype == np.dtype(dtype)
    np.testing.assert_allclose(made.astype(float), values.astype(float), atol=(high - low) * 1e-6 + (dtype == "uint16"))


def test_pictures_are_refused_where_they_lack_channels():
    with pytest.raises(UserError, match="takes images of 5 channels, but the picture is RGB: give a .npy or TIFF"):
        translate_picture(model("pix2pix", toys.pairs(given=5)), random_picture("RGB", (16, 16)))


def test_styles_are_for_models_that_make_many_images_of_one():
    with pytest.raises(UserError, match="makes one image of an image, so there are no 3 of them"):
        random_styles(model(), 3)
    with pytest.raises(UserError, match="takes no reference"):
        reference_style(model(), random_picture("RGB", (8, 8)))
    many = model("bicyclegan", toys.pairs())
    picture = random_picture("RGB", (16, 16))
    one, other = (np.asarray(translate_picture(many, picture, style=style)) for style in random_styles(many, 2))
    assert (one != other).any()
    of_reference = reference_style(many, random_picture("RGB", (40, 30)))
    tiled = np.asarray(translate_picture(many, random_picture("RGB", (64, 64)), style=of_reference, tile=48))
    assert of_reference.shape == (1, 4) and tiled.shape == (64, 64, 3)


def test_any_number_of_channels_comes_and_goes_with_its_numbers():
    arrays = {
        key: np.random.default_rng(0).integers(0, 60_000, (8, count, 16, 16), np.uint16) for key, count in (("a", 5), ("b", 2))
    }
    levels = Levels(dtype="uint16", low=0, high=65535, black=0, white=65535)
    sides = [ImageCodec(ImageSpec(shape=own.shape[1:]), levels=levels) for own in arrays.values()]
    data = Dataset(name="bands", codec=PairedCodec.of(*sides, aligned=True), arrays=arrays, fingerprint="bands")
    own = model("pix2pix", data)
    made = translate_picture(own, Stack(arrays["a"][0, :, :9, :]))
    assert isinstance(made, Stack) and made.values.shape == (2, 9, 16) and made.values.dtype == np.uint16
    given = data.batch(np.arange(1))["a"]
    with torch.inference_mode():
        expected = levels.repack(own.gan.players["generator"].averaged(given))[0]
    found = translate_picture(own, Stack(arrays["a"][0]))
    assert isinstance(found, Stack)
    np.testing.assert_allclose(found.values.astype(float), expected.astype(float), atol=1)
    with pytest.raises(UserError, match=r"takes images of 5 channels, but photo.png is RGB"):
        translate_picture(own, random_picture("RGB", (8, 8)), name="photo.png")
    with pytest.raises(UserError, match=r"takes images of 5 channels, but a.npy has 3"):
        translate_picture(own, Stack(arrays["a"][0, :3]), name="a.npy")


def test_colours_of_16_bits_go_through_a_model_of_8_and_stay_16():
    class Same(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    own = model("pix2pix", toys.pairs())
    own.gan.maker = lambda makes="b": Same()  # type: ignore[method-assign]
    values = np.random.default_rng(0).integers(0, 65_536, (3, 7, 9), np.uint16)
    made = translate_picture(own, Stack(values))
    assert isinstance(made, Stack) and made.values.dtype == np.uint16
    np.testing.assert_allclose(made.values.astype(float), values.astype(float), atol=1)


def test_a_large_picture_goes_in_tiles_where_they_make_what_the_whole_makes(monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr(pictures, "LARGE", 100)
    monkeypatch.setattr(pictures, "translated", lambda *_, tile, **__: asked.append(tile) or torch.zeros(1, 3, 32, 32))
    for gan, data in (("srgan", None), ("pix2pix", toys.pairs())):
        for side in (10, 16):
            translate_picture(model(gan, data), random_picture("RGB", (side, side)))
    assert asked == [None, FIRST_TILE, None, None]
