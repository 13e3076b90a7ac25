"""Minibatch discrimination against equation 1, written as loops."""

import math

import torch

from gansmith.layers.minibatch_discrimination import MinibatchDiscrimination


def test_the_planes_are_the_closeness_to_the_other_examples():
    torch.manual_seed(0)
    layer, x = MinibatchDiscrimination(2 * 3 * 3, kernels=4, dimensions=5), torch.randn(6, 2, 3, 3)
    made = layer(x)
    rows = layer.project(x.flatten(1)).view(6, 4, 5).tolist()
    assert torch.equal(made[:, :2], x) and made.shape == (6, 6, 3, 3)
    for i in range(6):
        for kernel in range(4):
            others = [j for j in range(6) if j != i]
            distances = [sum(abs(a - b) for a, b in zip(rows[i][kernel], rows[j][kernel], strict=True)) for j in others]
            expected = torch.full((3, 3), sum(math.exp(-distance) for distance in distances))
            torch.testing.assert_close(made[i, 2 + kernel], expected, atol=1e-5, rtol=1e-4)


def test_a_collapsed_batch_is_told_from_a_varied_one():
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(8, kernels=3, dimensions=4)
    same, varied = torch.randn(1, 8, 1, 1).expand(16, -1, -1, -1), torch.randn(16, 8, 1, 1)
    assert layer(same)[:, 8:].min() > 14.9 and layer(varied)[:, 8:].max() < 8
