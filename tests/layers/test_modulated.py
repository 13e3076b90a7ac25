"""Modulated convolution against weights made for each example, and equalised layers against plain ones."""

import math

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from gansmith.layers.equalized import EqualizedConvolution, EqualizedLinear, activated
from gansmith.layers.modulated import ModulatedConvolution
from gansmith.layers.smoothing import smooth


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_scaling_in_and_out_equals_weights_made_for_each_example(up, demodulate):
    torch.manual_seed(0)
    layer = ModulatedConvolution(5, 4, 3, style=6, up=up, demodulate=demodulate)
    x, style = torch.randn(3, 5, 6, 8), torch.randn(3, 6)
    expected = []
    for row, vector in zip(x, style, strict=True):
        scales = layer.scales.weight @ vector / math.sqrt(6) + 1
        weight = layer.weight / math.sqrt(5 * 9) * scales[None, :, None, None]
        if demodulate:
            weight = weight / weight.square().sum((1, 2, 3), keepdim=True).add(1e-8).sqrt()
        if up:
            made = smooth(conv_transpose2d(row[None], weight.transpose(0, 1), stride=2), padding=1, gain=4)
        else:
            made = conv2d(row[None], weight, padding=1)
        expected.append(made)
    torch.testing.assert_close(layer(x, style), torch.cat(expected), atol=2e-5, rtol=1e-4)


def test_doubling_doubles_both_sides_of_any_size():
    layer = ModulatedConvolution(2, 3, 3, style=4, up=True)
    assert layer(torch.randn(2, 2, 3, 5), torch.randn(2, 4)).shape == (2, 3, 6, 10)


@torch.no_grad()
def test_equalised_layers_keep_the_variance_and_scale_their_pace():
    torch.manual_seed(0)
    x = torch.randn(4096, 64)
    assert float(EqualizedLinear(64, 64)(x).var()) == pytest.approx(1, abs=0.1)
    slow = EqualizedLinear(64, 8, pace=0.01, bias=0.5)
    assert float(slow.weight.std()) == pytest.approx(100, rel=0.1)
    torch.testing.assert_close(slow(x).mean(0), torch.full((8,), 0.5), atol=0.2, rtol=0)
    image = torch.randn(8, 16, 12, 12)
    assert float(EqualizedConvolution(16, 32, 3)(image)[:, :, 1:-1, 1:-1].var()) == pytest.approx(1, abs=0.15)
    assert float(activated(torch.randn(100_000)).square().mean()) == pytest.approx(1.04, abs=0.03)
