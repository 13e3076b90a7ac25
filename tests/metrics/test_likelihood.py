"""The feature likelihood score: closed forms of its mixture, and the copies that it exposes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.evaluation.judgement import Judgement
from gansmith.metrics import likelihood
from gansmith.metrics.likelihood import SMALLEST, fit_variances, lessons, log_likelihood

Three = tuple[Dataset, Dataset, Dataset]


def test_the_density_is_that_of_torchs_mixture() -> None:
    rng = torch.Generator().manual_seed(0)
    centres, examples = torch.randn(7, 3, generator=rng), torch.randn(30, 3, generator=rng)
    variances = torch.rand(7, generator=rng) + 0.1
    mixture = MixtureSameFamily(
        Categorical(torch.ones(7)), Independent(Normal(centres, variances.sqrt()[:, None].expand(7, 3)), 1)
    )
    assert torch.allclose(log_likelihood(examples, centres, variances), mixture.log_prob(examples).double() / 3, atol=1e-5)


def test_left_alone_every_example_is_explained_by_the_others() -> None:
    rng = torch.Generator().manual_seed(0)
    centres, variances = torch.randn(6, 3, generator=rng), torch.rand(6, generator=rng) + 0.1
    others = [torch.arange(6) != row for row in range(6)]
    expected = [log_likelihood(centres[[row]], centres[keep], variances[keep]) for row, keep in enumerate(others)]
    assert torch.allclose(log_likelihood(centres, centres, variances, alone=True), torch.cat(expected), atol=1e-5)


def test_far_apart_centres_have_the_variance_of_their_own_examples() -> None:
    rng = torch.Generator().manual_seed(0)
    centres = 1000 * torch.eye(3)
    deviations = torch.tensor([0.5, 1.0, 2.0])
    examples = (centres[:, None] + deviations[:, None, None] * torch.randn(3, 40, 3, generator=rng)).flatten(0, 1)
    expected = (examples.view(3, 40, 3) - centres[:, None]).square().mean((1, 2))
    assert torch.allclose(fit_variances(centres, examples, torch.ones(120)), expected, rtol=1e-2)


def test_a_weight_of_two_is_as_an_example_twice() -> None:
    rng = torch.Generator().manual_seed(0)
    centres, examples = torch.randn(8, 2, generator=rng), torch.randn(30, 2, generator=rng)
    weights = torch.ones(30)
    weights[:10] = 2
    twice = fit_variances(centres, torch.cat([examples, examples[:10]]), torch.ones(40))
    centred = torch.cat([examples, examples[:10]]).mean(0) - examples.mean(0)  # the base Gaussian alone sees no weights
    assert torch.allclose(fit_variances(centres, examples, weights), twice, rtol=0.1 + float(centred.norm()))


def test_more_rounds_change_little(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    centres, examples, others = (torch.randn(150, 16, generator=rng) for _ in range(3))
    usual = log_likelihood(others, centres, fit_variances(centres, examples, torch.ones(150))).mean()
    monkeypatch.setattr(likelihood, "ROUNDS", 200)
    long = log_likelihood(others, centres, fit_variances(centres, examples, torch.ones(150))).mean()
    assert float(usual) == pytest.approx(float(long), abs=1e-3)


def test_a_copy_shrinks_to_a_spike() -> None:
    rng = torch.Generator().manual_seed(0)
    examples = torch.randn(60, 8, generator=rng)
    variances = fit_variances(torch.cat([examples[:1], torch.randn(30, 8, generator=rng)]), examples, torch.ones(60))
    assert variances[0] == pytest.approx(SMALLEST)
    assert variances[1:].min() > 100 * SMALLEST


def test_the_original_of_every_example_is_among_the_lessons_and_all_weigh_as_many_as_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(likelihood, "MAXIMUM", 20)
    train = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    examples, weights = lessons(train[50:60], train, 0)
    assert len(examples) == 30
    assert torch.equal(examples[:10], train[50:60])
    assert weights.sum() == pytest.approx(200)


@pytest.fixture
def scored(on_ring: Three, remembered: Path) -> Callable[[Dataset], Judgement]:
    train, held_out, _ = on_ring
    return lambda fake: judge(fake, train, held_out, metrics=["fls", "fls_gap"], cache=remembered)


def test_fresh_points_explain_as_well_as_training_points_do(scored: Callable[[Dataset], Judgement], on_ring: Three) -> None:
    found = scored(on_ring[2])
    assert abs(found["fls"].value) < 20
    assert abs(found["fls_gap"].value) < 20
    assert abs(found["fls"].ceiling) < 20
    assert found["fls"].baseline > 30


def test_copies_and_a_single_mode_are_far_worse(
    scored: Callable[[Dataset], Judgement], on_ring: Three, ring: Callable[[np.ndarray], Dataset]
) -> None:
    train, _, fresh = on_ring
    copies = scored(train.subset(np.arange(300)))
    assert copies["fls"].value > 1000
    assert copies["fls_gap"].value < -1000
    one = np.array([2.0, 0.0]) + np.random.default_rng(0).normal(0, 0.1, (300, 2))
    assert scored(ring(one))["fls"].value > scored(fresh)["fls"].value + 50
