"""What pix2pixHD, BicycleGAN, SPADE, MUNIT, StarGAN v2 and CycleGAN do beyond the contract."""

import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from gansmith.data.codec import HasSource
from gansmith.gans.starganv2 import _another
from gansmith.training.trainer import Settings, Trainer
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
    assert isinstance(trainer.data.codec, HasSource)
    with torch.inference_mode():
        made = gan.generate(96, trainer.data.codec.source(batch), rng=torch.Generator().manual_seed(0))["b"]
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


def test_a_translator_that_adds_to_its_image_begins_at_it():
    data = toys.domains()
    torch.manual_seed(0)
    gan = toys.small("starganv2", data, residual=True).eval()
    given = {"a": data.batch(slice(0, 4))["image"], "label": torch.tensor([0, 1, 2, 0])}
    with torch.inference_mode():
        made = gan.generate(4, given, rng=torch.Generator().manual_seed(0))["image"]
    assert torch.equal(made, given["a"])


def test_styles_of_noise_and_of_references_share_a_batch_row_by_row():
    torch.manual_seed(0)
    gan = toys.small("starganv2", toys.domains(), apart=False)
    network = gan.players["generator"].network
    noise, reference, wanted = torch.randn(5, 4), torch.rand(5, 3, 16, 16), torch.tensor([0, 1, 2, 0, 1])
    both = gan._styles("both", noise, reference, wanted)  # type: ignore[operator]
    of_noise, of_references = network.mapping(noise, wanted), network.encoder(reference, wanted)  # type: ignore[operator]
    torch.testing.assert_close(both[::2], of_noise[::2])
    torch.testing.assert_close(both[1::2], of_references[1::2])
    assert not torch.allclose(of_noise, of_references)


@pytest.mark.parametrize(("apart", "moves"), [(True, 4), (False, 2)])
def test_a_seldom_penalty_is_as_strong_on_the_whole(apart: bool, moves: int):
    """StarGAN v2 with R1 in every third round: three times its weight there, and in no round between."""
    data = toys.domains()
    batches = [data.batch(slice(start, start + 8)) for start in (0, 8)]
    found = {}
    for interval in (1, 3):
        torch.manual_seed(0)
        gan = toys.small("starganv2", data, apart=apart, penalty_interval=interval)
        for rounds in (0, 1):
            gan.clock.rounds = rounds
            made, terms = iter(batches), []
            torch.manual_seed(1)
            for move in gan.play(lambda made=made: next(made)):
                terms.append({name: float(term.detach()) for name, term in move.terms.items()})  # type: ignore[union-attr]
            found[interval, rounds] = terms
    assert len(found[1, 0]) == moves
    assert found[3, 0][0]["r1"] == pytest.approx(3 * found[1, 0][0]["r1"], rel=1e-5)
    assert "r1" in found[1, 1][0] and "r1" not in found[3, 1][0]
    assert found[3, 1][0]["non_saturating"] == pytest.approx(found[1, 1][0]["non_saturating"], rel=1e-5)
