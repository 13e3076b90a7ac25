"""What every test shares: one thread, a cache of its own, and shapes and types checked while the mathematics runs."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # tests run side by side; read when torch is loaded

from functools import cache

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

torch.set_num_threads(1)
CHECKED = ("adversarial", "penalties", "schedules", "layers", "metrics")
install_import_hook([f"gansmith.{name}" for name in CHECKED], "typechecker.checked")

settings.register_profile("same", derandomize=True)  # the same values in every run, so that a red suite is red again
settings.register_profile("anew", derandomize=False)  # HYPOTHESIS_PROFILE=anew pytest: values drawn anew, to find new faults
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden", action="store_true", help="record the golden terms of GANs that have none in tests/contract/golden"
    )
    parser.addoption(
        "--write-help", action="store_true", help="write the help texts of tests/help anew instead of comparing them"
    )


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is read from, or left in, the cache of whoever runs the tests."""
    os.environ["GANSMITH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def one_registry_of_operators() -> None:
    """torch.onnx reads its 500 functions anew for every export, which takes a third of that of a small network: here it does so once."""
    export = torch.onnx.export

    @cache
    def prepare() -> None:
        from torch.onnx._internal.exporter._registration import ONNXRegistry

        ONNXRegistry.from_torchlib = staticmethod(cache(ONNXRegistry.from_torchlib))  # pyright: ignore[reportAttributeAccessIssue]

    def prepared(*arguments, **named):
        prepare()
        return export(*arguments, **named)

    torch.onnx.export = prepared
