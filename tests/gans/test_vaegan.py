"""VAE-GAN: its divergence is torch's, and reconstructions come to resemble what was encoded."""

import torch
from torch.distributions import Normal, kl_divergence

from gansmith.gans.vaegan import divergence
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def test_the_divergence_is_that_of_normal_distributions():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(2, 4, 6)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(divergence(mean, log_variance), expected)
    assert divergence(torch.zeros(2, 3), torch.zeros(2, 3)) == 0


def test_an_image_is_decoded_nearer_to_itself_than_to_another():
    seed_everything(0)
    data = toys.images()
    gan = toys.small("vaegan", data, learning_rate=2e-3, width=16, critic_width=16)
    trainer = Trainer(gan, data, Settings(batch=32, samples=10_000))
    for _ in range(150):
        trainer.play_round()
    real = data.batch(slice(0, 64))["image"]
    gan.eval()
    with torch.no_grad():
        again = gan.generator(gan.encoder(real)[0])
    assert (again - real).square().mean() < 0.7 * (again - real.roll(1, 0)).square().mean()
