"""TextGAN: the discrepancy of features, and its two stages."""

import torch

from gansmith.gans.textgan import BANDWIDTHS, discrepancy
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def test_the_discrepancy_is_the_plain_sum_of_kernels():
    torch.manual_seed(0)
    real, fake = torch.randn(5, 3), torch.randn(4, 3) + 1
    both = torch.cat([real, fake])
    unit = ((both[:, None] - both) ** 2).sum(2).mean()

    def mean(a, b):
        pairs = [sum((-((x - y) ** 2).sum() / (width * unit)).exp() for width in BANDWIDTHS) for x in a for y in b]
        return sum(pairs) / len(pairs)

    expected = mean(real, real) + mean(fake, fake) - 2 * mean(real, fake)
    torch.testing.assert_close(discrepancy(real, fake), expected)
    assert discrepancy(real, real).abs() < 1e-6 < discrepancy(real, real + 3)


def test_an_autoencoder_learns_before_the_game_and_its_likelihood_falls():
    data = toys.every()["texts"]
    seed_everything(0)
    gan = toys.small("textgan", data, autoencoder_share=0.9, learning_rate=1e-2)
    gan.clock.total = 16 * 40
    run, found = Trainer(gan, data, Settings(batch=16, samples=16 * 40)), []
    for _ in range(37):
        run.play_round()
        found.append(run.term_means.read())
        run.term_means.clear()
    names = [set(terms) for terms in found]
    assert names[0] == {"generator/reconstruction", "critic/reconstruction"}
    assert names[-1] == {"critic/minimax", "critic/code", "critic/matching", "generator/matching"}
    assert found[30]["generator/reconstruction"] < 0.8 * found[0]["generator/reconstruction"]
