"""SeqGAN: what a token is worth, and its stages."""

import pytest
import torch

from gansmith.errors import UserError
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer
from tests import toys


def test_a_token_is_worth_the_verdict_on_what_goes_on_from_it():
    """The last token's roll-out is the sequence itself; an earlier one's roll-outs keep what stands up to it."""
    data = toys.every()["texts"]
    seed_everything(0)
    gan = toys.small("seqgan", data, rollouts=3).eval()
    fake = data.batch(slice(0, 4))["text"]
    seen = []

    def verdict(tokens, label=None):
        seen.append(tokens)
        return (tokens == fake[0, 0]).float().sum(1)

    gan.critic.forward = verdict
    worth = gan._worth(fake, None)
    assert len(seen) == 3 and worth.shape == fake.shape
    torch.testing.assert_close(worth[:, -1], (fake == fake[0, 0]).float().sum(1).sigmoid())
    for made in seen:
        rows = made.unflatten(0, fake.shape)
        for position in range(fake.shape[1]):
            assert (rows[:, position, : position + 1] == fake[:, : position + 1]).all()


def test_stages_follow_each_other():
    data = toys.every()["texts"]
    seed_everything(0)
    gan = toys.small("seqgan", data, likelihood_share=0.4, critic_share=0.2)
    gan.clock.total = 160
    run, found = Trainer(gan, data, Settings(batch=16, samples=160)), []
    for _ in range(8):
        run.play_round()
        found.append(set(run.term_means.read()))
        run.term_means.clear()
    assert found[0] == {"generator/likelihood"} and found[4] == {"critic/minimax"}
    assert found[-1] == {"critic/minimax", "generator/rewards"}
    with pytest.raises(UserError, match="add up to 1"):
        toys.small("seqgan", data, likelihood_share=0.9, critic_share=0.5)
