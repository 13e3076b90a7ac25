"""What pix2pixHD, BicycleGAN, SPADE, MUNIT, StarGAN v2 and CycleGAN do beyond the contract."""

import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from gansmith.data.codec import Giving
from gansmith.gans.starganv2 import _another
from gansmith.trainer import Settings, Trainer
from tests import toys

RATES = {
    "pix2pixhd": {"learning_rate": 2e-3, "width": 12},
    "bicyclegan": {"learning_rate": 2e-3, "width": 12},
    "spade": {"learning_rate": 2e-3, "critic_learning_rate": 2e-3, "width": 6},
}


def trained(name: str, rounds: int, **options) -> Trainer:
    data = toys.pairs(96)
    torch.manual_seed(0)
    trainer = Trainer(toys.small(name, data, **options), data, Settings(batch=8, samples=8 * rounds))
    trainer.gan.clock.total = 8 * rounds
    for _ in range(rounds):
        trainer.play_round()
    return trainer


@pytest.mark.parametrize("name", list(RATES))
def test_pairs_are_learned(name: str):
    """Much nearer to the partner than the mean image is, by the squared distance."""
    trainer = trained(name, 150, **RATES[name])
    gan, batch = trainer.gan.eval(), trainer.data.batch(slice(None))
    assert isinstance(trainer.data.codec, Giving)
    with torch.inference_mode():
        made = gan.generate(96, trainer.data.codec.given(batch), rng=torch.Generator().manual_seed(0))["b"]
    mean = batch["b"].mean(0, keepdim=True).expand_as(made)
    assert mse_loss(made, batch["b"]) < 0.7 * mse_loss(mean, batch["b"])


def test_reading_a_random_style_again_moves_no_encoder():
    torch.manual_seed(0)
    network = toys.small("bicyclegan", toys.pairs()).players["generator"].network
    image = torch.randn(2, 3, 16, 16, requires_grad=True)
    network.read_still(image).sum().backward()  # type: ignore[operator]
    assert image.grad is not None and image.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.parameters())
    torch.testing.assert_close(network.read_still(image), network.encoder(image)[0])  # type: ignore[operator]


def test_another_image_of_the_domain_is_found_where_there_is_one():
    label = torch.tensor([0, 1, 0, 2, 1, 0])
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        other = _another(label)
        assert torch.equal(label[other], label) and other[3] == 3
        assert all(other[i] != i for i in (0, 1, 2, 4, 5))
        seen.add(int(other[0]))
    assert seen == {2, 5}


def test_what_goes_through_cyclegans_networks_together_is_what_goes_apart():
    data = toys.pairs()
    torch.manual_seed(0)
    network = toys.small("cyclegan", data).players["generator"].network
    a, b = (data.batch(slice(start, start + 3))["a"] for start in (0, 3))
    together = network(torch.cat([a, b]))
    torch.testing.assert_close(together, torch.cat([network(a), network(b)]), atol=1e-5, rtol=1e-4)


def test_pix2pixhd_learns_at_half_the_size_first():
    data = toys.pairs()
    torch.manual_seed(0)
    gan = toys.small("pix2pixhd", data, coarse=0.5)
    trainer = Trainer(gan, data, Settings(batch=8, samples=80))
    gan.clock.total = 80
    before = {name: parameter.detach().clone() for name, parameter in gan.players["generator"].network.named_parameters()}
    trainer.play_round()
    moved = {
        name
        for name, parameter in gan.players["generator"].network.named_parameters()
        if not torch.equal(before[name], parameter)
    }
    assert moved and all(name.startswith("whole.") for name in moved)
    gan.clock.samples = 60
    trainer.play_round()
    now = dict(gan.players["generator"].network.named_parameters())
    assert not torch.equal(before["last.weight"], now["last.weight"])


def test_a_style_that_is_read_again_is_the_style_of_the_reference():
    """MUNIT and StarGAN v2 answer with a style for each image of any domain."""
    pairs, domains = toys.pairs(), toys.domains()
    munit, star = toys.small("munit", pairs), toys.small("starganv2", domains)
    image = torch.from_numpy(np.zeros((2, 3, 16, 16), np.float32))
    assert munit.style_of(image, "a").shape == (2, 4)  # type: ignore[attr-defined]
    assert star.style_of(image, "1").shape == star.style_from(torch.zeros(2, 4), "2").shape == (2, 6)  # type: ignore[attr-defined]
