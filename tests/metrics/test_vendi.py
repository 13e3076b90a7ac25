"""The Vendi score against the eigenvalues of its kernel matrix, and the collapse that it exposes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.metrics.vendi import surprisals


def vendi(features: torch.Tensor) -> float:
    return float(np.exp(surprisals(features).mean()))


@settings(deadline=None, max_examples=10)
@given(examples=st.integers(2, 30), features=st.integers(1, 30), seed=st.integers(0, 1000))
def test_it_is_the_exponential_of_the_entropy_of_the_kernels_eigenvalues(examples: int, features: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(examples, features))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    eigenvalues = np.linalg.eigvalsh(unit @ unit.T / examples)
    eigenvalues = eigenvalues[eigenvalues > 1e-13]
    assert vendi(torch.from_numpy(rows)) == pytest.approx(np.exp(-(eigenvalues * np.log(eigenvalues)).sum()), rel=1e-6)


def test_it_counts_perpendicular_examples_and_ignores_repetitions() -> None:
    assert vendi(torch.eye(6)) == pytest.approx(6)
    assert vendi(torch.eye(6).repeat(10, 1)) == pytest.approx(6)
    assert vendi(torch.randn(1, 8).repeat(50, 1)) == pytest.approx(1)


def test_the_surprisals_tell_what_leaving_examples_out_does() -> None:
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(2000, 5, generator=rng) * torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0])
    kept = features[:, 0].argsort()[:1800]
    predicted = np.exp(surprisals(features)[kept.numpy()].mean())
    assert vendi(features[kept]) - vendi(features) == pytest.approx(predicted - vendi(features), rel=0.15)


def test_one_perfect_mode_is_precise_and_vendi_tells(
    on_ring: tuple[Dataset, Dataset, Dataset], ring: Callable[[np.ndarray], Dataset], remembered: Path
) -> None:
    train, held_out, _ = on_ring
    one = ring(np.array([2.0, 0.0]) + np.random.default_rng(0).normal(0, 0.1, (300, 2)))
    found = judge(one, train, held_out, metrics=["precision", "vendi"], cache=remembered)
    assert found["precision"].value > 0.9
    assert 1 <= found["vendi"].low <= found["vendi"].value < 1.1
    assert found["vendi"].ceiling == pytest.approx(2, abs=0.01)
