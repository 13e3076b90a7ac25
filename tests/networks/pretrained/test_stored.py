"""Networks in files of the user's own."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from gansmith.data.dataset import Dataset
from gansmith.data.programs import trusting
from gansmith.errors import UserError
from gansmith.networks.pretrained.stored import from_function, from_program, from_script

PYTHON = """
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Options:
    width: int = 3


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, Options().width, 3), nn.Dropout())


def function():
    return lambda images: images.flatten(1) * 2


def nothing():
    pass
"""


@pytest.fixture(autouse=True)
def trusted() -> Iterator[None]:
    """TorchScript and torch.export are programs, which run for those who trust them (tests/data/test_programs.py)."""
    with trusting(True):
        yield


@pytest.fixture
def module() -> nn.Module:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 3, 3), nn.Dropout(), nn.ReLU())


@pytest.fixture
def python(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(PYTHON)
    return tmp_path / "mine.py"


def expected(module: nn.Module, data: Dataset) -> torch.Tensor:
    return module.eval()(data.batch(slice(None))["image"]).mean((2, 3)).detach()


def test_a_script_is_a_space_named_and_keyed_by_its_file(
    module: nn.Module, tmp_path: Path, striped: tuple[Dataset, Dataset, Dataset]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module), str(tmp_path / "mine.pt"))
    shutil.copy(tmp_path / "mine.pt", tmp_path / "copy.pt")
    space = from_script(tmp_path / "mine.pt")
    assert space.name == "mine"
    assert space.key == from_script(tmp_path / "copy.pt").key
    assert torch.allclose(space.features(striped[1]), expected(module, striped[1]), atol=1e-6)


def test_an_exported_program_is_a_space(module: nn.Module, tmp_path: Path, striped: tuple[Dataset, Dataset, Dataset]) -> None:
    batch = torch.export.Dim("batch")
    program = torch.export.export(module.eval(), (torch.zeros(4, 1, 8, 8),), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "mine.pt2")
    space = from_program(tmp_path / "mine.pt2")
    assert space.name == "mine"
    assert torch.allclose(space.features(striped[1]), expected(module, striped[1]), atol=1e-6)


def test_a_function_of_a_file_makes_the_network(
    python: Path, module: nn.Module, striped: tuple[Dataset, Dataset, Dataset]
) -> None:
    space = from_function(python, "network")
    assert space.name == "Sequential"
    assert space.key == from_function(python, "network").key
    assert torch.allclose(space.features(striped[1]), expected(nn.Sequential(module[0]), striped[1]), atol=1e-6)  # pyright: ignore
    doubled = from_function(python, "function").features(striped[1])
    assert torch.equal(doubled, striped[1].batch(slice(None))["image"].flatten(1) * 2)


def test_a_function_that_is_not_there_or_makes_no_network_is_told(python: Path) -> None:
    with pytest.raises(UserError, match='did you mean "network"'):
        from_function(python, "netwrk")
    with pytest.raises(UserError, match="those it has are network, function, nothing."):
        from_function(python, "xyz")
    with pytest.raises(UserError, match="returns a NoneType"):
        from_function(python, "nothing")


def test_files_of_another_kind_are_told(module: nn.Module, tmp_path: Path) -> None:
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    with pytest.raises(UserError, match="weights alone do not say what to compute"):
        from_script(tmp_path / "weights.pt")
    with pytest.raises(UserError, match="saved by torch.export"):
        from_program(tmp_path / "weights.pt")
    for load in (from_script, from_program):
        with pytest.raises(UserError, match="there is no such file"):
            load(tmp_path / "none.pt")


def test_a_function_that_takes_a_batch_is_the_network_itself(tmp_path: Path, striped: tuple[Dataset, Dataset, Dataset]) -> None:
    (tmp_path / "own.py").write_text("def doubled(images):\n    return images.flatten(1) * 2\n")
    found = from_function(tmp_path / "own.py", "doubled").features(striped[1])
    assert torch.equal(found, striped[1].batch(slice(None))["image"].flatten(1) * 2)
