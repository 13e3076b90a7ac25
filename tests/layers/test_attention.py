"""Self-attention against a naive loop over positions."""

import pytest
import torch
from torch.nn.functional import max_pool2d

from gansmith.layers.attention import SelfAttention


def naive(layer, x):
    out = x.clone()
    key, value = layer.key(x), layer.value(x)
    if x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0:
        key, value = max_pool2d(key, 2), max_pool2d(value, 2)
    query = layer.query(x)
    for n in range(len(x)):
        for row in range(x.shape[2]):
            for column in range(x.shape[3]):
                likeness = torch.tensordot(query[n, :, row, column], key[n], 1).flatten()
                found = (value[n].flatten(1) * likeness.softmax(0)).sum(1)
                out[n, :, row, column] += layer.share * (layer.out.weight[:, :, 0, 0] @ found)
    return out


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
def test_every_position_is_the_weighted_mean_of_what_it_looks_at(size):
    torch.manual_seed(0)
    layer, x = SelfAttention(16), torch.randn(2, 16, *size)
    with torch.no_grad():
        layer.share.fill_(0.7)
        torch.testing.assert_close(layer(x), naive(layer, x), atol=1e-5, rtol=1e-4)


def test_it_starts_as_the_identity():
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(SelfAttention(16)(x), x)
