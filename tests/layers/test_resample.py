"""The gradients of resampling against PyTorch's own of the same filters."""

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from gansmith.layers.resample import downsample, upsample


def triangle(channels):
    taps = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    return (torch.outer(taps, taps) / 16).expand(channels, 1, 3, 3).contiguous()


def plain_down(x):
    return conv2d(x, triangle(x.shape[1]), stride=2, padding=1, groups=x.shape[1])


def plain_up(x):
    return conv_transpose2d(x, 4 * triangle(x.shape[1]), stride=2, padding=1, output_padding=1, groups=x.shape[1])


PAIRS = pytest.mark.parametrize(("ours", "plain"), [(downsample, plain_down), (upsample, plain_up)])


@PAIRS
def test_values_and_gradients_are_those_of_depthwise_convolutions(ours, plain):
    x = torch.randn(2, 3, 6, 4, dtype=torch.float64, requires_grad=True)
    y, expected = ours(x), plain(x)
    torch.testing.assert_close(y, expected)
    weight = torch.randn_like(y)
    found, wanted = (torch.autograd.grad((out * weight).sum(), x)[0] for out in (y, expected))
    torch.testing.assert_close(found, wanted)


@PAIRS
def test_gradients_of_gradients_and_directional_derivatives_are_right(ours, plain):
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: ours(x).square(), (x,))
    _, along = torch.func.jvp(ours, (x.detach(),), (x.detach(),))
    torch.testing.assert_close(along, plain(x.detach()))
