"""SeriesGAN's factor beside each step."""

import torch

from gansmith.gans.seriesgan import SeriesGenerator
from tests import toys


def test_a_gate_begins_as_none_and_scales_each_step():
    data = toys.series()
    torch.manual_seed(0)
    gated = toys.small("seriesgan", data, gate=True).players["generator"].network
    assert isinstance(gated, SeriesGenerator) and gated.gate is not None and gated.gate.bias is not None
    noise = torch.randn(3, data.codec.spec.shape[0], 4, generator=torch.Generator().manual_seed(1))
    at_first = gated.white(noise)
    torch.nn.init.constant_(gated.gate.bias, 0.5)
    torch.testing.assert_close(gated.white(noise), 1.5 * at_first)
