"""The maximum mean discrepancy against loops over its definition."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.data.dataset import Dataset
from gansmith.evaluation import nearest
from gansmith.evaluation.judge import judge
from gansmith.metrics.kernel_distance import cubic, discrepancy

Three = tuple[Dataset, Dataset, Dataset]


def by_loops(fake: np.ndarray, real: np.ndarray, unbiased: bool) -> float:
    def mean(a: np.ndarray, b: np.ndarray) -> float:
        alone = unbiased and a is b
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (alone and i == j)]
        return sum((float(a[i] @ b[j]) / a.shape[1] + 1) ** 3 for i, j in pairs) / len(pairs)

    return mean(fake, fake) + mean(real, real) - 2 * mean(fake, real)


@settings(deadline=None, max_examples=10)
@given(fake=st.integers(2, 12), real=st.integers(2, 12), unbiased=st.booleans(), seed=st.integers(0, 1000))
def test_it_equals_loops_over_all_pairs(fake: int, real: int, unbiased: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(fake, 3)), rng.normal(0.5, 2, size=(real, 3))
    found = discrepancy(torch.from_numpy(a), torch.from_numpy(b), cubic, unbiased=unbiased)
    assert found.value == pytest.approx(by_loops(a, b, unbiased), rel=1e-9, abs=1e-9)


def test_two_points_are_apart_by_their_kernels() -> None:
    a, b = torch.tensor([[1.0, 0.0]]).repeat(5, 1), torch.tensor([[0.0, 2.0]]).repeat(9, 1)
    assert discrepancy(a, b, cubic, unbiased=True).value == pytest.approx(1.5**3 + 3**3 - 2)


def test_the_size_of_the_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    fake, real = torch.randn(53, 4, generator=rng), torch.randn(41, 4, generator=rng)
    whole = discrepancy(fake, real, cubic, unbiased=True)
    monkeypatch.setattr(nearest, "ENTRIES", 200)
    parts = discrepancy(fake, real, cubic, unbiased=True)
    assert parts.value == pytest.approx(whole.value, abs=1e-6)
    assert torch.allclose(parts.influence, whole.influence, atol=1e-5)


def test_the_influences_tell_what_leaving_examples_out_does() -> None:
    rng = torch.Generator().manual_seed(0)
    fake, real = torch.randn(400, 3, generator=rng) * 1.3, torch.randn(500, 3, generator=rng)
    whole, kept = discrepancy(fake, real, cubic, unbiased=True), torch.arange(380)
    without = discrepancy(fake[kept], real, cubic, unbiased=True).value
    assert whole.influence.mean() == pytest.approx(0, abs=1e-12)
    predicted = float(whole.influence[kept].mean())
    assert without - whole.value == pytest.approx(predicted, rel=0.2)


def test_copies_of_training_points_pass_for_real_and_data_copying_tells(on_ring: Three, remembered: Path) -> None:
    train, held_out, fresh = on_ring
    copies = train.subset(np.arange(300))
    found = judge(copies, train, held_out, metrics=["mmd", "data_copying"], cache=remembered)
    honest = judge(fresh, train, held_out, metrics=["mmd", "data_copying"], cache=remembered)
    for judgement in (found, honest):
        assert judgement["mmd"].low <= 0.1 * judgement["mmd"].baseline + 1e-3
    assert found["data_copying"].value < -3 < honest["data_copying"].value
