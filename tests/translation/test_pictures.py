import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.translation.pictures import translate_picture
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
