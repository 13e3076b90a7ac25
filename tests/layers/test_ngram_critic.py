"""The critic of runs of tokens, against sums over runs written out."""

import numpy as np
import torch

from gansmith.data.tokens import TokenSpec
from gansmith.layers.ngram_critic import MIXED, SIZE, NgramCritic

SPEC = TokenSpec(kind="text", key="text", shape=(6,), vocabulary=9, frequencies=(0, 10, 0, 5, 5, 5, 5, 5, 5))


def test_the_logit_is_the_sum_of_a_weight_for_each_run():
    critic = NgramCritic(SPEC, longest=3)
    torch.nn.init.normal_(critic.weights.weight, generator=torch.Generator().manual_seed(0))
    tokens = torch.tensor([[3, 4, 5, 1, 0, 0], [3, 4, 5, 6, 7, 8]])
    positions, whole = critic(tokens)
    runs = critic._runs(tokens)

    def number(*run: int) -> int:
        """That of a run, whatever stands around it."""
        inside = torch.tensor([[8, *run, 8, 8, 8, 8][:6]])
        return int(critic._runs(inside)[0, len(run) - 1, len(run)])

    assert int(runs[0, 0, 1]) == number(4) and int(runs[1, 1, 3]) == number(5, 6) and int(runs[1, 2, 4]) == number(5, 6, 7)
    assert int(runs[0, 1, 0]) != number(0, 3)  # what stands before the first token is no token
    weights = critic.weights.weight[:, 0].detach()
    expected = [[sum(float(weights[runs[row, size, at]]) for size in range(3)) for at in range(6)] for row in range(2)]
    expected[0][4:] = [0, 0]  # padding has no weight
    torch.testing.assert_close(positions.detach(), torch.tensor(expected).cumsum(1))
    assert torch.equal(whole, positions[:, -1])


def test_it_learns_in_few_moves_what_tells_two_languages_apart():
    """The same tokens as often, in another order."""
    critic = NgramCritic(SPEC, longest=2)
    learner = torch.optim.Adam(critic.parameters(), lr=0.05)
    rising, falling = torch.tensor([[3, 4, 5, 6, 7, 1]] * 8), torch.tensor([[7, 6, 5, 4, 3, 1]] * 8)
    for _ in range(20):
        loss = torch.nn.functional.softplus(-critic(rising)[1]).mean() + torch.nn.functional.softplus(critic(falling)[1]).mean()
        learner.zero_grad()
        loss.backward()
        learner.step()
    assert critic(rising)[1].min() > 1 and critic(falling)[1].max() < -1


def test_what_examples_consist_of_besides_is_weighed_too(monkeypatch):
    critic = NgramCritic(SPEC, longest=1)
    tokens = torch.tensor([[3, 4, 1, 0, 0, 0], [3, 4, 1, 0, 0, 0], [3, 4, 1, 0, 0, 0]])
    monkeypatch.setattr(TokenSpec, "parts", lambda self, rows: np.array([[7, 2**30], [7, 0], [0, 0]]))
    torch.nn.init.normal_(critic.weights.weight, generator=torch.Generator().manual_seed(0))
    first, second, third = critic(tokens)[1].tolist()
    weights = critic.weights.weight[:, 0].detach()
    expected = [float(weights[(number * MIXED >> 15) % SIZE]) for number in (7, 2**30)]
    assert abs(second - third - expected[0]) < 1e-5 and abs(first - second - expected[1]) < 1e-5
