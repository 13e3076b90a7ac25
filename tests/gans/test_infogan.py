"""InfoGAN: what noise stands for, that codes can be read, and that its network is exported."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.gans.infogan import Config, InfoGAN
from gansmith.model import Model
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def made(**options):
    seed_everything(0)
    data = toys.images()
    return toys.small("infogan", data, **options), data


def test_codes_are_uniform():
    gan, _ = made(categories=(5, 2), numbers=2, noise=16)
    torch.manual_seed(0)
    (first, second), numbers = gan.generator.network.codes(torch.randn(20_000, 16))
    assert torch.bincount(first).div(20_000).sub(1 / 5).abs().max() < 0.01
    assert torch.bincount(second).div(20_000).sub(1 / 2).abs().max() < 0.01
    histogram = torch.histc(numbers[:, 0], 10, -1, 1) / 20_000
    assert numbers.abs().max() <= 1 and (histogram - 0.1).abs().max() < 0.01


def test_images_depend_on_the_category_and_not_on_how_sure_it_is():
    gan, _ = made(categories=(3,), numbers=0, noise=16)
    gan.eval()
    noise = torch.randn(1, 16).repeat(3, 1)
    noise[:, :3] = torch.tensor([[2.0, 1.0, 0.0], [9.0, -3.0, 0.5], [0.0, 1.0, 0.5]])
    images = gan.generator(noise)
    torch.testing.assert_close(images[0], images[1])
    assert not torch.allclose(images[0], images[2])


def test_terms_of_information_are_cross_entropy_and_half_the_squared_error():
    gan, _ = made(categories=(3, 2), numbers=1, noise=16, information=2.0)
    noise, read = torch.randn(4, 16), torch.randn(4, 6)
    (first, second), numbers = gan.generator.network.codes(noise)
    terms = gan.information(read, noise)
    expected = sum(-torch.log_softmax(read[i, :3], 0)[first[i]] - torch.log_softmax(read[i, 3:5], 0)[second[i]] for i in range(4))
    torch.testing.assert_close(terms["information"], 2 * expected / 4)
    torch.testing.assert_close(terms["number_information"], ((read[:, 5] - numbers[:, 0]) ** 2).mean() / 2)


def test_codes_come_to_be_read():
    gan, data = made(categories=(4,), numbers=0, noise=16, width=16, critic_width=16, critic_learning_rate=1e-3)
    trainer = Trainer(gan, data, Settings(batch=32, samples=10_000))
    for _ in range(80):
        trainer.play_round()
    noise = torch.randn(256, 16)
    (category,), _ = gan.generator.network.codes(noise)
    with torch.no_grad():
        _, read = gan.critic.network.judged_and_read(gan.generator(noise), None)
    assert (read.argmax(1) == category).float().mean() > 0.6  # guessing reads a quarter


def test_requested_codes_are_those_of_the_noise_that_the_generator_sees():
    gan, data = made(categories=(3, 2), numbers=1, noise=16)
    seen = []
    gan.generator.averaged.register_forward_pre_hook(lambda module, inputs: seen.append(module.codes(inputs[0])))
    model = Model(gan, data.codec, {})
    assert len(model.generate(5, code1="2", number1="-0.25")) == 5
    first, second = (torch.cat([codes[i] for codes, _ in seen]) for i in range(2))
    assert first.tolist() == [2] * len(first) and len(first) >= 5 and len(set(second.tolist())) == 2
    assert all(torch.equal(numbers, torch.full_like(numbers, -0.25)) for _, numbers in seen)


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"code1": "3"}, "code1 must be an integer from 0 to 2, but '3'"),
        ({"number1": "2"}, "number1 must be a number between -1 and 1, but '2'"),
        ({"number1": "wide"}, "but 'wide' came"),
        ({"code9": "0"}, "code9"),
        ({"class": "0"}, "without classes"),
    ],
)
def test_conditions_that_cannot_be_granted_are_refused(wish, sentence):
    gan, data = made(categories=(3, 2), numbers=1, noise=16)
    with pytest.raises(UserError, match=sentence):
        Model(gan, data.codec, {}).generate(2, **wish)


def test_codes_that_do_not_fit_into_the_noise_are_refused():
    with pytest.raises(UserError, match="take 12 dimensions, but the noise has 8"):
        InfoGAN(Config(noise=8), toys.images().codec.spec)
