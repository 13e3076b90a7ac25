"""What judging remembers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.cache import content_key, remember


def counted() -> tuple[Callable[[], dict[str, torch.Tensor]], list[int]]:
    calls: list[int] = []

    def compute() -> dict[str, torch.Tensor]:
        calls.append(1)
        return {"value": torch.tensor([1.5, len(calls)], dtype=torch.float64)}

    return compute, calls


def test_equal_facts_are_computed_once_and_other_facts_again(tmp_path: Path) -> None:
    compute, calls = counted()
    first, second = (remember(tmp_path, "scores", ("a", "b"), compute) for _ in range(2))
    remember(tmp_path, "scores", ("a", "c"), compute)
    assert torch.equal(first["value"], second["value"])
    assert len(calls) == 2


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    compute, calls = counted()
    remember(tmp_path, "scores", ("a",), compute)
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:20])
    remember(tmp_path, "scores", ("a",), compute)
    assert len(calls) == 2
    assert [found.suffix for found in (tmp_path / "metrics").iterdir()] == [".safetensors"]


def test_a_cache_that_cannot_be_written_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="GANSMITH_CACHE"):
        remember(tmp_path / "file", "scores", ("a",), counted()[0])


def test_subsets_of_the_same_data_have_different_keys(striped: tuple[Dataset, Dataset, Dataset]) -> None:
    train, held_out, _ = striped
    assert content_key(train) != content_key(held_out)
    assert content_key(train) == content_key(train.subset(np.arange(len(train))))
