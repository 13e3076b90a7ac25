"""Residual players: any size, the paper's shapes, class projection, attention."""

import pytest
import torch

from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.residual import ResidualCritic, ResidualGenerator


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (4, 8, 24), (3, 6, 10), (1, 4, 4), (3, 48, 64)])
@pytest.mark.parametrize("patch", [1, 2])
@pytest.mark.parametrize("attention", [False, True])
def test_images_of_any_even_size_go_in_and_come_out(shape, patch, attention):
    spec = ImageSpec(shape=shape, classes=("a", "b"))
    generator = ResidualGenerator(spec, noise=8, width=8, patch=patch, attention=attention)
    critic = ResidualCritic(spec, width=8, patch=patch, attention=attention)
    label = torch.tensor([0, 1])
    made = generator(torch.randn(2, 8), label)
    assert made.shape == (2, *shape) and made.abs().max() <= 1
    assert critic(made, label).shape == (2,)


def test_at_32_pixels_the_players_are_the_papers():
    spec = ImageSpec(shape=(3, 32, 32))
    generator, critic = ResidualGenerator(spec, noise=128, width=256), ResidualCritic(spec, width=128)
    block = 2 * (256 * 256 * 9 + 256) + (256 * 256 + 256) + 4 * 256  # two 3x3, a 1x1 shortcut, two norms
    expected = 129 * 16 * 256 + 3 * block + 2 * 256 + (256 * 3 * 9 + 3)
    assert sum(p.numel() for p in generator.parameters()) == expected
    assert [block.halves for block in (critic.opening, *critic.halving, *critic.keeping)] == [True, True, False, False]


def test_the_class_adds_the_projection_of_the_features():
    torch.manual_seed(0)
    spec = ImageSpec(shape=(1, 8, 8), classes=("a", "b"))
    critic, image = ResidualCritic(spec, width=8), torch.randn(3, 1, 8, 8)
    first, second = (critic(image, torch.full((3,), label)) for label in (0, 1))
    with torch.no_grad():
        critic.classes.weight[1] = critic.classes.weight[0]
    torch.testing.assert_close(critic(image, torch.full((3,), 1)), first)
    assert not torch.allclose(first, second)
