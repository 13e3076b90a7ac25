"""Optimisation: the agent learns what scores, the curve and its area, the diversity filter, and what cannot be optimised."""

import numpy as np
import pytest
import torch

from gansmith.errors import UserError
from gansmith.tasks.optimisation import Found, Settings, described, optimise
from gansmith.training.seeds import seed_everything
from tests import toys


class Share:
    """The share of one token among those before the end; families by the first token."""

    def __init__(self, spec, token: int) -> None:
        self.spec, self.token, self.asked = spec, token, []

    def names(self, tokens: np.ndarray) -> list[str | None]:
        kept = [row[row != self.spec.pad] for row in tokens]
        return [",".join(map(str, row.tolist())) if len(row) > 1 else None for row in kept]

    def scores(self, names):
        self.asked += names
        return [float(np.mean([int(word) == self.token for word in name.split(",")])) for name in names]

    def family(self, name: str) -> str:
        return name.partition(",")[0]

    def bred(self, best, count, rng):
        self.parents = list(best)
        return [name for name, _ in best[:count]]  # known ones, which cost no calls

    def tokens(self, name: str):
        return None


def game(name: str = "sequencegan"):
    seed_everything(0)
    return toys.small(name, toys.every()["texts"]).eval()


def test_the_agent_learns_to_write_what_scores_and_the_prior_stays():
    gan = game()
    before = {key: value.clone() for key, value in gan.state_dict().items()}
    objective = Share(gan.spec, int(np.argmax(gan.spec.frequencies)))
    seen = []
    settings = Settings(calls=1500, batch=32, sigma=60, learning_rate=5e-3, alike=10**6, critic=0.0)
    found = optimise(gan, objective, settings, watch=lambda found: seen.append(len(found.names)))
    assert np.mean(found.scores[-200:]) > np.mean(found.scores[:200]) + 0.15
    assert all(torch.equal(value, before[key]) for key, value in gan.state_dict().items())
    assert found.names == objective.asked and len(set(found.names)) == len(found.names) <= 1500
    assert seen == sorted(seen)


def test_the_same_seed_finds_the_same():
    first, second = (optimise(game(), Share(game().spec, 5), Settings(calls=90, batch=16, seed=3)) for _ in range(2))
    assert first.names == second.names and first.scores == second.scores
    assert len(first.names) <= 90


def test_families_beyond_the_limit_are_not_rewarded():
    """Without a limit the agent goes on with one family; with it the rewards of a full one are zero."""
    gan = game()
    objective = Share(gan.spec, int(np.argmax(gan.spec.frequencies)))
    how = {"calls": 600, "batch": 32, "sigma": 60.0, "learning_rate": 5e-3, "critic": 0.0}
    free = optimise(gan, objective, Settings(**how, alike=10**6))
    filtered = optimise(gan, objective, Settings(**how, alike=3))
    assert np.mean(filtered.scores[-200:]) < np.mean(free.scores[-200:])


def test_the_best_of_each_family():
    found = Found(["a", "b", "c", "d"], [0.1, 0.9, 0.8, 0.7], 4, {"a": "x", "b": "y", "c": "y", "d": "x"})
    assert found.best(2) == [("b", 0.9), ("c", 0.8)]
    assert found.best(alike=1) == [("b", 0.9), ("d", 0.7)]


def test_curve_and_area_against_a_naive_loop():
    scores = np.random.default_rng(0).random(430).tolist()
    found = Found([str(place) for place in range(430)], scores, 500)
    heights = [float(np.mean(sorted(scores[:place], reverse=True)[:10])) for place in (100, 200, 300, 400, 430)]
    assert found.curve(10) == pytest.approx(heights)
    points = [(0, 0.0), *zip((100, 200, 300, 400, 430), heights, strict=True), (500, heights[-1])]
    area = sum((a + b) / 2 * (right - left) for (left, a), (right, b) in zip(points, points[1:], strict=False)) / 500
    assert found.area(10) == pytest.approx(area)
    assert described(found)["top_1"] == max(scores) and described(Found(calls=5))["calls"] == 0


def test_a_gan_that_writes_no_tokens_is_refused():
    seed_everything(0)
    gan = toys.small("molgan", toys.every()["molecular graphs"]).eval()
    with pytest.raises(UserError, match="molgan does not write tokens one by one"):
        optimise(gan, Share(gan.spec, 1), Settings(calls=10))
