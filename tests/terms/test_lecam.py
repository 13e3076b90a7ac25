"""LeCam regularisation against its formula, step by step."""

import pytest
import torch

from gansmith.terms.lecam import LeCam


def test_three_steps_equal_the_formula():
    torch.manual_seed(0)
    term, real_average, fake_average = LeCam(decay=0.9), 0.0, 0.0
    for _ in range(3):
        real, fake = torch.randn(8) + 2, torch.randn(8) - 1
        real_average = 0.9 * real_average + 0.1 * real.mean().item()
        fake_average = 0.9 * fake_average + 0.1 * fake.mean().item()
        expected = (
            sum((r - fake_average) ** 2 for r in real.tolist()) / 8 + sum((f - real_average) ** 2 for f in fake.tolist()) / 8
        )
        assert term(real, fake).item() == pytest.approx(expected, rel=1e-5)


def test_its_averages_are_state_without_gradient():
    term = LeCam()
    real, fake = torch.ones(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    first = term(real, fake)
    term(real, fake)  # changes the averages before the first value is differentiated
    first.backward()
    assert set(term.state_dict()) == {"real_average", "fake_average"}
    torch.testing.assert_close(real.grad, torch.full((4,), 2 * 1.0 / 4))
    torch.testing.assert_close(fake.grad, torch.full((4,), 2 * (0 - 0.01) / 4))
