import pytest
import torch

from gansmith.errors import UserError
from gansmith.layers.lab import lab_of, lightness_of
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def test_in_lab_the_lightness_of_the_gray_image_stays_and_the_colours_are_learned():
    data = toys.pairs(given=1)
    seed_everything(0)
    trainer = Trainer(toys.small("pix2pix", data, lab=True), data, Settings(batch=8, samples=16))
    trainer.play_round()
    assert trainer.term_means.read()["generator/l1"] > 0
    model = Model(trainer.gan.eval(), data.codec, {"gan": "pix2pix"}, data)
    made = model.sample(6)
    assert made["b"].shape == (6, 3, 16, 16)
    inside = (made["b"].amax(1) < 0.999) & (made["b"].amin(1) > -0.999)  # elsewhere colours were cut to those of the screen
    difference = (lab_of(made["b"])[:, 0] - lightness_of(made["a"])[:, 0]).abs()
    assert inside.any() and difference[inside].max() < 5e-3
    network, inputs = model.gan.exportable()
    torch.testing.assert_close(network(made["a"]), made["b"], atol=1e-4, rtol=0)
    assert inputs["input"].shape == (2, 1, 16, 16)


def test_lab_is_for_gray_images_that_get_colours():
    with pytest.raises(UserError, match=r"--gan.lab colours gray images, but these pairs go from 3 to 3 channels"):
        toys.small("pix2pix", toys.pairs(), lab=True)


def test_a_residual_game_adds_to_the_given_image_and_is_no_other_where_channels_differ():
    gan = toys.small("pix2pix", toys.pairs(), residual=True).eval()
    x = torch.rand(2, 3, 16, 16) - 0.5
    torch.testing.assert_close(gan.maker()(x) - x, gan.generator.averaged(x))
    assert not toys.small("pix2pix", toys.pairs(given=1), residual=True).residual


def test_a_sum_of_reach_two_goes_from_black_to_white():
    gan = toys.small("pix2pix", toys.pairs(), residual=True, reach=2.0).eval()
    x = torch.rand(2, 3, 16, 16) - 0.5
    torch.testing.assert_close(gan.maker()(x) - x, 2 * gan.generator.averaged(x))
    with torch.no_grad():
        for weight in gan.generator.averaged.up[-1].parameters():  # type: ignore[union-attr, index]
            weight.fill_(0.0)
        gan.generator.averaged.up[-1].bias.fill_(20.0)  # type: ignore[union-attr, index]
    torch.testing.assert_close(gan.maker()(torch.full_like(x, -1.0)), torch.ones_like(x))


def test_what_a_blending_generator_lets_stay_stays():
    torch.manual_seed(0)
    gan = toys.small("pix2pix", toys.pairs(), blends=True).eval()
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    maker = gan.maker()  # type: ignore[operator]
    last = maker.network.up[-1]
    with torch.no_grad():
        last.weight.zero_()
        for stays, expected in ((20.0, x), (-20.0, torch.full_like(x, 0.5)), (0.0, (x + 0.5) / 2)):
            last.bias.copy_(torch.tensor([*[0.5493061] * 3, stays]))  # of which tanh makes 0.5
            torch.testing.assert_close(maker(x), expected, atol=1e-5, rtol=0)


def test_a_game_that_cannot_blend_does_not():
    assert toys.small("pix2pix", toys.pairs(given=1), blends=True).generator.network.up[-1].weight.shape[1] == 3
    assert toys.small("pix2pix", toys.pairs(), blends=True, residual=True).generator.network.up[-1].weight.shape[1] == 3
