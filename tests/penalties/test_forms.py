"""The exact forms of the gradient norm against double backward: for every critic that is penalised here, and for others."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from gansmith import penalties
from gansmith.penalties.forms import double_backward, forward_mode, held_kinks_or_double_backward
from gansmith.penalties.tape import record
from tests import toys

CRITICS = [
    ("r3gan", "gray", {}),
    ("r3gan", "labelled", {}),
    ("r3gan", "labelled", {"dense_ends": True, "patch": 2}),
    ("r3gan", "points", {}),
    ("wgan_gp", "gray", {}),
    ("wgan_gp", "labelled", {}),
    ("wgan_gp", "points", {}),
]
TOYS = {
    "gray": lambda: toys.images(side=16),
    "labelled": lambda: toys.images(side=16, channels=3, classes=3),
    "points": toys.points,
}
every_critic = pytest.mark.parametrize(("name", "toy", "options"), CRITICS)


def r1_r2_and_relativistic(logits, norms):
    a, b = logits.chunk(2)
    return F.softplus(b - a).mean() + 0.7 * norms.mean() / 2


def unit_slope(logits, norms):
    return (norms.sqrt() - 1).square().mean()


def one_sided(logits, norms):
    return logits.square().mean() + (norms.sqrt() - 0.01).relu().square().mean()


OBJECTIVES = [r1_r2_and_relativistic, unit_slope, one_sided]


def critic_of(name, toy, options, dtype=torch.float32):
    """A critic with weights and biases that are nowhere zero, as a function of examples alone, and its examples."""
    torch.manual_seed(0)
    data = TOYS[toy]()
    network = toys.small(name, data, **options).critic.network.to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    label = torch.tensor([0, 1, 2, 2, 1, 0]) if data.codec.spec.classes else None
    return network, lambda x: network(x, label), torch.randn(6, *data.codec.spec.shape, dtype=dtype)


def gradients(form, critic, network, x, objective):
    """Logits, norms, and the gradients of an objective: of the weights, and of the input through the logits."""
    start = x.clone().requires_grad_()
    logits, norms = form(critic, start * 1.0)  # with a history, as a generated example has it
    loss = objective(logits, norms)
    weights = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True, allow_unused=True)
    (entered,) = torch.autograd.grad(logits.square().sum(), start)
    # a bias behind the last kink has no gradient in one form and a zero one in the other
    return [logits.detach(), norms.detach(), *(torch.zeros(()) if w is None else w for w in weights), entered]


def differences(expected, found):
    """Relative differences; what nearly cancels, as a last bias does, is measured against a hundredth of the largest."""
    least = max(float(tensor.norm()) for tensor in expected) / 100
    return [float((a - b).norm() / b.norm().clamp_min(least)) for a, b in zip(found, expected, strict=True)]


@pytest.mark.filterwarnings("ignore:.torch.jit.script")  # torch's own, when forward mode is first used
@every_critic
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_form_equals_double_backward(name, toy, options, dtype, tolerance, objective):
    network, critic, x = critic_of(name, toy, options, dtype)
    expected = gradients(double_backward, critic, network, x, objective)
    assert any(float(gradient.norm()) > 0 for gradient in expected[2:-1])
    for form in (held_kinks_or_double_backward, forward_mode):
        assert max(differences(expected, gradients(form, critic, network, x, objective))) < tolerance


@every_critic
def test_the_critics_of_this_package_take_the_form_with_one_weight_pass(name, toy, options):
    _, critic, x = critic_of(name, toy, options)
    assert penalties.obstacle(critic, x) is None


@every_critic
def test_under_bfloat16_gradients_point_where_those_of_float32_do(name, toy, options):
    network, critic, x = critic_of(name, toy, options)
    expected = torch.cat([g.flatten() for g in gradients(double_backward, critic, network, x, r1_r2_and_relativistic)[2:-1]])
    cosines = []
    for form in (double_backward, held_kinks_or_double_backward):
        with torch.autocast("cpu", torch.bfloat16):
            found = gradients(form, critic, network, x, lambda logits, norms: r1_r2_and_relativistic(logits.float(), norms))
        assert all(tensor.dtype == torch.float32 for tensor in found[1:])
        cosines.append(torch.cosine_similarity(torch.cat([g.flatten() for g in found[2:-1]]), expected, dim=0))
    plain, chosen = cosines
    assert chosen > 0.99 and chosen > plain - 1e-3  # in networks so small, a kink that rounding moves is seen


def test_accumulated_gradients_reach_dot_grad_and_a_second_move_leaves_the_weights_alone():
    network, critic, x = critic_of("r3gan", "labelled", {})
    factor = torch.ones((), requires_grad=True)
    logits, norms = penalties.with_gradient_norm(critic, x * factor)
    (logits.mean() + norms.mean()).backward(inputs=list(network.parameters()), retain_graph=True)
    before = [parameter.grad.clone() for parameter in network.parameters()]
    logits.mean().backward(inputs=[factor])
    assert factor.grad.abs() > 0
    assert all(torch.equal(parameter.grad, kept) for parameter, kept in zip(network.parameters(), before, strict=True))


def test_weights_that_changed_before_the_backward_pass_are_noticed():
    network, critic, x = critic_of("wgan_gp", "gray", {})
    _, norms = penalties.with_gradient_norm(critic, x)
    with torch.no_grad():
        next(network.parameters()).add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        norms.sum().backward()


class Cube(torch.autograd.Function):
    """An operation with a gradient of its own."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * 3 * x**2


STRANGERS = {
    "a smooth activation": (lambda linear, x: F.silu(linear(x)).sum(1), "silu"),
    "batch norm": (lambda linear, x: F.batch_norm(linear(x), None, None, training=True).sum(1), "batch_norm"),
    "a mean over examples": (lambda linear, x: linear(x - x.mean(0)).sum(1), "mean"),
    "a product with itself": (lambda linear, x: (linear(x) * x).sum(1), "mul"),
    "features of the whole batch": (lambda linear, x: torch.cat([linear(x), linear(x).std(0).expand_as(x)], 1).sum(1), "std"),
    "examples in another order": (lambda linear, x: linear(x.flip(0)).sum(1), "flip"),
    "logits of another shape": (lambda linear, x: linear(x), "the logits"),
    "a change in place": (lambda linear, x: linear(x).relu_().sum(1), "relu_"),
    "a bias in the wrong place": (lambda linear, x: (linear(x) + torch.ones(3, 6, 4)).sum((0, 2)), "add"),
    "an operation of one's own": (lambda linear, x: Cube.apply(x).sum(1) + linear(x).sum(1), "pow"),
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_the_tape_does_not_know_is_left_to_double_backward(stranger):
    function, obstacle = STRANGERS[stranger]
    torch.manual_seed(0)
    network = nn.Linear(4, 4)
    x = torch.randn(6, 4)
    assert penalties.obstacle(lambda x: function(network, x), x) == obstacle
    if stranger != "logits of another shape":
        expected, found = (
            gradients(form, lambda x: function(network, x), network, x, one_sided)
            for form in (double_backward, held_kinks_or_double_backward)
        )
        assert max(differences(expected, found)) < 1e-6


def test_a_weight_that_was_made_from_the_input_out_of_sight_is_noticed():
    x = torch.randn(6, 4, requires_grad=True)
    network, factor = nn.Linear(4, 4), x.square()
    assert record(lambda x: (network(x) * factor).sum(1), x)[1].obstacle == "a weight that depends on the input"
    assert record(lambda x: (network(x) * factor.detach()).sum(1), x)[1].obstacle is None


def test_augmented_examples_are_left_to_double_backward_and_draw_their_numbers_once():
    data = toys.images(channels=3, side=16)
    gan = toys.small("r3gan", data, augment=0.5)
    gan.clock.total, gan.clock.samples = 100, 100
    x = torch.randn(4, 3, 16, 16)
    terms = []
    for form in (double_backward, held_kinks_or_double_backward):
        torch.manual_seed(1)
        logits, norms = form(lambda x: gan.critic(gan.shown(x), None), x)
        terms.append((logits, norms, torch.rand(1)))
    assert penalties.obstacle(lambda x: gan.critic(gan.shown(x), None), x) is not None
    for plain, chosen in zip(*terms, strict=True):
        torch.testing.assert_close(plain, chosen)


def test_shared_weights_frozen_weights_and_padding_are_understood():
    torch.manual_seed(0)
    shared = nn.Conv2d(3, 3, 3, padding=1).double()
    frozen = nn.Conv2d(3, 3, 1).double().requires_grad_(False)
    scale = nn.Parameter(torch.rand(3, 1, 1, dtype=torch.float64))

    def critic(x):
        y = F.leaky_relu(shared(F.pad(x, (1, 0, 1, 0)))[:, :, 1:, 1:], 0.1)
        y = F.relu(shared(F.interpolate(y, scale_factor=2)) * scale + scale)
        return (2 * F.avg_pool2d(frozen(y), 2) + torch.ones(3, 1, 1)).mean((1, 2, 3))

    network = nn.ParameterList([*shared.parameters(), scale])
    x = torch.randn(5, 3, 6, 6, dtype=torch.float64)
    assert penalties.obstacle(critic, x) is None
    expected, found = (
        gradients(form, critic, network, x, one_sided) for form in (double_backward, held_kinks_or_double_backward)
    )
    assert max(differences(expected, found)) < 1e-12


def test_a_bias_along_the_last_dimension_is_summed_over_the_others():
    bias = nn.Parameter(torch.randn(5, dtype=torch.float64))
    weight = torch.randn(3, 3, 1, 1, dtype=torch.float64)

    def critic(x):
        return F.leaky_relu(F.conv2d(x, weight) + bias, 0.2).sum((1, 2, 3))

    x = torch.randn(4, 3, 5, 5, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    assert penalties.obstacle(critic, x) is None
    network = nn.ParameterList([bias])
    expected, found = (
        gradients(form, critic, network, x, one_sided) for form in (double_backward, held_kinks_or_double_backward)
    )
    assert max(differences(expected, found)) < 1e-12
