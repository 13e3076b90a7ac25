from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANSMITH_CACHE", str(folder))
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def picture() -> Callable[..., Image.Image]:
    """Makes random pictures of any mode and (width, height)."""

    def make(mode: str = "RGB", size: tuple[int, int] = (12, 10), seed: int = 0) -> Image.Image:
        channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), np.uint8)
        return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)

    return make
