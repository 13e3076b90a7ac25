"""Small real data to judge: striped images of three classes, and points on a ring."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gansmith.data.attributes import Attributes
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.points.codec import PointCodec

CLASSES = ("flat", "steep", "slanted")


def stripes(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Stripes of random phase and strength in a direction that is the class, with a little noise."""
    label = rng.integers(0, 3, count)
    rows, columns = np.mgrid[:8, :8]
    place = np.stack([rows, columns, rows + columns])[label]
    wave = np.sin(place * 1.5 + rng.uniform(0, 2 * np.pi, (count, 1, 1))) * rng.uniform(40, 110, (count, 1, 1))
    pixels = np.clip(128 + wave + rng.normal(0, 8, wave.shape), 0, 255).astype(np.uint8)
    return {"image": pixels[:, None], "label": label}


def image_data(arrays: dict[str, np.ndarray], name: str = "stripes") -> Dataset:
    classes = CLASSES if "label" in arrays else ()
    spec = ImageSpec(shape=arrays["image"].shape[1:], classes=classes)
    return Dataset(name=name, codec=ImageCodec(spec=spec), arrays=arrays, fingerprint=fingerprint(arrays))


def attributed_data(arrays: dict[str, np.ndarray], name: str = "stripes") -> Dataset:
    """The same stripes with two attributes instead of a class: whether they are flat, and how strong they are."""
    pixels = arrays["image"].astype(float)
    rows = np.stack([arrays["label"] == 0, pixels.std((1, 2, 3))], 1).astype(np.float32)
    attributes = Attributes.fit(("flat", "strength"), np.array([[0, 10], [1, 90]], np.float32))
    spec = ImageSpec(shape=pixels.shape[1:], attributes=attributes.names)
    own = {"image": arrays["image"], "label": rows}
    return Dataset(name=name, codec=ImageCodec(spec, attributes=attributes), arrays=own, fingerprint=fingerprint(own))


@pytest.fixture(scope="session")
def images() -> Callable[..., Dataset]:
    """Makes an image data set of arrays."""
    return image_data


@pytest.fixture(scope="session")
def striped() -> tuple[Dataset, Dataset, Dataset]:
    """Training, held-out and further real images."""
    data = image_data(stripes(700, np.random.default_rng(0)))
    return data.subset(np.arange(400)), data.subset(np.arange(400, 550)), data.subset(np.arange(550, 700))


@pytest.fixture(scope="session", autouse=True)
def short_training() -> Iterator[None]:
    """The stripes are learned in a fifth of the time that a classifier is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gansmith.kinds.images.features.classifier.MINIMUM", 4000)
        yield


@pytest.fixture(scope="session")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all tests share, so that the classifier is trained once."""
    return tmp_path_factory.mktemp("cache")


def ring_points(count: int, rng: np.random.Generator, sigma: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """(points, modes) of eight Gaussians on a circle of radius 2."""
    angles = np.arange(8) * np.pi / 4
    modes = 2 * np.stack([np.cos(angles), np.sin(angles)], 1)
    return modes[rng.integers(0, 8, count)] + rng.normal(0, sigma, (count, 2)), modes


@pytest.fixture(scope="session")
def ring() -> Callable[[np.ndarray], Dataset]:
    """Makes a data set of points, whose true modes are known."""
    reference, modes = ring_points(500, np.random.default_rng(0))
    codec = PointCodec.fit(reference, ["x", "y"])

    def make(points: np.ndarray) -> Dataset:
        arrays = {"point": points.astype(np.float32)}
        return Dataset(
            name="ring", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays), facts={"modes": modes, "sigma": 0.1}
        )

    return make


@pytest.fixture(scope="session")
def on_ring(ring: Callable[[np.ndarray], Dataset]) -> tuple[Dataset, Dataset, Dataset]:
    """Training, held-out and further true points."""
    rng = np.random.default_rng(1)
    return ring(ring_points(600, rng)[0]), ring(ring_points(300, rng)[0]), ring(ring_points(300, rng)[0])
