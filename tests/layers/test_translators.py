import pytest
import torch
from torch.nn.functional import interpolate

from gansmith.errors import UserError
from gansmith.layers.enlarging import Compact, RRDBNet, SRResNet
from gansmith.layers.image_pool import ImagePool
from gansmith.layers.patch_critic import PatchCritic, check_patches
from gansmith.layers.resnet_translator import ResNetTranslator
from gansmith.layers.unet import UNet
from gansmith.layers.unet_critic import UNetCritic


def millions(network: torch.nn.Module) -> float:
    return round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 3)


def test_networks_have_as_many_parameters_as_those_of_the_papers():
    with torch.device("meta"):
        assert millions(UNet(3, 3, width=64, halvings=8, dropout=True)) == 54.414
        assert millions(UNet(3, 3, width=64, halvings=7, dropout=True)) == 41.829
        assert millions(ResNetTranslator(3, 3, width=64, blocks=9)) == 11.378
        assert millions(ResNetTranslator(3, 3, width=64, blocks=6)) == 7.838
        assert millions(PatchCritic(6, width=64, layers=3, batch_norm=True)) == 2.769
        assert millions(PatchCritic(3, width=64, layers=3, batch_norm=False)) == 2.765
        assert millions(RRDBNet(3, 3, scale=4, width=64, blocks=23, growth=32)) == 16.698


def test_the_unet_drops_features_in_three_layers_at_256_pixels_and_only_while_training():
    network = UNet(1, 1, width=2, halvings=8, dropout=True)
    assert sum(network.dropped) == 3 and not any(UNet(1, 1, width=2, halvings=8, dropout=False).dropped)
    x = torch.randn(1, 1, 256, 256)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("size", [(1, 1), (7, 30), (33, 16), (64, 64)])
@pytest.mark.parametrize(
    "network",
    [
        UNet(3, 2, width=4, halvings=4, dropout=False).eval(),
        ResNetTranslator(3, 2, width=4, blocks=1),
        SRResNet(3, 2, scale=1, width=4, blocks=1),
        RRDBNet(3, 2, scale=1, width=4, blocks=1, growth=2),
    ],
    ids=["unet", "resnet", "srresnet", "rrdb"],
)
def test_any_size_goes_in_and_comes_out(network: torch.nn.Module, size: tuple[int, int]):
    made = network(torch.randn(2, 3, *size))
    assert made.shape == (2, 2, *size) and made.isfinite().all()


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_enlarging_networks_multiply_both_sides(scale: int):
    x = torch.randn(1, 3, 6, 9)
    for network in (SRResNet(3, 1, scale=scale, width=4, blocks=1), Compact(3, 1, scale=scale, width=4, blocks=1)):
        assert network(x).shape == (1, 1, 6 * scale, 9 * scale)
    if scale != 3:
        assert RRDBNet(3, 1, scale=scale, width=4, blocks=1, growth=2)(x).shape == (1, 1, 6 * scale, 9 * scale)


def test_an_untrained_compact_network_without_its_last_layer_repeats_the_pixels():
    network = Compact(3, 3, scale=2, width=4, blocks=1)
    torch.nn.init.zeros_(network.body[-1].weight)
    x = torch.randn(1, 3, 4, 4)
    torch.testing.assert_close(network(x), x.repeat_interleave(2, 2).repeat_interleave(2, 3))


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_patch_has_the_size_that_the_paper_names(layers: int, field: int):
    critic = PatchCritic(1, width=2, layers=layers, batch_norm=False)
    critic.batch_norm = True  # so that no norm looks at the whole image
    x = torch.randn(1, 1, 160, 160, requires_grad=True)
    logits = critic(x)
    middle = logits.shape[2] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], x)
    assert (gradient[0, 0].abs().sum(0) > 0).sum() == field


def test_images_too_small_for_the_critic_are_refused_in_a_sentence():
    check_patches(3, 32)
    with pytest.raises(UserError, match=r"3 layers needs images of 32 pixels, but they have 31"):
        check_patches(3, 31)


def test_the_unet_critic_judges_every_pixel_of_any_size():
    assert UNetCritic(3, width=2)(torch.randn(2, 3, 13, 20)).shape == (2, 1, 13, 20)


def test_the_pool_first_fills_and_then_exchanges_about_half():
    torch.manual_seed(0)
    pool = ImagePool(8, (1,))
    first = torch.arange(8.0)[:, None]
    torch.testing.assert_close(pool.exchanged(first), first)
    old = 0
    for start in range(8, 808, 8):
        given = torch.arange(float(start), start + 8)[:, None]
        dealt = pool.exchanged(given)
        old += int((dealt != given).sum())
        assert set(dealt.flatten().tolist()) | set(pool.images.flatten().tolist()) >= set(given.flatten().tolist())
    assert 340 < old < 460


def test_a_pool_of_nothing_deals_the_new_images():
    x = torch.randn(3, 2)
    torch.testing.assert_close(ImagePool(0, (2,)).exchanged(x), x)


@pytest.mark.parametrize(
    ("scale", "given", "made", "folded"), [(4, 3, 3, True), (8, 1, 1, True), (4, 1, 3, True), (2, 3, 3, False)]
)
def test_residual_dense_networks_begin_about_as_good_as_bicubic_enlargement(scale: int, given: int, made: int, folded: bool):
    torch.manual_seed(0)
    network = RRDBNet(given, made, scale=scale, width=8, blocks=1, growth=4, folded=folded, edges="replicate")
    waves = 2.5 * torch.rand(24, 2) / scale
    places = torch.stack(torch.meshgrid(torch.arange(16.0 * scale), torch.arange(16.0 * scale), indexing="ij"), -1)
    real = ((places @ waves.T + 7 * torch.rand(24)).sin().mean(-1))[None, None]
    small = real.unflatten(2, (16, scale)).unflatten(4, (16, scale)).mean((3, 5))
    large = {mode: interpolate(small, scale_factor=scale, mode=mode) for mode in ("bilinear", "bicubic")}
    errors = {mode: (real - one).square().mean() for mode, one in large.items()}
    error = (real - network(small.expand(-1, given, -1, -1))).square().mean()
    assert error < errors["bilinear"] and error < 1.15 * errors["bicubic"]


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_repeated_edges_leave_even_pictures_even_up_to_the_frame(scale: int):
    torch.manual_seed(0)
    for edges, even in (("replicate", True), ("zeros", False)):
        network = RRDBNet(3, 3, scale=scale, width=8, blocks=1, growth=4, folded=False, edges=edges)
        network.conv_last.weight.data[:, 3:] = 0  # what else there is is small, but not nothing
        made = network(torch.full((1, 3, 9, 8), 0.3))
        assert torch.allclose(made, torch.full_like(made, 0.3), atol=1e-5) == (even or scale == 1)


@pytest.mark.parametrize("scale", [1, 2])
def test_where_pixels_are_folded_they_begin_as_means(scale: int):
    torch.manual_seed(0)
    network = RRDBNet(3, 3, scale=scale, width=8, blocks=1, growth=4)
    network.conv_last.weight.data[:, 3:] = 0
    colours = torch.tensor([-0.5, 0.1, 0.8]).view(1, 3, 1, 1)
    made = network(colours.expand(1, 3, 16, 16))[..., 6 * scale : -6 * scale, 6 * scale : -6 * scale]
    torch.testing.assert_close(made, colours.expand_as(made))
