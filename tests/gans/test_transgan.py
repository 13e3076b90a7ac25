"""TransGAN's players."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.gans.transgan import Config, Critic, Generator, TransGAN
from gansmith.kinds.images.spec import ImageSpec

TINY = {"width": 8, "widest": 16, "critic_width": 8, "blocks": (2, 1), "heads": 2, "expansion": 2, "noise": 6}
IMAGES = ImageSpec(shape=(3, 16, 24))


@pytest.mark.parametrize("patch", [1, 2])
def test_images_of_any_size_come_out_and_are_judged(patch):
    config = Config(**TINY, patch=patch)
    made = Generator(config, IMAGES)(torch.randn(2, 6))
    assert made.shape == (2, 3, 16, 24)
    assert Critic(config, IMAGES)(made).shape == (2,)


def test_the_widths_of_the_paper_need_no_transitions():
    images = ImageSpec(shape=(3, 32, 32))
    generator = Generator(Config(blocks=(1,)), images)
    assert [place.shape for place in generator.places] == [(16, 1024), (64, 1024), (256, 256), (1024, 64)]
    assert [type(layer).__name__ for layer in generator.transitions] == ["Linear", "Identity", "Identity"]


def test_overlapping_patches_see_and_paint_beyond_their_seams():
    torch.manual_seed(0)
    config = Config(**TINY, patch=4)
    critic, image = Critic(config, IMAGES), torch.zeros(1, 3, 16, 24, requires_grad=True)
    seen = torch.nn.functional.unfold(image, 8, padding=2, stride=4)
    seen[0, :, 7].sum().backward()  # the second patch of the second row
    assert image.grad is not None
    touched = image.grad[0, 0].nonzero()
    assert touched.min(0).values.tolist() == [2, 2] and touched.max(0).values.tolist() == [9, 9]
    assert critic.look.in_features == 3 * 8 * 8
    assert Generator(config, IMAGES).leave.out_features == 3 * 8 * 8


def test_every_weight_of_both_players_is_moved():
    torch.manual_seed(0)
    gan = TransGAN(Config(**TINY), ImageSpec(shape=(1, 16, 16), classes=("a", "b")))
    label = torch.tensor([0, 1, 1])
    gan.critic(gan.generator(torch.randn(3, 6), label), label).sum().backward()
    untouched = [
        name for name, weight in gan.named_parameters() if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]
    assert [name for name in untouched if "average" not in name] == []


def test_impossible_conditions_are_named():
    with pytest.raises(UserError, match="at least one block"):
        Config(blocks=())
    with pytest.raises(UserError, match="1, 2 or 4 pixels"):
        Config(patch=3)
    with pytest.raises(UserError, match="multiple of the 3 heads"):
        Generator(Config(**{**TINY, "heads": 3}), IMAGES)
