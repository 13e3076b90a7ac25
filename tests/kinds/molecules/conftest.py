"""A model of molecules that never trained, on disk."""

import pytest

from gansmith.kinds.molecules.toys import molecules
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from tests import toys


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    seed_everything(0)
    data = molecules()
    Model(toys.small("sequencegan", data).eval(), data.codec, {"gan": "sequencegan", "samples": 0}).save(folder / "model")
    return folder
