"""StyleGAN2's filter against a plain double loop."""

import pytest
import torch

from gansmith.layers.smoothing import enlarge, smooth

TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8


def naive(x, padding, gain):
    x = torch.nn.functional.pad(x, (padding,) * 4)
    height, width = x.shape[2] - 3, x.shape[3] - 3
    out = torch.zeros(*x.shape[:2], height, width)
    for i, a in enumerate(TAPS):
        for j, b in enumerate(TAPS):
            out += gain * a * b * x[:, :, i : i + height, j : j + width]
    return out


def test_smoothing_filters_and_keeps_every_second_pixel():
    x = torch.randn(2, 3, 8, 10)
    torch.testing.assert_close(smooth(x, padding=2, gain=3.0), naive(x, 2, 3.0))
    torch.testing.assert_close(smooth(x, padding=1, stride=2), naive(x, 1, 1.0)[:, :, ::2, ::2])
    last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(smooth(last, padding=1, stride=2), smooth(x, padding=1, stride=2))


def test_enlarging_is_zeros_between_and_the_filter():
    x = torch.randn(2, 1, 4, 5)
    spread = torch.zeros(2, 1, 9, 11)
    spread[:, :, 1::2, 1::2] = x  # padded by (2, 1): the filter has an even length
    torch.testing.assert_close(enlarge(x), naive(torch.nn.functional.pad(spread, (1, 1, 1, 1)), 0, 4.0)[:, :, :8, :10])


FORMS = pytest.mark.parametrize(
    ("form", "padding", "stride"), [("smooth", 1, 1), ("smooth", 2, 1), ("smooth", 1, 2), ("smooth", 2, 2), ("enlarge", 0, 1)]
)


@FORMS
def test_gradients_and_directional_derivatives_are_those_of_the_plain_filter(form, padding, stride):
    """Every form is linear: its gradient is the adjoint, <f(x), y> = <x, f*(y)>, and its derivative along x is f(x)."""
    x = torch.randn(2, 3, 6, 4, dtype=torch.float64, requires_grad=True)
    filtered = enlarge if form == "enlarge" else lambda x: smooth(x, padding=padding, stride=stride, gain=3.0)
    assert torch.autograd.gradcheck(filtered, (x,))
    assert torch.autograd.gradgradcheck(lambda x: filtered(x).square(), (x,))
    torch.testing.assert_close(torch.func.jvp(filtered, (x.detach(),), (x.detach(),))[1], filtered(x).detach())
