"""BigGAN's networks: sizes, hierarchical latents, and what the critics of its players learn from labels."""

import pytest
import torch

from gansmith.gans.biggan import BigGAN, Config
from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.big import BigGenerator, DeepDown, DeepUp
from gansmith.layers.labels import Label
from gansmith.model import Model
from tests import toys


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(("shape", "patch"), [((1, 28, 28), 2), ((3, 32, 48), 1), ((4, 5, 8), 1)])
def test_every_size_and_number_of_channels_goes_in_and_comes_out(shape, patch, deep):
    spec = ImageSpec(shape=shape, classes=("a", "b"))
    gan = BigGAN(Config(width=8, widest=16, shared=4, noise=12, patch=patch, deep=deep), spec)
    label: Label = torch.tensor([0, 1])
    made = gan.generator(torch.randn(2, 12), label)
    assert made.shape == (2, *shape)
    assert gan.critic(made, label).shape == (2,)


def test_every_resolution_has_its_own_piece_of_the_noise():
    torch.manual_seed(0)
    spec = ImageSpec(shape=(1, 16, 16))
    generator = BigGenerator(spec, noise=8, width=8, widest=16, shared=4, patch=1, deep=False).eval()
    assert generator.first.in_features == 4 and generator.piece == 2  # 3 resolutions: 4 + 2 + 2
    noise = torch.randn(1, 8)
    with torch.no_grad():
        image = generator(noise)
        for dimension in range(8):
            moved = noise.clone()
            moved[0, dimension] += 1
            assert not torch.allclose(generator(moved), image), dimension


def test_deep_blocks_keep_the_channels_that_are_there():
    condition = torch.randn(2, 3)
    up = DeepUp(8, 4, 3, doubles=True)
    torch.nn.init.zeros_(up.widen.weight)
    torch.nn.init.zeros_(up.widen.bias)
    x = torch.randn(2, 8, 3, 3)
    assert torch.equal(up(x, condition)[:, :, ::2, ::2], x[:, :4])
    down = DeepDown(4, 8, halves=False)
    torch.nn.init.zeros_(down.widen.weight)
    torch.nn.init.zeros_(down.widen.bias)
    x = torch.randn(2, 4, 3, 3)
    assert torch.equal(down(x)[:, :4], x)


@pytest.mark.parametrize(("name", "term"), [("acgan", "classification"), ("contragan", "contrast"), ("reacgan", "contrast")])
def test_class_terms_teach_the_critic_which_class_an_image_is_of(name, term):
    torch.manual_seed(0)
    data = toys.images(channels=3, classes=3)
    gan = toys.small(name, data)
    batch = data.batch(slice(0, 48))
    critic, losses = gan.critic.network, []
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    for _ in range(40):
        _, terms = critic.judged(batch["image"], batch["label"])
        optimizer.zero_grad()
        terms[term].backward()
        optimizer.step()
        losses.append(float(terms[term].detach()))
    assert losses[-1] < 0.8 * losses[0]
    assert not critic.judged(batch["image"], None)[1]


def test_the_export_to_onnx_equals_torch(tmp_path):
    pytest.importorskip("onnxscript")
    data = toys.images(channels=3, classes=3)
    model = Model(toys.small("biggan", data).eval(), data.codec, {"gan": "biggan", "data": "squares", "samples": 0})
    assert model.export("onnx", tmp_path / "model.onnx").is_file()  # which compares them, at batches of 1 and 5
