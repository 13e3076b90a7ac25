import math
from dataclasses import fields, replace

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from gansmith.augment.diffaugment import DiffAugment
from gansmith.augment.pipeline import Augment, Transforms
from gansmith.errors import UserError

NONE = Transforms(**{field.name: 0.0 for field in fields(Transforms)})
ALL = Transforms(cutout=1.0)


def only(name: str) -> Augment:
    return Augment(replace(NONE, **{name: 1.0}))


def batch(n: int = 6, channels: int = 3, height: int = 8, width: int = 8, **facts) -> torch.Tensor:
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(0), **facts) * 2 - 1


def changed_rows(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    return (before != after).flatten(1).any(1)


@pytest.mark.parametrize("p", [0.0, torch.tensor(0.0)])
@pytest.mark.parametrize("augment", [Augment(ALL), DiffAugment()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_at_probability_zero_nothing_changes_to_the_last_bit(augment, p, dtype):
    images = batch().to(dtype)
    assert torch.equal(augment(images, p), images)


@pytest.mark.parametrize("augment", [Augment(ALL), DiffAugment()])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 8, 8), (4, 6, 10), (3, 1, 7), (1, 2, 1)])
def test_every_shape_comes_back_finite_and_in_its_type(augment, shape):
    images = batch(4, *shape)
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        torch.manual_seed(1)
        result = augment(images.to(dtype), 1.0)
        assert result.shape == images.shape and result.dtype == dtype and result.isfinite().all()


@pytest.mark.parametrize("augment", [Augment(ALL), DiffAugment()])
def test_the_same_seed_gives_the_same_batch_and_another_one_does_not(augment):
    images = batch()
    results = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        results.append(augment(images, 0.9))
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])


@pytest.mark.parametrize("augment", [Augment(ALL), DiffAugment()])
def test_autocast_changes_nothing(augment):
    images = batch()
    torch.manual_seed(0)
    plain = augment(images, 0.9)
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(images, 0.9), plain)


@pytest.mark.parametrize("augment", [Augment(ALL), DiffAugment()])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gradients_of_first_and_second_order_agree_with_finite_differences(augment, channels):
    images = batch(2, channels, 3, 4, dtype=torch.float64).requires_grad_()

    def augmented(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)
        return augment(x, 0.9)

    assert gradcheck(augmented, images)
    assert gradgradcheck(lambda x: augmented(x).square(), images)


def test_a_penalty_on_augmented_images_reaches_the_critics_weights():
    torch.manual_seed(0)
    images, critic = batch().requires_grad_(), torch.nn.Linear(192, 4)
    logits = torch.nn.functional.softplus(critic(Augment(ALL)(images, 0.8).flatten(1)))
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    (weight,) = torch.autograd.grad(gradient.square().sum(), critic.weight)
    assert weight.isfinite().all() and weight.abs().sum() > 0


@pytest.mark.parametrize("name", [field.name for field in fields(Transforms)])
def test_every_transform_happens_as_often_as_it_should(name):
    torch.manual_seed(0)
    n, p = 4000, 0.4
    # Half of the flips and a quarter of the turns are by nothing; a whole translation of 16 pixels rounds to 0 in both
    # directions once in 16 times, since shares below half a pixel are a quarter of each side's.
    happens = {"flip": 1 / 2, "quarter_turns": 3 / 4, "luma_flip": 1 / 2, "whole_translation": 1 - (0.5 / 2) ** 2}
    expected = p * happens.get(name, 1.0)
    images = batch(1, 3, 16, 16).expand(n, -1, -1, -1)
    share = changed_rows(images, only(name)(images, torch.tensor(p))).float().mean().item()
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / n))


def test_a_strength_multiplies_the_probability():
    torch.manual_seed(0)
    images = batch(1).expand(4000, -1, -1, -1)
    share = changed_rows(images, Augment(replace(NONE, contrast=0.5))(images, 0.4)).float().mean().item()
    assert share == pytest.approx(0.2, abs=0.03)


def test_flips_turns_and_translations_are_those_of_the_grid():
    torch.manual_seed(0)
    image = batch(1)
    images = image.expand(64, -1, -1, -1)
    flipped = only("flip")(images, 1.0)
    turned = only("quarter_turns")(images, 1.0)
    for results, references in (
        (flipped, [image, image.flip(3)]),
        (turned, [image.rot90(turns, (2, 3)) for turns in range(4)]),
    ):
        distances = torch.stack([(results - reference).abs().amax((1, 2, 3)) for reference in references])
        assert (distances.amin(0) < 1e-5).all()
        assert (distances < 1e-5).any(1).all()
    moved = only("whole_translation")(images, 1.0)
    inside = slice(1, 7)  # an eighth of 8 pixels is one
    references = [image.roll((y, x), (2, 3)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    distances = torch.stack([(moved - reference)[..., inside, inside].abs().amax((1, 2, 3)) for reference in references])
    assert (distances.amin(0) < 1e-5).all()


def test_drawn_amounts_have_the_papers_distributions():
    torch.manual_seed(0)
    n = 4000
    grey = torch.full((n, 3, 2, 2), 0.5)
    offsets = (only("brightness")(grey, 1.0) - 0.5)[:, 0, 0, 0]
    assert offsets.mean().item() == pytest.approx(0, abs=0.015) and offsets.std().item() == pytest.approx(0.2, rel=0.05)
    factors = (only("contrast")(grey, 1.0) / 0.5)[:, 0, 0, 0].log2()
    assert factors.mean().item() == pytest.approx(0, abs=0.03) and factors.std().item() == pytest.approx(0.5, rel=0.05)
    ramp = torch.linspace(-1, 1, 33).expand(n, 1, 33, 33)
    slopes = only("scale")(ramp, 1.0)[:, 0, 16, 16:18].diff(dim=1)[:, 0] / (2 / 32)
    assert (-slopes.log2()).std().item() == pytest.approx(0.2, rel=0.05)


def test_a_cutout_clears_a_square_of_half_the_side():
    torch.manual_seed(0)
    images = torch.ones(500, 1, 32, 32)
    cleared = (only("cutout")(images, 1.0) == 0)[:, 0]
    assert cleared.any(2).sum(1).max() == 16 and cleared.any(1).sum(1).max() == 16
    assert (cleared.sum((1, 2)) == cleared.any(2).sum(1) * cleared.any(1).sum(1)).all()
    assert cleared.float().mean().item() == pytest.approx((0.5 * 0.875) ** 2, rel=0.05)


def test_alpha_moves_but_keeps_its_values_under_colour():
    torch.manual_seed(0)
    images = batch(8, 4)
    for name in ("brightness", "contrast", "luma_flip", "hue", "saturation"):
        result = only(name)(images, 1.0)
        assert torch.equal(result[:, 3], images[:, 3]) and not torch.equal(result, images)
    assert not torch.equal(only("rotation")(images, 1.0)[:, 3], images[:, 3])


def test_mistakes_are_answered_in_one_sentence():
    with pytest.raises(UserError, match="1, 3 or 4 channels to augment, but they have 2"):
        Augment()(torch.zeros(1, 2, 4, 4), 0.5)
    with pytest.raises(UserError, match="1, 3 or 4 channels to augment, but they have 5"):
        DiffAugment()(torch.zeros(1, 5, 4, 4))
    with pytest.raises(UserError, match="Expected hue of the augmentation to be 0 or more, but it is -1.0"):
        Transforms(hue=-1.0)
