"""Models at rest make the same examples faster: folded norms, lower precision where it is safe."""

import pytest
import torch
from torch import nn

from gansmith import gans, inference
from gansmith.inference import TRIED, optimize_for_inference
from gansmith.kinds.images.kind import HALF_A_STEP
from gansmith.model import Model
from tests import toys


def trained(name, data):
    """The GAN with statistics of batch norm and weights that are not those of the start."""
    torch.manual_seed(0)
    gan = toys.small(name, data)
    with torch.no_grad():
        for module in gan.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None and module.running_var is not None
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.3)
    return gan.eval()


def conditions(data):
    return data.codec.conditions(TRIED, torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "name", [name for name in gans.names() if "images" in gans.find(name).kinds and "generation" in gans.find(name).tasks]
)
def test_every_gan_makes_the_same_images_at_rest(name):
    data = toys.images(channels=3, classes=3)
    gan = trained(name, data)
    before = {key: tensor.clone() for key, tensor in gan.state_dict().items()}
    optimized = optimize_for_inference(gan, conditions(data))
    condition = {"label": torch.tensor([0, 1, 2, 1, 0])}
    with torch.inference_mode():
        expected = gan.generate(5, condition, rng=torch.Generator().manual_seed(4), truncation=0.8)
        found = optimized.generate(5, condition, rng=torch.Generator().manual_seed(4), truncation=0.8)
    torch.testing.assert_close(found["image"], expected["image"], rtol=1e-4, atol=1e-5)
    assert torch.equal(found["label"], expected["label"]) and not optimized.bfloat16
    assert all(torch.equal(tensor, before[key]) for key, tensor in gan.state_dict().items())


def test_what_writes_tokens_is_not_tried_out(monkeypatch):
    """It may write for long: a few pieces would wait for hundreds."""
    data = toys.every()["tunes"]
    gan, made = trained("musicgame", data), []
    plain = type(gan).generate
    monkeypatch.setattr(type(gan), "generate", lambda self, n, *rest, **how: made.append(n) or plain(self, n, *rest, **how))
    optimize_for_inference(gan, conditions(data))
    assert made == [1]


@pytest.mark.parametrize(
    ("name", "toy"),
    [
        (name, toys.fitting(name)[0])
        for name in gans.names()
        if "images" not in gans.find(name).kinds and "generation" in gans.find(name).tasks
    ],
)
def test_every_gan_of_other_kinds_makes_the_same_examples_at_rest(name, toy):
    data = toys.every()[toy]
    gan = trained(name, data)
    optimized = optimize_for_inference(gan, conditions(data))
    condition = data.codec.conditions(5, torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = (
            own.generate(5, condition, rng=torch.Generator().manual_seed(4), truncation=0.8)[gan.spec.key]
            for own in (gan, optimized)
        )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_batch_norms_disappear_into_the_convolutions():
    gan = trained("dcgan", toys.images())
    found = optimize_for_inference(gan, {}).gan.players["generator"].averaged
    norms = [sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()) for network in (gan.generator.averaged, found)]
    assert norms[0] > 0 and norms[1] == 0


@pytest.mark.parametrize("layer", [nn.Conv2d(4, 6, 3, groups=2), nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, bias=False)])
def test_folding_is_exact_for_groups_too(layer):
    norm = nn.BatchNorm2d(6)
    norm.running_mean, norm.running_var = torch.randn(6), torch.rand(6) + 0.5
    x = torch.randn(2, 4, 5, 5)
    norm.eval()
    expected = norm(layer(x))
    inference._fold(layer, norm)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_is_taken_where_it_differs_by_less_than_half_a_step(monkeypatch):
    gan = trained("dcgan", toys.images())
    found = optimize_for_inference(gan, {}, bfloat16=True)
    assert found.bfloat16 and 0 < found.deviation <= HALF_A_STEP
    with torch.inference_mode():
        made = found.generate(3, {}, rng=torch.Generator().manual_seed(0), truncation=1.0)["image"]
    assert made.dtype == torch.float32
    monkeypatch.setattr("gansmith.kinds.images.kind.Images.rounding", 0.0)
    assert not optimize_for_inference(gan, {}, bfloat16=True).bfloat16


def test_a_fold_that_would_change_the_examples_is_left_out(monkeypatch):
    gan = trained("dcgan", toys.images())
    monkeypatch.setattr(inference, "_fold", lambda layer, norm: layer.weight.data.zero_())
    found = optimize_for_inference(gan, {})
    assert found.deviation == 0.0 and any(isinstance(module, nn.BatchNorm2d) for module in found.gan.generator.averaged.modules())


@pytest.fixture
def saved(tmp_path):
    data = toys.images(classes=3)
    gan = trained("dcgan", data)
    model = Model(gan, data.codec, {"gan": "dcgan"})
    model.card["gan"] = "dcgan"
    model.save(tmp_path / "model")
    return model, tmp_path / "model"


def test_a_loaded_model_makes_the_same_examples_however_many_are_asked_for(saved):
    model, folder = saved
    loaded = Model.load(folder)
    few, many = (loaded.sample(n, seed=3, **{"class": "1"})["image"] for n in (10, 300))
    torch.testing.assert_close(few, many[:10], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(few, model.sample(10, seed=3, **{"class": "1"})["image"], rtol=1e-4, atol=1e-5)
    assert torch.equal(few, Model.load(folder).sample(10, seed=3, **{"class": "1"})["image"])


def test_a_loaded_model_is_saved_again_as_it_was(saved, tmp_path):
    _, folder = saved
    loaded = Model.load(folder, precision="bfloat16")
    loaded.generate(3)
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again/model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
