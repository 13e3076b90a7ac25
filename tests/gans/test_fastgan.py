"""FastGAN's excitation, sizes and quarters."""

import pytest
import torch

from gansmith.gans.fastgan import Config, FastGAN, _quarters
from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.excited import SkipExcitation
from gansmith.model import Model
from tests import toys


@pytest.mark.parametrize(("shape", "patch"), [((1, 28, 28), 2), ((3, 32, 48), 1), ((4, 64, 64), 1), ((2, 9, 8), 1)])
def test_every_size_and_number_of_channels_goes_in_and_comes_out(shape, patch):
    spec = ImageSpec(shape=shape)
    gan = FastGAN(Config(width=8, widest=16, noise=8, patch=patch), spec)
    made = gan.generator(torch.randn(2, 8))
    assert made.shape == (2, *shape)
    assert gan.critic(made).dim() == 3 and gan.scores({"image": made}).shape == (2,)


def test_a_gate_scales_channels_alike_at_every_place():
    layer = SkipExcitation(3, 5, (2, 2))
    low, high = torch.randn(2, 3, 4, 4), torch.ones(2, 5, 8, 8)
    gated = layer(low, high).detach()
    assert torch.equal(gated, gated[:, :, :1, :1].expand_as(gated)) and 0 < float(gated.min()) < float(gated.max()) < 1


def test_quarters_are_cut_where_they_are_asked_for():
    x = torch.arange(16.0).view(1, 1, 4, 4).repeat(4, 1, 1, 1)
    cut = _quarters(x, torch.tensor([0, 1, 2, 3]))
    assert cut[:, 0, 0, 0].tolist() == [0, 2, 8, 10] and cut.shape == (4, 1, 2, 2)


def test_the_critic_learns_to_redraw_real_images():
    torch.manual_seed(0)
    data = toys.images(side=16)
    gan = toys.small("fastgan", data, augment="none")
    image = data.batch(slice(0, 16))["image"]
    critic = gan.critic.network
    optimizer = torch.optim.Adam(critic.parameters(), 2e-3)
    losses = []
    for _ in range(30):
        loss = critic.reconstructed(critic.features(image), image)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_the_export_to_onnx_equals_torch(tmp_path):
    pytest.importorskip("onnxscript")
    data = toys.images(channels=3, classes=3)
    model = Model(toys.small("fastgan", data).eval(), data.codec, {"gan": "fastgan", "data": "squares", "samples": 0})
    assert model.export("onnx", tmp_path / "model.onnx").is_file()  # which compares them, at batches of 1 and 5
