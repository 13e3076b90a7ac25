"""Conditional batch norm against plain batch norm with each class's own scale and shift."""

import torch
from torch import nn

from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.conditional_norm import ConditionalBatchNorm

TWO = ImageSpec(shape=(1, 8, 8), classes=("a", "b"))
THREE = ImageSpec(shape=(1, 8, 8), attributes=("age", "smile", "hair"))


def test_it_starts_as_plain_batch_norm_whatever_the_label():
    torch.manual_seed(0)
    x, plain = torch.randn(4, 3, 5, 5), nn.BatchNorm2d(3)
    for spec, label in ((TWO, torch.tensor([0, 1, 1, 0])), (THREE, torch.randn(4, 3))):
        assert torch.equal(ConditionalBatchNorm(3, spec)(x, label), plain(x))


def test_each_class_has_its_own_scale_and_shift():
    torch.manual_seed(0)
    x, label = torch.randn(4, 3, 5, 5), torch.tensor([0, 1, 1, 0])
    layer = ConditionalBatchNorm(3, TWO)
    with torch.no_grad():
        layer.scale.weight.copy_(torch.randn(2, 3))
        layer.shift.weight.copy_(torch.randn(2, 3))
    normal, made = nn.BatchNorm2d(3)(x), layer(x, label)
    for n, class_ in enumerate(label):
        scale, shift = 1 + layer.scale.weight[class_], layer.shift.weight[class_]
        torch.testing.assert_close(made[n], normal[n] * scale[:, None, None] + shift[:, None, None])


def test_without_labels_it_is_plain_batch_norm():
    x = torch.randn(4, 3, 5, 5)
    layer = ConditionalBatchNorm(3, ImageSpec(shape=(1, 8, 8)))
    assert torch.equal(layer(x), nn.BatchNorm2d(3)(x)) and len(list(layer.parameters())) == 2
