"""SeriesGAN's factor beside each step, and the distribution of its returns."""

import numpy as np
import torch

from gansmith.gans.seriesgan import SeriesGenerator
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.series import Series
from gansmith.kinds.series.source import Sequences
from gansmith.kinds.series.windows import build_series
from gansmith.layers.marginals import exchanged
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


def test_exchanged_values_are_those_of_interpolation_and_stay_within_the_extremes():
    rng = np.random.default_rng(0)
    found, wanted = np.sort(rng.normal(size=(2, 9))), np.sort(rng.normal(size=(2, 9)) * 3)
    x = rng.normal(size=(4, 5, 2)) * 2
    made = exchanged(torch.tensor(x), torch.tensor(found), torch.tensor(wanted)).numpy()
    for channel in range(2):
        np.testing.assert_allclose(made[..., channel], np.interp(x[..., channel], found[channel], wanted[channel]), atol=1e-9)


def test_generated_returns_have_the_distribution_of_those_of_the_data():
    rng = np.random.default_rng(0)
    moves = 0.01 * rng.standard_t(4, size=(1500, 1))
    cutting = Options(window=16, returns=True)
    data = build_series(Sequences(name="prices", series=[Series(np.exp(np.cumsum(moves, 0)))], columns=("price",)), cutting)
    gan = toys.small("seriesgan", data).eval()
    real, made = data.batch(slice(None))["series"], gan.generate(2000, {}, rng=torch.Generator().manual_seed(1))["series"]
    ranks = torch.linspace(0.01, 0.99, 33)
    torch.testing.assert_close(made.flatten().quantile(ranks), real.flatten().quantile(ranks), atol=0.1, rtol=0.05)
    assert made.amax() <= real.amax() and made.amin() >= real.amin()
    plain = toys.small("seriesgan", data, matched=False).eval().generate(2000, {}, rng=torch.Generator().manual_seed(1))["series"]
    assert (plain.flatten().quantile(ranks) - real.flatten().quantile(ranks)).abs().max() > 0.2
