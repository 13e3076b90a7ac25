"""Models of every kind in a folder, and a server of them in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from starlette.testclient import TestClient

from gansmith.model import Model
from gansmith.serve import hall as halls
from gansmith.serve.app import create_app
from gansmith.serve.limits import Limits
from tests.serve.inline import InlineWorker
from tests.toys import every, small

MODELS = {
    "digits": ("gan", "labelled"),
    "points": ("gan", "points"),
    "table": ("rowgan", "rows"),
    "series": ("seriesgan", "series"),
    "texts": ("gumbelgan", "labelled texts"),
    "sounds": ("wavegan", "named sounds"),
    "music": ("musegan", "tunes"),
    "clips": ("motiongan", "labelled clips"),
    "pairs": ("pix2pix", "pairs"),
    "voice": ("speech", "said sounds"),
    "cleaner": ("cmgan", "noisy sounds"),
    "molecules": ("molgan", "molecular graphs"),
    "faces": ("stylegan2", "attributes"),
}
"""A tiny model of each by name: its GAN, and the toy that it was made for."""


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all models."""
    folder, toys = tmp_path_factory.mktemp("shelf"), every()
    for name, (gan, toy) in MODELS.items():
        torch.manual_seed(0)
        data = toys[toy]
        Model(small(gan, data).eval(), data.codec, {"gan": gan, "data": toy, "samples": 0}).save(folder / name)
    return folder


@contextmanager
def serving(
    shelf: Path, names: list[str], limits: Limits | None = None, worker: type = InlineWorker, **how: Any
) -> Iterator[Any]:
    """A client of a server of these models."""
    made = halls.worker_of

    def of(run: Path, files: Path, device: str, trust: bool, most: int, seconds: float) -> Any:
        return worker({"run": str(run), "files": str(files), "device": "cpu", "trust": trust}, most=most, seconds=seconds)

    halls.worker_of = of
    try:
        hall = halls.Hall(halls.named([shelf / name for name in names]), limits=limits, device="cpu", most_workers=16)
        with TestClient(create_app(hall, warm=False, **how), base_url="http://localhost") as client:
            client.hall = hall
            yield client
    finally:
        halls.worker_of = made


@pytest.fixture(scope="module")
def client(shelf: Path) -> Iterator[Any]:
    with serving(shelf, list(MODELS)) as found:
        yield found
