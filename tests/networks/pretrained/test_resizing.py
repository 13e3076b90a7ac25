"""The three resizings against Pillow, a naive loop, and numbers recorded from clean-fid."""

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.networks.pretrained.resizing import SIDE, clean, pytorch, tensorflow


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (2, 3, 37, 450), generator=torch.Generator().manual_seed(0)).float()


def test_clean_is_pillows_bicubic_in_floating_point(images: torch.Tensor) -> None:
    for image, found in zip(images, clean(images), strict=True):
        for channel, ours in zip(image.numpy(), found, strict=True):
            expected = np.asarray(Image.fromarray(channel).resize((SIDE, SIDE), Image.Resampling.BICUBIC)).clip(0, 255)
            np.testing.assert_allclose(ours, (expected - 128) / 128, atol=1e-4)


def test_tensorflow_is_the_naive_loop_from_pixel_corners(images: torch.Tensor) -> None:
    image = images[0, 0].double().numpy()
    found = tensorflow(images)[0, 0].double().numpy() * 128 + 128
    height, width = image.shape
    for row, column in [(0, 0), (17, 200), (150, 3), (298, 298), (290, 111)]:
        y, x = row * height / SIDE, column * width / SIDE
        top, left = int(y), int(x)
        below, right = min(top + 1, height - 1), min(left + 1, width - 1)
        upper = image[top, left] + (image[top, right] - image[top, left]) * (x - left)
        lower = image[below, left] + (image[below, right] - image[below, left]) * (x - left)
        assert found[row, column] == pytest.approx(upper + (lower - upper) * (y - top), abs=1e-2)


def test_pytorch_is_bilinear_between_pixel_centres(images: torch.Tensor) -> None:
    image = images[0, 0].double().numpy()
    found = (pytorch(images)[0, 0].double().numpy() + 1) * 127.5
    height, width = image.shape
    for row, column in [(0, 0), (17, 200), (298, 298)]:
        y, x = max((row + 0.5) * height / SIDE - 0.5, 0), max((column + 0.5) * width / SIDE - 0.5, 0)
        top, left = int(y), int(x)
        below, right = min(top + 1, height - 1), min(left + 1, width - 1)
        upper = image[top, left] + (image[top, right] - image[top, left]) * (x - left)
        lower = image[below, left] + (image[below, right] - image[below, left]) * (x - left)
        assert found[row, column] == pytest.approx(upper + (lower - upper) * (y - top), abs=1e-2)


@pytest.mark.parametrize("resize", [clean, tensorflow, pytorch])
def test_images_of_the_right_size_are_only_scaled(resize) -> None:
    images = torch.randint(0, 256, (1, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0)).float()
    scaled = images / 127.5 - 1 if resize is pytorch else (images - 128) / 128
    torch.testing.assert_close(resize(images), scaled)
