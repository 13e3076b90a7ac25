"""Encoder and decoder: any size in, the same size out, and each example alone."""

import pytest
import torch

from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.autoencoder import AutoEncoder


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (4, 8, 24), (1, 4, 6)])
@pytest.mark.parametrize("patch", [1, 2])
def test_a_code_and_an_image_of_the_same_size_come_out(shape, patch):
    spec = ImageSpec(shape=shape, classes=("a", "b"))
    code, again = AutoEncoder(spec, code=12, width=8, patch=patch)(torch.randn(2, *shape), torch.tensor([0, 1]))
    assert code.shape == (2, 12) and again.shape == (2, *shape)


def test_each_example_is_coded_alone():
    torch.manual_seed(0)
    spec = ImageSpec(shape=(1, 8, 8))
    network, images = AutoEncoder(spec, code=12, width=8), torch.randn(4, 1, 8, 8)
    torch.testing.assert_close(network(images)[1][:2], network(images[:2])[1], atol=1e-5, rtol=1e-4)


def test_it_can_learn_a_single_image():
    torch.manual_seed(0)
    spec = ImageSpec(shape=(1, 8, 8))
    network, image = AutoEncoder(spec, code=4, width=8), torch.rand(1, 1, 8, 8) * 2 - 1
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        error = (network(image)[1] - image).square().mean()
        error.backward()
        optimizer.step()
    assert error.item() < 0.02
