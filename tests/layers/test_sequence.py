"""Sequences of tokens: probabilities and samples of the recurrent model against plain loops, resampling, rewards."""

import pytest
import torch
from torch import nn

from gansmith.data.tokens import TokenSpec
from gansmith.layers.sequence import (
    SequenceCritic,
    SequenceModel,
    area,
    discounted,
    drawn,
    in_between,
    resampled,
    there_of,
)

SPEC = TokenSpec(kind="text", key="text", shape=(6,), vocabulary=7, frequencies=(0, 10, 0, 5, 5, 5, 5))


def model(**options) -> SequenceModel:
    torch.manual_seed(0)
    return SequenceModel(SPEC, **{"width": 12, "embedding": 8, **options}).eval()


def test_probabilities_are_those_of_sampling_step_by_step():
    network = model(layers=2)
    tokens = torch.tensor([[3, 4, 5, 1, 0, 0], [6, 6, 3, 4, 5, 3]])
    state, before, expected = None, torch.full((2,), SPEC.end), []
    for position in range(6):
        hidden, state = network.recurrent(network.embedding[before][:, None], state)
        logits = network.out(hidden[:, 0]) @ network.embedding.T + network.bias + network.barred
        expected.append(logits.log_softmax(1).gather(1, tokens[:, position, None])[:, 0])
        before = tokens[:, position]
    expected = torch.stack(expected, 1) * (tokens != 0)
    found = network.log_probabilities(tokens, None)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(network.surprise(tokens, None), -found.sum() / (tokens != 0).sum())
    torch.testing.assert_close(network.surprise(tokens[:1], None), -found[0].sum() / 4)  # shorter than the longest


def test_roll_outs_are_what_sampling_behind_each_prefix_makes():
    network = model(layers=2)
    for parameter in network.parameters():
        parameter.data.normal_(0, 0.3)
    dice = torch.rand(5, 6, 6, generator=torch.Generator().manual_seed(0))
    tokens = network.sampled(torch.rand(5, 6, generator=torch.Generator().manual_seed(1)))
    known = torch.arange(6) <= torch.arange(6)[:, None]
    prefix = torch.where(known, tokens[:, None], -1).flatten(0, 1)
    expected = network.sampled(dice.flatten(0, 1), prefix=prefix).view(5, 6, 6)
    assert torch.equal(network.rolled_out(tokens, dice), expected)
    assert (expected[:, 0] != expected[:, -1]).any() and (tokens == SPEC.end).any()


@pytest.mark.parametrize("core", ["gru", "transformer"])
def test_what_stands_before_changes_what_follows_step_by_step_and_at_once_alike(core):
    network = model(layers=2, core=core, heads=2, signs=2, longest_before=4)
    for parameter in network.parameters():
        parameter.data.normal_(0, 0.3)
    before, tokens = torch.tensor([[0, 3, 7, 8], [0, 0, 4, 8]]), torch.tensor([[3, 4, 5, 1, 0, 0], [6, 6, 3, 4, 5, 3]])
    (_, state), token, expected = network._read(before, None, None), torch.full((2, 1), SPEC.end), []
    for position in range(6):
        hidden, state = network._read(token, None, state)
        token = tokens[:, position, None]
        expected.append(network._logits(hidden[:, 0]).log_softmax(1).gather(1, token))
    found = network.log_probabilities(tokens, None, before)
    torch.testing.assert_close(found, torch.cat(expected, 1) * (tokens != 0))
    assert not torch.allclose(found, network.log_probabilities(tokens, None))
    assert network.logits(tokens, None, before).shape == (2, 6, 7)


def test_a_transformer_samples_as_often_as_it_says_and_sees_nothing_ahead():
    network = model(core="transformer", heads=2)
    with torch.no_grad():
        made = network.sampled(torch.rand(20_000, 6, generator=torch.Generator().manual_seed(1)), None)
        first = network.logits(made[:1], None)[0, 0].softmax(0)
        tokens = torch.tensor([[3, 4, 5, 6, 3, 4], [3, 4, 5, 3, 4, 6]])
        one, other = network.logits(tokens, None)
    torch.testing.assert_close(torch.bincount(made[:, 0], minlength=7) / 20_000, first, atol=0.015, rtol=0)
    torch.testing.assert_close(one[:4], other[:4])


def test_guidance_takes_more_of_the_label_and_a_dropped_label_is_none():
    spec = TokenSpec(kind="text", key="text", shape=(6,), vocabulary=7, classes=("a", "b"), frequencies=SPEC.frequencies)
    torch.manual_seed(0)
    network = SequenceModel(spec, width=12, embedding=8).eval()
    label, tokens, dice = torch.tensor([0, 1] * 50), torch.full((100, 6), 3), torch.rand(100, 6)
    kept = torch.zeros(100)
    with torch.no_grad():
        without, with_label = network.logits(tokens, label, kept=kept)[0, 0], network.logits(tokens, label)[0, 0]
        assert torch.equal(network.logits(tokens, label, kept=kept)[1, 0], without)
        made = network.sampled(dice, label, guidance=3.0)
        expected = drawn((with_label + 3 * (with_label - without)).expand(100, -1), dice[:, 0])
    assert torch.equal(made[::2, 0], expected[::2])


def test_the_middle_of_a_sequence_stands_behind_both_its_sides():
    tokens = torch.tensor([[3, 4, 5, 6, 1, 0], [3, 4, 5, 6, 5, 4], [3, 1, 0, 0, 0, 0]])
    given, middle = in_between(tokens, torch.tensor([[0.7, 0.3], [0.99, 0.0], [0.2, 0.7]]), SPEC)
    assert given.tolist() == [[0, 0, 0, 0, 3, 7, 6, 8], [0, 0, 0, 0, 0, 0, 7, 8], [0, 0, 0, 0, 0, 0, 7, 8]]
    assert middle.tolist() == [[4, 5, 1, 0, 0, 0], [3, 4, 5, 6, 5, 4], [3, 1, 0, 0, 0, 0]]


def test_samples_are_as_frequent_as_the_model_says():
    network = model()
    with torch.no_grad():
        made = network.sampled(torch.rand(20_000, 6, generator=torch.Generator().manual_seed(1)), None)
        first = network.logits(made[:1], None)[0, 0].softmax(0)
    torch.testing.assert_close(torch.bincount(made[:, 0], minlength=7) / 20_000, first, atol=0.015, rtol=0)
    assert not set(made.unique().tolist()) & {2}
    ended = (made == SPEC.end).int().cumsum(1) - (made == SPEC.end).int() > 0
    assert (made[ended] == SPEC.pad).all() and (made[~ended] != SPEC.pad).all()


def test_a_prefix_is_kept_and_stopping_early_changes_nothing():
    network, dice = model(), torch.rand(50, 6, generator=torch.Generator().manual_seed(1))
    prefix = torch.full((50, 6), -1)
    prefix[:, :2] = torch.tensor([5, 3])
    with torch.no_grad():
        made = network.sampled(dice, None, prefix=prefix)
        assert (made[:, :2] == prefix[:, :2]).all() and len(made.unique(dim=0)) > 5
        torch.testing.assert_close(network.sampled(dice, None, may_stop=True), network.sampled(dice, None))


def test_tokens_are_drawn_by_temperature_and_from_the_likeliest():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().expand(4000, -1)
    dice = torch.rand(4000, generator=torch.Generator().manual_seed(0))

    def shares(**how):
        return torch.bincount(drawn(logits, dice, **how), minlength=4) / 4000

    torch.testing.assert_close(shares(), logits[0].exp(), atol=0.03, rtol=0)
    torch.testing.assert_close(shares(top_p=0.7), torch.tensor([0.625, 0.375, 0, 0]), atol=0.03, rtol=0)
    squared = logits[0].exp().square()
    torch.testing.assert_close(shares(temperature=0.5), squared / squared.sum(), atol=0.03, rtol=0)
    assert shares(temperature=0)[0] == 1


def test_a_logit_of_a_position_knows_nothing_of_what_follows():
    torch.manual_seed(0)
    critic = SequenceCritic(SPEC, width=8, embedding=6).eval()
    first, second = torch.tensor([[3, 4, 5, 1, 0, 0]]), torch.tensor([[3, 4, 6, 6, 1, 0]])
    (a, whole_a), (b, whole_b) = critic(first), critic(second)
    torch.testing.assert_close(a[:, :2], b[:, :2])
    assert not torch.allclose(a[:, 2:], b[:, 2:]) and not torch.allclose(whole_a, whole_b)
    assert there_of(first, 0).tolist() == [[1, 1, 1, 1, 0, 0]]


def test_rewards_are_discounted_sums():
    found = discounted(torch.tensor([[1.0, 2.0, 4.0]]), 0.5)
    assert found.tolist() == [[1 + 1 + 1, 2 + 2, 4]]


def test_resampling_with_the_density_ratio_gives_the_data():
    """A model that draws 0 to 2 equally often, a critic that knows the ratio: the result has the shares of the data, up to 1/k."""
    generator = torch.Generator().manual_seed(0)
    data = torch.tensor([0.6, 0.3, 0.1])
    n = 20_000
    made = resampled(
        lambda: torch.randint(0, 3, (n, 1), generator=generator),
        lambda tokens: (data * 3).log()[tokens[:, 0]],
        16,
        torch.rand(n, generator=generator),
    )
    torch.testing.assert_close(torch.bincount(made[:, 0]) / n, data, atol=0.03, rtol=0)


def test_the_area_under_the_curve_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    real, fake = torch.randn(30) + 0.5, torch.randn(40)
    real[3] = fake[5]
    expected = roc_auc_score([1] * 30 + [0] * 40, torch.cat([real, fake]).numpy())
    assert float(area(real, fake)) == pytest.approx(expected)


def test_a_model_with_an_embedding_that_is_tied_has_no_second_one():
    sizes = [tuple(parameter.shape) for parameter in model().parameters()]
    assert sizes.count((7, 8)) == 1 and isinstance(model().recurrent, nn.GRU)
