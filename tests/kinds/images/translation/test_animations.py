"""Animations through a network that changes nothing: transparency, durations, loops and compression stay."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageSequence, features

from gansmith.kinds.images.translation.files import translate_file
from gansmith.model import Model
from tests import toys

DURATIONS = [50, 100, 200, 70]


class Same(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.fixture
def model() -> Model:
    data = toys.pairs()
    own = Model(toys.small("pix2pix", data).eval(), data.codec, {"gan": "pix2pix", "data": "negatives"})
    own.gan.maker = lambda makes="b": Same()  # type: ignore[method-assign]
    return own


def dots(mode: str = "RGBA") -> list[Image.Image]:
    """A red dot that moves over nothing (or black)."""
    frames = []
    for number in range(4):
        frame = Image.new("RGBA", (32, 16))
        ImageDraw.Draw(frame).ellipse((number * 7, 3, number * 7 + 6, 9), fill=(200, 30, 30, 255))
        frames.append(frame.convert(mode))
    return frames


def shown(path: Path) -> tuple[list[np.ndarray], list[int], dict[Any, Any]]:
    """The frames of a file as they are shown, how long, and what else it says."""
    with Image.open(path) as image:
        frames, durations = [], []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            frames.append(np.asarray(frame.convert("RGBA")))
            durations.append(int(frame.info.get("duration", 0)))
        return frames, durations, dict(image.info)


def visible(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [np.where(frame[..., 3:] > 0, frame, 0) for frame in frames]


@pytest.fixture
def translated(model: Model, tmp_path: Path) -> Callable[..., Path]:
    def make(frames: list[Image.Image], name: str, **how: Any) -> Path:
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **how)
        assert translate_file(model, tmp_path / name, tmp_path / "out" / name) == []
        return tmp_path / "out" / name

    return make


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.gif", {"loop": 3, "disposal": 2}),
        ("a.gif", {"loop": 0, "disposal": 2}),
        ("a.webp", {"loop": 3, "lossless": True}),
        ("a.webp", {"loop": 1, "lossless": True}),
        ("a.png", {"loop": 2, "disposal": 1}),
        ("a.png", {"loop": 0}),
    ],
)
def test_transparent_frames_leave_no_trails_and_keep_their_durations_and_loops(
    translated: Callable[..., Path], name: str, how: dict[str, Any]
) -> None:
    frames, durations, info = shown(translated(dots(), name, duration=DURATIONS, **how))
    assert durations == DURATIONS and info["loop"] == how["loop"]
    for made, given in zip(visible(frames), map(np.asarray, dots()), strict=True):
        np.testing.assert_allclose(made.astype(int), given.astype(int), atol=1 if name != "a.gif" else 12)


def test_a_gif_that_plays_once_plays_once(translated: Callable[..., Path]) -> None:
    frames, durations, info = shown(translated(dots("RGB"), "a.gif", duration=70))
    assert "loop" not in info and durations == [70] * 4 and len(frames) == 4


def test_the_default_image_of_a_png_stays_outside_of_its_animation(translated: Callable[..., Path]) -> None:
    still = Image.new("RGBA", (32, 16), "blue")
    frames, durations, info = shown(translated([still, *dots()], "a.png", duration=DURATIONS, loop=5, default_image=True))
    assert info["default_image"] is True and info["loop"] == 5 and durations[1:] == DURATIONS and len(frames) == 5
    np.testing.assert_array_equal(frames[0], np.asarray(still))
    np.testing.assert_array_equal(visible(frames)[2], np.asarray(dots()[1]))


def test_webp_without_loss_stays_so_and_with_loss_small(translated: Callable[..., Path]) -> None:
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)) for _ in range(3)]
    exact = translated(noise, "a.webp", lossless=True)
    for made, given in zip(shown(exact)[0], noise, strict=True):
        np.testing.assert_array_equal(made[..., :3], np.asarray(given))
    lossy = translated(noise, "b.webp", quality=60)
    assert b"VP8L" not in lossy.read_bytes() and lossy.stat().st_size < exact.stat().st_size


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_stays_an_animation(translated: Callable[..., Path]) -> None:
    frames, durations, _ = shown(translated(dots("RGB"), "a.avif", duration=DURATIONS, quality=100))
    assert durations == DURATIONS
    for made, given in zip(frames, map(np.asarray, dots("RGB")), strict=True):
        assert np.abs(made[..., :3].astype(int) - given).mean() < 3


def test_half_seen_pixels_of_a_gif_are_seen_or_not(model: Model, tmp_path: Path) -> None:
    """Enlarging makes edges of opacity soft."""
    data = toys.pairs(scale=2)
    larger = Model(toys.small("srgan", data).eval(), data.codec, {"gan": "srgan", "data": "negatives"})
    frames = dots()
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], disposal=2)
    translate_file(larger, tmp_path / "a.gif", tmp_path / "b.gif")
    made, _, _ = shown(tmp_path / "b.gif")
    assert len(made) == 4 and all(set(np.unique(frame[..., 3])) == {0, 255} for frame in made)
    for frame, given in zip(made, frames, strict=True):
        assert (frame[..., 3] > 0).mean() == pytest.approx((np.asarray(given)[..., 3] > 0).mean(), abs=0.02)
