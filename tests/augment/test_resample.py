import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional

from gansmith.augment.resample import sample

# torch's own forward mode warns of its use of torch.jit when it is first used.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")


def images_and_places() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True), torch.rand(2, 6, 3, 2, dtype=torch.float64) * 4 - 2


def test_values_and_first_gradients_are_those_of_grid_sample():
    images, places = images_and_places()
    expected = functional.grid_sample(images, places, padding_mode="reflection", align_corners=False)
    assert torch.equal(sample(images, places), expected)
    weights = torch.randn_like(expected)
    (ours,) = torch.autograd.grad((sample(images, places) * weights).sum(), images)
    (reference,) = torch.autograd.grad((expected * weights).sum(), images)
    assert torch.equal(ours, reference)


def test_gradients_of_any_order_agree_with_finite_differences():
    images, places = images_and_places()
    assert gradcheck(lambda x: sample(x, places), images, check_forward_ad=True)
    assert gradgradcheck(lambda x: sample(x, places).tanh(), images)


def test_a_directional_derivative_is_the_sampled_direction():
    images, places = images_and_places()
    direction = torch.randn_like(images)
    result = torch.func.jvp(lambda x: sample(x, places), (images.detach(),), (direction,))
    assert torch.equal(result[1], sample(direction, places))


def test_the_gradient_of_a_directional_derivative_is_that_of_double_backward():
    images, places = images_and_places()
    images = images.detach()
    weight = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def critic(x: torch.Tensor) -> torch.Tensor:
        return (sample(x, places) * weight).tanh().square().sum()

    leaf = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(leaf), leaf, create_graph=True)
    (expected,) = torch.autograd.grad(gradient.square().sum() / 2, weight)
    result = torch.func.jvp(critic, (images,), (gradient.detach(),))
    (ours,) = torch.autograd.grad(result[1], weight)
    assert torch.allclose(ours, expected)
