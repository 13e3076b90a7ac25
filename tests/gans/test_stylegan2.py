"""StyleGAN2's networks against the papers' parameter counts, its styles, sizes and export."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.gans.stylegan2 import Config, Critic, Generator, StyleGAN2
from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.pyramid import pyramid
from gansmith.model import Model
from gansmith.planning import plan as planning
from tests import toys


@pytest.mark.parametrize(
    ("preset", "side", "generator", "critic"),
    [("cifar10", 32, 19.95, 20.72), ("ffhq256", 256, 24.77, 24.00), ("ffhq1024", 1024, 30.37, 29.01)],
)
def test_the_presets_have_the_papers_numbers_of_parameters(preset, side, generator, critic):
    spec = ImageSpec(shape=(3, side, side))
    config = planning.made_config(StyleGAN2, "stylegan2", StyleGAN2.presets[preset], {})
    stages, base = pyramid(side, side, config.patch)
    widths = tuple(min(config.widest, config.width << i) for i in reversed(range(stages)))
    with torch.device("meta"):
        made = Generator(config, spec, widths, base), Critic(config, spec, widths, base)
    assert [round(sum(p.numel() for p in network.parameters()) / 1e6, 2) for network in made] == [generator, critic]


@pytest.mark.parametrize(("shape", "patch"), [((1, 28, 28), 2), ((3, 32, 48), 1), ((4, 20, 12), 2), ((5, 9, 8), 1)])
def test_every_size_and_number_of_channels_goes_in_and_comes_out(shape, patch):
    gan = StyleGAN2(Config(width=8, widest=16, style=8, noise=8, mapping_layers=1, patch=patch), ImageSpec(shape=shape))
    made = gan.generator(torch.randn(2, 8))
    assert made.shape == (2, *shape)
    assert gan.critic(made).shape == (2,)


def test_a_generator_is_synthesis_after_mapping_and_a_latent_is_one_image_after_training():
    gan = toys.small("stylegan2", toys.images(channels=3, classes=3)).eval()
    network, noise, label = gan.generator.averaged, torch.randn(4, 16), torch.tensor([0, 1, 2, 0])
    styles = network.mapping(noise, label)
    assert styles.shape == (4, 2 * len(network.synthesis.staying), 16)
    for layer in (*network.synthesis.staying, *network.synthesis.enlarging):
        layer.noise.strength.fill_(1.0)
    assert torch.equal(network(noise, label), network.synthesis(styles))


def test_training_noise_differs_from_image_to_image():
    gan = toys.small("stylegan2", toys.images())
    synthesis = gan.generator.network.synthesis
    styles = torch.randn(1, 4, 16).expand(2, -1, -1)
    with torch.no_grad():
        for layer in (*synthesis.staying, *synthesis.enlarging):
            layer.noise.strength.fill_(1.0)
        one, other = synthesis(styles)
    assert not torch.allclose(one, other)


def test_mixed_images_take_their_later_styles_from_other_noise():
    torch.manual_seed(0)
    gan = toys.small("stylegan2", toys.images(), style_mixing=1.0)
    with torch.no_grad():
        styles = gan.styles(64, None)
    changes = (styles[:, 1:] != styles[:, :-1]).any(2).sum(1)
    assert changes.tolist() == [1] * 64  # every row changes once, after its first layer at the earliest
    gan = toys.small("stylegan2", toys.images(), style_mixing=0.0)
    with torch.no_grad():
        styles = gan.styles(8, None)
    assert torch.equal(styles, styles[:, :1].expand_as(styles))


def test_the_remembered_styles_are_those_of_each_class_and_truncation_goes_there():
    torch.manual_seed(0)
    gan = toys.small("stylegan2", toys.images(channels=3, classes=3))
    mapping = gan.generator.network.mapping
    for _ in range(40):
        label = torch.randint(0, 2, (256,))  # the third class never comes
        with torch.no_grad():
            mapping.remember(mapping(torch.randn(256, 16), label), label)
    with torch.no_grad():
        for label in (0, 1):
            mean = mapping(torch.randn(4096, 16), torch.full((4096,), label))[:, 0].mean(0)
            torch.testing.assert_close(mapping.centre[label], mean, atol=0.1, rtol=0)
        assert not mapping.centre[2].any()
        label, styles = torch.tensor([1, 0]), torch.randn(2, mapping.layers, 16)
        half = mapping.truncated(styles, label, 0.5)
    torch.testing.assert_close(half, (styles + mapping.centre[label][:, None]) / 2)


def test_the_export_to_onnx_equals_torch(tmp_path):
    pytest.importorskip("onnxscript")
    data = toys.images(channels=3, classes=3)
    model = Model(toys.small("stylegan2", data).eval(), data.codec, {"gan": "stylegan2", "data": "squares", "samples": 0})
    assert model.export("onnx", tmp_path / "model.onnx").is_file()  # which compares them, at batches of 1 and 5


def test_lazy_terms_come_in_their_rounds():
    data = toys.images()
    gan = toys.small("stylegan2", data, penalty_interval=4, path_length_interval=2)
    names = []
    for gan.clock.rounds in range(5):
        names.append([sorted(move.terms) for move in gan.play(lambda: data.batch(slice(0, 8)))])
    assert ["r1" in critic for critic, _ in names] == [True, False, False, False, True]
    assert ["path_length" in generator for _, generator in names] == [True, False, True, False, True]


def test_a_patch_of_three_is_refused():
    with pytest.raises(UserError, match="change --gan.patch"):
        Config(patch=3)
