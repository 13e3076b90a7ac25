"""The end of a generator against tanh."""

import torch

from gansmith.layers.bounded import bounded


def test_it_is_tanh_with_and_without_a_gradient():
    x = torch.cat([torch.linspace(-90, 90, 301), torch.linspace(-1e-3, 1e-3, 21)])
    with torch.no_grad():
        torch.testing.assert_close(bounded(x), x.double().tanh().float(), rtol=0, atol=3e-7)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(bounded(x).sum(), x)
    torch.testing.assert_close(slope, 1 - x.detach().tanh() ** 2)


def test_bfloat16_ends_in_float32_and_what_comes_in_stays():
    x = torch.tensor([0.5, -2.0], dtype=torch.bfloat16)
    assert bounded(x).dtype == torch.float32
    y = torch.tensor([0.5, -2.0])
    bounded(y)
    assert y.tolist() == [0.5, -2.0]
