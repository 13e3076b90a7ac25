"""Cut-outs through networks that know no transparency."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from gansmith.kinds.images.channels_file import Stack
from gansmith.kinds.images.translation.measures import Translated, measure
from gansmith.kinds.images.translation.pictures import translate_picture
from gansmith.kinds.images.translation.transparency import is_transparent, joined, split
from gansmith.model import Model
from tests import toys


class Blurred(torch.nn.Module):
    """A network that carries colours over three pixels, as all convolutions do."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(torch.nn.functional.pad(x, (3, 3, 3, 3), mode="replicate"), 7, 1)


@pytest.fixture
def blurring() -> Model:
    data = toys.pairs()
    own = Model(toys.small("pix2pix", data).eval(), data.codec, {"gan": "pix2pix", "data": "negatives"})
    own.gan.maker = lambda makes="b": Blurred()  # type: ignore[method-assign]
    return own


def cut_out(mode: str = "RGBA") -> Image.Image:
    """A bright disc on nothing, whose invisible pixels are black."""
    rows, columns = np.mgrid[:32, :32]
    inside = (rows - 16) ** 2 + (columns - 16) ** 2 < 100
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[inside] = (250, 200, 150, 255) if mode == "RGBA" else (200, 200, 200, 255)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("kind", ["RGBA", "P", "stack"])
def test_cut_outs_get_no_dark_fringes(blurring: Model, kind: str) -> None:
    picture = cut_out() if kind != "P" else cut_out().quantize()
    if kind == "stack":
        picture = Stack(np.asarray(cut_out()).transpose(2, 0, 1).astype(np.uint16) * 257, info={"alpha": "straight"})
    made = translate_picture(blurring, picture)
    pixels = np.asarray(made) if isinstance(made, Image.Image) else (made.values / 257).transpose(1, 2, 0)
    seen = np.asarray(cut_out())[..., 3] > 0
    np.testing.assert_array_equal(pixels[..., 3], np.asarray(cut_out())[..., 3])
    np.testing.assert_allclose(pixels[seen][:, :3], np.tile([250, 200, 150], (seen.sum(), 1)), atol=1)


def test_gray_cut_outs_go_through_gray_networks_whatever_hides_in_them() -> None:
    data = toys.pairs(given=1, made=1)
    own = Model(toys.small("pix2pix", data).eval(), data.codec, {"gan": "pix2pix", "data": "negatives"})
    own.gan.maker = lambda makes="b": Blurred()  # type: ignore[method-assign]
    pixels = np.asarray(cut_out("LA").convert("RGBA")).copy()
    pixels[pixels[..., 3] == 0] = (255, 0, 0, 0)
    made = translate_picture(own, Image.fromarray(pixels))
    assert made.mode == "LA"
    seen = np.asarray(cut_out())[..., 3] > 0
    np.testing.assert_allclose(np.asarray(made)[seen][:, 0], 200, atol=1)


def test_invisible_pixels_get_the_colour_of_the_nearest_visible_one() -> None:
    pixels = np.zeros((5, 6, 4), np.uint8)
    pixels[2, 0], pixels[2, 5] = (10, 20, 30, 255), (40, 50, 60, 1)
    plain, alpha = split(Image.fromarray(pixels), 3)
    assert isinstance(plain, Image.Image) and alpha is not None
    made = np.asarray(plain)
    assert (made[:, :3] == (10, 20, 30)).all() and (made[:, 3:] == (40, 50, 60)).all()
    assert np.asarray(alpha)[2, 5] == 1 and split(Image.fromarray(pixels), 4) == (Image.fromarray(pixels), None)


def test_colours_that_were_multiplied_by_opacity_are_divided_by_it() -> None:
    values = np.array([[[10_000]], [[20_000]], [[30_000]], [[32_768]]], np.uint16)
    plain, alpha = split(Stack(values, info={"alpha": "premultiplied"}), 3)
    assert isinstance(plain, Stack) and alpha is not None and not is_transparent(plain)
    np.testing.assert_allclose(plain.values[:, 0, 0], [20_000, 40_000, 60_000], rtol=1e-3)
    back = joined(plain, alpha)
    assert isinstance(back, Stack) and is_transparent(back) and back.values[3, 0, 0] == 32_768


def test_four_channels_that_are_not_said_to_be_opacity_are_none() -> None:
    given = Stack(np.zeros((4, 3, 3), np.uint16))
    assert split(given, 3) == (given, None)


def test_what_nobody_sees_does_not_count_beside_true_results(tmp_path: Path) -> None:
    given, spread = cut_out(), np.asarray(cut_out()).copy()
    spread[spread[..., 3] == 0] = (250, 200, 150, 0)
    given.save(tmp_path / "target.png")
    Image.fromarray(spread).save(tmp_path / "made.png")
    done = [Translated(tmp_path / "target.png", tmp_path / "made.png", tmp_path / "target.png")]
    found = measure(done, tmp_path / "measures.csv")
    assert found.means["made"]["l1"] == 0 and found.means["made"]["ssim"] == pytest.approx(1)


def test_soft_edges_stay_soft(blurring: Model) -> None:
    soft = cut_out()
    soft.putalpha(soft.getchannel("A").filter(ImageFilter.GaussianBlur(2)))
    made = translate_picture(blurring, soft)
    assert isinstance(made, Image.Image)
    np.testing.assert_array_equal(np.asarray(made)[..., 3], np.asarray(soft)[..., 3])
