"""Halving and doubling convolutions against PyTorch's own, where they are computed otherwise."""

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from gansmith.layers.halving import Doubling, Halving, _in_four_phases, _phases, _slow, double, halve, weight_gradient


def plain_halve(x, weight, bias):
    return conv2d(x, weight, bias, 2, 1)


def plain_double(x, weight, bias):
    return conv_transpose2d(x, weight, bias, 2, 1)


FORMS = pytest.mark.parametrize(("ours", "plain", "halves"), [(halve, plain_halve, True), (double, plain_double, False)])


def given(halves, channels=2, dtype=torch.float64, **named):
    """An image of the kind the form takes, weight and bias."""
    torch.manual_seed(0)
    x = torch.randn(2, channels, 8, 6, dtype=dtype) if halves else torch.randn(2, 5, 4, 3, dtype=dtype)
    bias = torch.randn(5 if halves else channels, dtype=dtype)
    return [tensor.requires_grad_() for tensor in (x, torch.randn(5, channels, 4, 4, dtype=dtype), bias)]


@FORMS
def test_values_and_gradients_of_few_channels_are_those_of_pytorch(ours, plain, halves):
    inputs = given(halves)
    assert _slow(inputs[0], inputs[1], 12)
    y, expected = ours(*inputs), plain(*inputs)
    torch.testing.assert_close(y, expected)
    direction = torch.randn_like(y)
    for found, wanted in zip(*(torch.autograd.grad((out * direction).sum(), inputs) for out in (y, expected)), strict=True):
        torch.testing.assert_close(found, wanted)


@FORMS
def test_gradients_of_gradients_and_directional_derivatives_are_right(ours, plain, halves):
    inputs = given(halves, channels=1)
    assert torch.autograd.gradgradcheck(lambda *inputs: ours(*inputs).square(), inputs)
    values = tuple(tensor.detach() for tensor in inputs)
    along, expected = (torch.func.jvp(form, values, values)[1] for form in (ours, plain))
    torch.testing.assert_close(along, expected)
    some, wanted = (torch.func.jvp(lambda x: form(x, *values[1:]), values[:1], values[:1])[1] for form in (ours, plain))  # noqa: B023
    torch.testing.assert_close(some, wanted)


@FORMS
def test_the_gradient_of_the_weights_depends_on_the_input_too(ours, plain, halves):
    """As unrolled games need it: what a step of the critic changes depends on what it saw."""
    found = []
    for form in (ours, plain):
        x, weight, bias = given(halves)
        (step,) = torch.autograd.grad(form(x, weight, bias).square().sum(), weight, create_graph=True)
        found.append(torch.autograd.grad(step.square().sum(), x)[0])
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("halves", [True, False])
def test_a_slope_asks_for_no_gradient_of_the_weights(halves, monkeypatch):
    asked = []
    monkeypatch.setattr("gansmith.layers.halving.weight_gradient", lambda *given: asked.append(given) or given[2])
    x, weight, bias = given(halves)
    y = (halve if halves else double)(x, weight, bias)
    torch.autograd.grad(y.sum(), x, retain_graph=True)
    assert not asked
    torch.autograd.grad(y.sum(), weight)
    assert len(asked) == 1


def test_the_matrix_product_gives_the_gradient_of_wide_layers_in_bfloat16():
    torch.manual_seed(0)
    small, large = torch.randn(4, 128, 4, 4), torch.randn(4, 128, 8, 8)
    weight = torch.zeros(128, 128, 4, 4)
    expected = weight_gradient(small, large, weight)
    assert not torch.equal(expected, torch.zeros_like(expected))
    found = weight_gradient(*(tensor.bfloat16() for tensor in (small, large, weight)))
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).norm() < 0.01 * expected.norm()


def test_odd_sides_and_other_sizes_are_left_to_pytorch():
    x, weight = torch.randn(2, 1, 7, 6), torch.randn(3, 1, 4, 4)
    torch.testing.assert_close(halve(x, weight, None), conv2d(x, weight, None, 2, 1))
    assert not _slow(x, torch.randn(8, 8, 4, 4), 64)


def test_layers_carry_the_names_and_shapes_of_pytorch_s():
    pairs = [
        (Halving(3, 5), torch.nn.Conv2d(3, 5, 4, stride=2, padding=1)),
        (Doubling(5, 3, bias=False), torch.nn.ConvTranspose2d(5, 3, 4, stride=2, padding=1, bias=False)),
    ]
    for ours, plain in pairs:
        ours.load_state_dict(plain.state_dict())
        x = torch.randn(2, plain.in_channels, 6, 4)
        torch.testing.assert_close(ours(x), plain(x))
        with torch.autocast("cpu", torch.bfloat16):
            assert ours(x).dtype == torch.bfloat16
            torch.testing.assert_close(ours(x), plain(x), atol=0.05, rtol=0.05)


def test_wide_doubling_as_it_is_exported_is_that_of_pytorch():
    x, weight, bias = given(False, channels=7)
    torch.testing.assert_close(_in_four_phases(x, weight, bias), plain_double(x, weight, bias))


@FORMS
def test_a_training_may_follow_a_generation(ours, plain, halves):
    _phases.cache_clear()
    with torch.inference_mode():
        double(*given(False))
    inputs = given(halves)
    found, wanted = (torch.autograd.grad(form(*inputs).square().sum(), inputs) for form in (ours, plain))
    torch.testing.assert_close(found, wanted)
