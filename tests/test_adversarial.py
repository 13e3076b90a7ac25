"""Every loss against its formula in the paper, written naively."""

import math

import pytest
import torch

from gansmith import adversarial

REAL = torch.tensor([1.5, -0.3, 0.0, 4.0])
FAKE = torch.tensor([-2.0, 0.7, 0.1, 3.0])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def mean(values):
    return sum(values) / len(values)


PAIRS = list(zip(REAL.tolist(), FAKE.tolist(), strict=True))
CASES = {
    "minimax_critic": mean([-math.log(sigmoid(r)) - math.log(1 - sigmoid(f)) for r, f in PAIRS]),
    "minimax_generator": mean([math.log(1 - sigmoid(f)) for _, f in PAIRS]),
    "non_saturating_critic": mean([-math.log(sigmoid(r)) - math.log(1 - sigmoid(f)) for r, f in PAIRS]),
    "non_saturating_generator": mean([-math.log(sigmoid(f)) for _, f in PAIRS]),
    "least_squares_critic": mean([0.5 * (r - 1) ** 2 + 0.5 * f**2 for r, f in PAIRS]),
    "least_squares_generator": mean([0.5 * (f - 1) ** 2 for _, f in PAIRS]),
    "hinge_critic": mean([max(0, 1 - r) + max(0, 1 + f) for r, f in PAIRS]),
    "hinge_generator": mean([-f for _, f in PAIRS]),
    "wasserstein_critic": mean([f - r for r, f in PAIRS]),
    "wasserstein_generator": mean([-f for _, f in PAIRS]),
    "relativistic_critic": mean([-math.log(sigmoid(r - f)) for r, f in PAIRS]),
    "relativistic_generator": mean([-math.log(sigmoid(f - r)) for r, f in PAIRS]),
    "relativistic_average_critic": mean(
        [-math.log(sigmoid(r - mean(FAKE.tolist()))) - math.log(1 - sigmoid(f - mean(REAL.tolist()))) for r, f in PAIRS]
    ),
    "relativistic_average_generator": mean(
        [-math.log(1 - sigmoid(r - mean(FAKE.tolist()))) - math.log(sigmoid(f - mean(REAL.tolist()))) for r, f in PAIRS]
    ),
}
OF_BOTH = {name for name in CASES if name.endswith("_critic") or name.startswith("relativistic")}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_loss_is_the_mean_of_its_formula_in_float32(name, dtype):
    both = name in OF_BOTH
    real, fake = REAL.to(dtype), FAKE.to(dtype)
    loss = getattr(adversarial, name)(*((real, fake) if both else (fake,)))
    assert loss.dtype == torch.float32 and loss.shape == ()
    assert loss.item() == pytest.approx(CASES[name], rel=1e-5 if dtype == torch.float32 else 2e-2)


def test_every_public_loss_is_tested():
    public = {name for name in vars(adversarial) if name.endswith(("_critic", "_generator"))}
    assert public == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_huge_logits_stay_finite(name):
    huge = torch.tensor([1e4, -1e4])
    arguments = (huge, huge) if name in OF_BOTH else (huge,)
    assert getattr(adversarial, name)(*arguments).isfinite()


def test_the_minimax_generator_starves_where_the_non_saturating_one_learns():
    sure = torch.tensor([-12.0], requires_grad=True)
    (flat,) = torch.autograd.grad(adversarial.minimax_generator(sure), sure)
    (strong,) = torch.autograd.grad(adversarial.non_saturating_generator(sure), sure)
    assert abs(flat.item()) < 1e-4 and abs(strong.item()) > 0.99


def test_label_smoothing_is_cross_entropy_with_a_softer_target():
    expected = mean([-0.9 * math.log(sigmoid(r)) - 0.1 * math.log(1 - sigmoid(r)) - math.log(1 - sigmoid(f)) for r, f in PAIRS])
    assert adversarial.non_saturating_critic(REAL, FAKE, 0.1).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("share", "kept"), [(1.0, [-2.0, 0.7, 0.1, 3.0]), (0.5, [3.0, 0.7]), (0.01, [3.0])])
def test_top_k_keeps_the_best_share_and_at_least_one(share, kept):
    assert adversarial.top_k(FAKE, share).tolist() == pytest.approx(kept)


def test_only_the_kept_logits_teach():
    logits = FAKE.clone().requires_grad_()
    adversarial.hinge_generator(adversarial.top_k(logits, 0.5)).backward()
    assert logits.grad.tolist() == [0, -0.5, 0, -0.5]
