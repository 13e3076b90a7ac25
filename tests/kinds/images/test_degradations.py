import numpy as np
import pytest
from PIL import Image

from gansmith.kinds.images.degradations import degraded, scale_of


@pytest.fixture
def smooth() -> Image.Image:
    rows, columns = np.mgrid[0:48, 0:64]
    return Image.fromarray(np.stack([rows * 4, columns * 3, 120 + rows + columns], 2).astype(np.uint8))


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.sqrt(np.square(np.asarray(one, float) - np.asarray(other, float)).mean()))


@pytest.mark.parametrize("words", ["blur1", "noise20", "jpeg20", "holes", "noise10,jpeg40"])
def test_a_degradation_changes_the_picture_equally_at_every_call(smooth: Image.Image, words: str) -> None:
    one, again = (degraded(smooth, words, "a.png") for _ in range(2))
    assert one.size == smooth.size and distance(one, smooth) > 0.1
    np.testing.assert_array_equal(np.asarray(one), np.asarray(again))


def test_noise_has_the_deviation_asked_for_and_is_another_for_another_picture(smooth: Image.Image) -> None:
    gray = Image.new("RGB", (128, 128), (127, 127, 127))
    noisy = degraded(gray, "noise20", "a")
    assert np.asarray(noisy, float).std() == pytest.approx(20, rel=0.03)
    assert distance(noisy, degraded(gray, "noise20", "b")) > 20


def test_lower_quality_and_wider_blur_are_further_from_the_picture(smooth: Image.Image) -> None:
    assert distance(degraded(smooth, "jpeg10", "a"), smooth) > distance(degraded(smooth, "jpeg90", "a"), smooth)
    assert distance(degraded(smooth, "blur4", "a"), smooth) > distance(degraded(smooth, "blur1", "a"), smooth)


def test_holes_are_gray_and_the_rest_is_untouched(smooth: Image.Image) -> None:
    holed = np.asarray(degraded(smooth, "holes", "a"))
    changed = (holed != np.asarray(smooth)).any(2)
    assert 0.05 < changed.mean() < 0.4 and (holed[changed] == 127).all()


def test_shrinking_multiplies_and_gray_has_one_channel(smooth: Image.Image) -> None:
    assert scale_of("x2,noise5,x2") == 4
    assert degraded(smooth, "x2,x2", "a").size == (16, 12)
    assert degraded(smooth, "gray", "a").mode == "L"
