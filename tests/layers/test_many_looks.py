"""Layers of pix2pixHD, BicycleGAN, SPADE, MUNIT and StarGAN v2."""

import pytest
import torch
from torch.nn.functional import avg_pool2d, instance_norm, l1_loss

from gansmith.adversarial import hinge_critic
from gansmith.errors import UserError
from gansmith.layers.coarse_to_fine import CoarseToFine
from gansmith.layers.multi_scale_critic import (
    MultiScaleCritic,
    check_scales,
    feature_matching,
    mean_logit,
    over_scales,
)
from gansmith.layers.munit_autoencoder import MunitAutoencoder, adapted
from gansmith.layers.restyling import DomainReader, StyleMapping, StyleTranslator, of_domain
from gansmith.layers.spade import Spade, SpadeGenerator
from gansmith.layers.style_encoder import StyleEncoder
from gansmith.layers.unet import UNet


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_a_critic_of_scales_sees_the_image_and_its_halves():
    torch.manual_seed(0)
    critic = MultiScaleCritic(3, width=4, layers=2, scales=2, norm="instance")
    x = torch.randn(2, 3, 32, 32)
    whole, half = critic(x)
    smaller = avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
    torch.testing.assert_close(half[-1], critic.scales[1](smaller)[-1])
    assert [len(whole), whole[-1].shape[2:], half[-1].shape[2:]] == [4, (6, 6), (2, 2)]
    assert len(critic(x, scales=1)) == 1
    expected = sum(hinge_critic(features[-1], -features[-1]) for features in (whole, half))
    negative = [[-each for each in features] for features in (whole, half)]
    torch.testing.assert_close(over_scales(hinge_critic, [whole, half], negative), expected)
    logits = torch.stack([features[-1].flatten(1).mean(1) for features in (whole, half)]).mean(0)
    torch.testing.assert_close(mean_logit([whole, half]), logits)


def test_feature_matching_is_the_mean_distance_over_layers_and_takes_no_gradient_of_the_real_side():
    real = [[torch.ones(1, 2, 3, 3, requires_grad=True), torch.zeros(1, 4, 2, 2), torch.zeros(1, 1, 1, 1)]]
    fake = [[torch.zeros(1, 2, 3, 3, requires_grad=True), torch.full((1, 4, 2, 2), 3.0), torch.ones(1, 1, 1, 1)]]
    found = feature_matching(real, fake)
    assert found.item() == pytest.approx((1 + 3) / 2)  # the logits do not count
    found.backward()
    assert real[0][0].grad is None and fake[0][0].grad is not None


def test_a_critic_of_too_many_scales_is_refused_in_a_sentence():
    check_scales(2, 2, 32)
    with pytest.raises(UserError, match="of 3 scales and 3 layers needs images of 128 pixels, but they have 64"):
        check_scales(3, 3, 64)


def test_the_global_network_of_pix2pixhd_has_the_published_size():
    whole = CoarseToFine(3, 3, width=64, halvings=4, blocks=9, enhancer_blocks=3).whole
    assert parameters(whole) == pytest.approx(182.5e6, rel=0.01)  # the published "global" network of 3 channels


def test_coarse_to_fine_adds_the_global_features_at_half_the_size():
    torch.manual_seed(0)
    network = CoarseToFine(3, 2, width=4, halvings=1, blocks=1, enhancer_blocks=1).eval()
    x = torch.randn(1, 3, 19, 26)
    assert network(x).shape == (1, 2, 19, 26) and network.coarse(x).shape == (1, 2, 19, 26)
    before = network(x)
    with torch.no_grad():
        for parameter in network.whole.parameters():
            parameter.mul_(-1)
    assert not torch.allclose(before, network(x))


def test_a_style_joins_every_layer_down_of_the_unet():
    torch.manual_seed(0)
    network = UNet(3, 3, width=4, halvings=3, dropout=False, style=5)
    assert [layer.in_channels for layer in network.down] == [3 + 5, 4 + 5, 8 + 5]
    x, one, other = torch.randn(2, 3, 16, 16), torch.randn(2, 5), torch.randn(2, 5)
    assert not torch.allclose(network(x, one), network(x, other))


def test_adaptive_instance_norm_gives_each_channel_the_requested_mean_and_deviation():
    torch.manual_seed(0)
    x, scale, shift = torch.randn(2, 3, 16, 16) * 5 + 2, torch.rand(2, 3), torch.randn(2, 3)
    y = adapted(x, scale, shift)
    torch.testing.assert_close(y.mean((2, 3)), shift, atol=1e-4, rtol=0)
    torch.testing.assert_close(y.std((2, 3), correction=0), 1 + scale, atol=1e-3, rtol=0)
    torch.testing.assert_close(adapted(x, torch.zeros(2, 3), torch.zeros(2, 3)), instance_norm(x))


def test_an_autoencoder_keeps_the_content_of_any_size_and_takes_the_style():
    torch.manual_seed(0)
    network = MunitAutoencoder(3, width=4, blocks=1, style=8, mapping=8)
    x = torch.randn(2, 3, 20, 33)
    content, style = network.content(x), network.style(x)
    assert content.shape == (2, 16, 6, 10) and style.shape == (2, 8)
    made = network.decoded(content, style)
    assert made.shape == (2, 3, 24, 40) and made.abs().max() <= 1
    assert not torch.allclose(made, network.decoded(content, -style))


def test_the_map_decides_scale_and_shift_at_every_place():
    torch.manual_seed(0)
    layer = Spade(4, 2, hidden=8).eval()
    x = torch.randn(1, 4, 8, 8)
    given = torch.zeros(1, 2, 16, 16)
    given[:, 0, :, :8], given[:, 1, :, 8:] = 1, 1
    plain = layer(x, torch.zeros_like(given))
    left = layer(x, given * torch.tensor([1.0, 0.0]).view(1, 2, 1, 1))
    changed = (left - plain).abs().amax((0, 1, 2))
    assert (changed[:5] > 0).any() and torch.all(changed[6:] == 0)  # two layers of 3x3 see no further
    assert [p.requires_grad for p in layer.norm.parameters()] == [False, False]


@pytest.mark.parametrize("halvings", [1, 2, 5])
def test_the_spade_generator_makes_images_of_the_maps_size(halvings: int):
    torch.manual_seed(0)
    network = SpadeGenerator(3, 3, width=2, halvings=halvings, hidden=4)
    assert network(torch.rand(2, 3, 37, 44)).shape == (2, 3, 37, 44)


def test_the_spade_generator_has_the_published_size():
    network = SpadeGenerator(36, 3, width=64, halvings=5, hidden=128)  # Cityscapes: 35 labels and edges
    assert parameters(network) == pytest.approx(93e6, rel=0.01)  # Park et al. 2019, table 3


def test_what_belongs_to_a_domain_is_chosen_row_by_row():
    x = torch.arange(12.0).view(2, 3, 2)
    assert of_domain(x, torch.tensor([2, 0])).tolist() == [[4, 5], [6, 7]]


def test_starganv2_has_the_published_sizes():
    """Choi et al. 2020, appendix B, at 256 pixels: translator 33.9 million, critic 20.9 million."""
    translator = StyleTranslator(3, width=64, widest=512, halvings=4, style=64)
    critic = DomainReader(3, 1, 2, width=64, widest=512, side=256)
    assert parameters(translator) == pytest.approx(33.9e6, rel=0.02)
    assert parameters(critic) == pytest.approx(20.9e6, rel=0.02)


def test_styles_differ_by_domain_and_by_noise():
    torch.manual_seed(0)
    mapping = StyleMapping(4, 6, 3, width=8, pace=0.2)
    noise = torch.randn(1, 4).expand(2, -1)
    one, other = mapping(noise, torch.tensor([0, 1]))
    assert not torch.allclose(one, other)
    assert l1_loss(mapping(noise + 1, torch.tensor([0, 1]))[0], one) > 0


def test_a_style_encoder_answers_with_as_many_heads_as_asked():
    mean, spread = StyleEncoder(3, 5, width=4, halvings=3, heads=2)(torch.randn(2, 3, 16, 16))
    assert mean.shape == spread.shape == (2, 5)
