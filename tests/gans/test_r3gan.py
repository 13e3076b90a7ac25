"""R3GAN's networks against the paper's parameter counts, sizes and resampling filters."""

import pytest
import torch
from torch.nn.functional import conv2d

from gansmith.errors import UserError
from gansmith.gans.r3gan import R3GAN, Config, ImageCritic, ImageGenerator, pyramid
from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.resample import downsample, upsample
from gansmith.planning import plan as planning
from tests import toys


def millions(module):
    return sum(p.numel() for p in module.parameters()) / 1e6


@pytest.mark.parametrize(
    ("preset", "side", "classes", "generator", "critic"),
    [
        ("cifar10", 32, 0, 20.73, 20.68),
        ("cifar10", 32, 10, 20.78, 21.28),
        ("ffhq64", 64, 0, 22.43, 22.38),
        ("ffhq256", 256, 0, 23.06, 23.01),
    ],
)
def test_the_presets_have_the_papers_numbers_of_parameters(preset, side, classes, generator, critic):
    spec = ImageSpec(shape=(3, side, side), classes=tuple(map(str, range(classes))))
    config = planning.made_config(R3GAN, "r3gan", R3GAN.presets[preset], {})
    stages, base = pyramid(side, side, 1)
    widths = config.widths or (768,) * stages
    with torch.device("meta"):
        made = ImageGenerator(config, spec, widths, base), ImageCritic(config, spec, widths, base)
    assert [round(millions(network), 2) for network in made] == [generator, critic]


def test_imagenet_presets_have_the_papers_numbers_of_parameters():
    spec = ImageSpec(shape=(3, 32, 32), classes=tuple(map(str, range(1000))))
    config = planning.made_config(R3GAN, "r3gan", R3GAN.presets["imagenet32"], {})
    with torch.device("meta"):
        made = ImageGenerator(config, spec, config.widths, (4, 4)), ImageCritic(config, spec, config.widths, (4, 4))
    assert [millions(network) for network in made] == [pytest.approx(82.9, abs=0.06), pytest.approx(86.6, abs=0.06)]


@pytest.mark.parametrize(("height", "width", "patch"), [(28, 28, 4), (32, 48, 1), (20, 12, 2), (45, 45, 1), (8, 8, 1)])
def test_every_size_goes_in_and_comes_out(height, width, patch):
    spec = ImageSpec(shape=(3, height, width))
    gan = R3GAN(Config(widths=(16,), blocks=1, group_width=8, patch=patch), spec)
    made = gan.generator(torch.randn(2, 64))
    assert made.shape == (2, 3, height, width)
    assert gan.critic(made).shape == (2,)


def test_a_patch_that_does_not_divide_the_sides_is_refused():
    with pytest.raises(UserError, match="multiples of the patch 4"):
        R3GAN(Config(widths=(16,), group_width=8, patch=4), ImageSpec(shape=(1, 30, 30)))


def test_blocks_start_as_the_identity():
    gan = toys.small("r3gan", toys.images())
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(gan.generator.network.stages[0](x), x)


def naive_filter(x, taps):
    kernel = torch.outer(taps, taps)
    return conv2d(x.flatten(0, 1)[:, None], kernel[None, None], padding=1).view(*x.shape[:2], *x.shape[2:])


def test_downsampling_is_the_triangle_filter_and_every_second_pixel():
    x = torch.randn(2, 3, 8, 10)
    expected = naive_filter(x, torch.tensor([1.0, 2.0, 1.0]) / 4)[:, :, ::2, ::2]
    torch.testing.assert_close(downsample(x), expected)


def test_upsampling_is_zeros_between_and_the_triangle_filter():
    x = torch.randn(2, 3, 4, 5)
    spread = torch.zeros(2, 3, 8, 10)
    spread[:, :, ::2, ::2] = x
    expected = naive_filter(spread, torch.tensor([1.0, 2.0, 1.0]) / 2)
    torch.testing.assert_close(upsample(x), expected)


def test_up_and_down_are_adjoint_up_to_four():
    small, large = torch.randn(1, 1, 4, 4, dtype=torch.float64), torch.randn(1, 1, 8, 8, dtype=torch.float64)
    torch.testing.assert_close((upsample(small) * large).sum(), 4 * (small * downsample(large)).sum())


def test_the_penalty_weight_follows_its_schedule_and_the_size_of_the_data():
    gan = R3GAN(Config(gamma=None, gamma_end=None, widths=(16,), schedule=None), toys.images().codec.spec)
    gan.clock.total = 100
    assert gan.gamma(gan.clock) == pytest.approx(64 / 80)
    gan.clock.samples = 100
    assert gan.gamma(gan.clock) == pytest.approx(6.4 / 80)


def test_simultaneous_and_alternating_games_have_the_same_terms():
    import itertools

    from gansmith.training.seeds import seed_everything

    for simultaneous, moves in ((True, 1), (False, 2)):
        seed_everything(0)
        data = toys.images()
        gan = toys.small("r3gan", data, simultaneous=simultaneous)
        played = list(gan.play(lambda: data.batch(slice(0, 8))))  # noqa: B023
        assert len(played) == moves
        flat = list(itertools.chain.from_iterable(m if isinstance(m, tuple) else (m,) for m in played))
        assert [list(move.terms) for move in flat] == [["relativistic", "r1", "r2"], ["relativistic"]]
        gan = toys.small("r3gan", data, simultaneous=simultaneous, augment=0.5)
        assert all(term.isfinite() for m in gan.play(lambda: data.batch(slice(0, 8))) for term in _terms(m))  # noqa: B023


def _terms(moves):
    return [t for move in (moves if isinstance(moves, tuple) else (moves,)) for t in move.terms.values()]


def test_the_signs_of_the_first_noise_dimensions_choose_the_code_whatever_their_size():
    gan = R3GAN(Config(widths=(16,), blocks=1, noise=5, code_bits=3), toys.points().codec.spec)
    generator = gan.generator.network
    noise = torch.tensor([[1.0, -2.0, 3.0, 0.5, -0.5]])  # bits 1, 0, 1: code 5
    expected = generator.leave(generator.blocks(generator.enter(noise[:, 3:]) + generator.codes.weight[5]))
    torch.testing.assert_close(generator(noise), expected)
    farther = noise * torch.tensor([7.0, 7.0, 7.0, 1.0, 1.0])
    assert torch.equal(generator(farther), generator(noise))
    assert not torch.equal(generator(noise * torch.tensor([-1.0, 1, 1, 1, 1])), generator(noise))


def test_codes_that_leave_no_noise_and_codes_for_images_are_refused():
    with pytest.raises(UserError, match=r"fewer than the 4 dimensions .* --gan.code-bits"):
        Config(noise=4, code_bits=4)
    with pytest.raises(UserError, match="leave out --gan.code-bits"):
        R3GAN(Config(widths=(16,), code_bits=4), toys.images().codec.spec)


def test_a_run_that_kept_biases_apart_from_convolutions_is_still_read():
    gan = toys.small("r3gan", toys.images())
    block = gan.critic.network.stages[0][0]
    torch.nn.init.normal_(block.widen.bias)
    older = {
        name.replace("widen.bias", "activate_wide.bias").replace("mix.bias", "activate_mixed.bias"): tensor.clone()
        for name, tensor in gan.state_dict().items()
    }
    assert any("activate_wide" in name for name in older)
    again = toys.small("r3gan", toys.images())
    again.load_state_dict(older)
    assert torch.equal(again.critic.network.stages[0][0].widen.bias, block.widen.bias)
