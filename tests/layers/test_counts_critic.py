"""A critic that compares two n-gram models: equal to the two models, trusted as far as it foretells, the same after it was saved."""

import numpy as np
import pytest
import torch

from gansmith.data.ngrams import Chain
from gansmith.data.tokens import TokenSpec
from gansmith.layers.counts_critic import CountsCritic, foretold

SPEC = TokenSpec(kind="text", key="text", shape=(12,), vocabulary=30)


def rows(count, seed, follow):
    """Texts of 3 to 11 tokens in which token t is followed by t + 1 with this probability, else by any."""
    rng = np.random.default_rng(seed)
    found = np.zeros((count, 12), np.int64)
    found[:, 0] = rng.integers(3, 30, count)
    for place in range(1, 12):
        next_ = (found[:, place - 1] - 3 + 1) % 27 + 3
        found[:, place] = np.where(rng.random(count) < follow, next_, rng.integers(3, 30, count))
    for row, length in enumerate(rng.integers(3, 12, count)):
        found[row, length] = SPEC.end
        found[row, length + 1 :] = SPEC.pad
    return torch.from_numpy(found)


@pytest.fixture(scope="module")
def learned():
    critic = CountsCritic(SPEC, longest=4)
    critic.learn(rows(1500, 0, 0.8), rows(1500, 1, 0.3), rows(200, 2, 0.8), rows(200, 3, 0.3))
    return critic


def test_logits_are_the_ratio_of_two_n_gram_models(learned):
    reach = int(learned.reach)
    real, fake = (Chain(rows(1500, seed, follow).numpy(), reach - 1, SPEC.end) for seed, follow in ((0, 0.8), (1, 0.3)))
    for seed, follow in ((4, 0.8), (5, 0.3)):
        new = rows(200, seed, follow)
        count = (new != SPEC.pad).sum(1).numpy()
        wanted = (fake.surprise(new.numpy(), 30) - real.surprise(new.numpy(), 30)) * count
        found = (learned(new)[1] - learned.bias).detach().numpy()
        assert np.median(np.abs(found - wanted)) < 0.02 and np.corrcoef(found, wanted)[0, 1] > 0.99


def test_data_in_an_order_of_which_a_part_is_counted_earn_no_trust():
    critic = CountsCritic(SPEC, longest=4)
    ordered = torch.cat([rows(1500, 0, 0.9), rows(1500, 1, 0.1)])
    shuffled = torch.cat([rows(500, 2, 0.9), rows(500, 3, 0.1)])[torch.randperm(1000, generator=torch.Generator().manual_seed(0))]
    critic.learn(
        ordered, shuffled, torch.cat([rows(100, 4, 0.9), rows(100, 5, 0.1)]), torch.cat([rows(100, 6, 0.9), rows(100, 7, 0.1)])
    )
    frequent, seldom = critic(rows(300, 8, 0.9))[1].mean(), critic(rows(300, 9, 0.1))[1].mean()
    assert critic.trust.share == 0 and (frequent - seldom).abs() < 1


def test_unseen_texts_are_told_from_samples(learned):
    real, fake = learned(rows(300, 6, 0.8))[1], learned(rows(300, 7, 0.3))[1]
    assert (real[:, None] > fake).float().mean() > 0.9 and learned.trust.share > 0


def test_a_position_knows_nothing_of_what_comes_later(learned):
    first, second = rows(2, 8, 0.5)[:1], rows(2, 9, 0.5)[:1]
    second[:, :3] = first[:, :3]
    assert torch.equal(learned(first)[0][:, :3], learned(second)[0][:, :3])
    positions, whole = learned(first)
    assert torch.equal(positions[:, -1], whole)


def test_samples_that_equal_the_data_leave_no_trust():
    critic = CountsCritic(SPEC, longest=4)
    critic.learn(rows(600, 0, 0.5), rows(600, 1, 0.5), rows(200, 2, 0.5), rows(200, 3, 0.5))
    assert critic.trust.share <= 0.25
    real, fake = critic(rows(400, 4, 0.5))[1], critic(rows(400, 5, 0.5))[1]
    assert abs(float((real[:, None] > fake).float().mean()) - 0.5) < 0.06


@pytest.mark.parametrize("counts", [(0, 600, 200, 200), (600, 0, 200, 200)])
def test_nothing_to_count_leaves_it_as_it_was(counts):
    critic = CountsCritic(SPEC, longest=4)
    critic.learn(*(rows(count, seed, 0.5) for seed, count in enumerate(counts)))
    assert critic.trust.share == 0 and not critic(rows(3, 5, 0.5))[1].any()


@pytest.mark.parametrize("counts", [(600, 600, 10, 200), (600, 600, 200, 10)])
def test_a_critic_that_too_few_can_measure_tells_texts_apart_and_is_not_trusted(counts):
    critic = CountsCritic(SPEC, longest=4)
    critic.learn(
        *(rows(count, seed, follow) for seed, (count, follow) in enumerate(zip(counts, (0.8, 0.3, 0.8, 0.3), strict=True)))
    )
    real, fake = critic(rows(300, 6, 0.8))[1], critic(rows(300, 7, 0.3))[1]
    assert critic.trust.share == 0 and (real[:, None] > fake).float().mean() > 0.8


def test_it_is_the_same_after_it_was_saved(learned):
    other = CountsCritic(SPEC, longest=4)
    other.load_state_dict(learned.state_dict())
    assert torch.equal(other(rows(50, 4, 0.5))[0], learned(rows(50, 4, 0.5))[0]) and other.trust.share == learned.trust.share


def test_the_least_loss_is_where_both_sides_pull_alike():
    rng = np.random.default_rng(0)
    real, fake = (torch.from_numpy(rng.normal(mean, scale, 400)) for mean, scale in ((1, 1), (-0.5, 2)))
    for share in (0.0, 0.5, 1.5):
        loss, bias = foretold(real, fake, share)
        around = [
            float(
                torch.nn.functional.softplus(-share * real - at).mean() + torch.nn.functional.softplus(share * fake + at).mean()
            )
            / 2
            for at in (bias - 1e-2, bias, bias + 1e-2)
        ]
        assert loss == pytest.approx(around[1], abs=1e-9) and around[1] < min(around[0], around[2])
    assert foretold(real, fake, 0.0)[0] == pytest.approx(np.log(2))
