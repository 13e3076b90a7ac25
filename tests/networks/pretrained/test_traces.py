"""Hashes of what networks and functions depend on."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith.networks.pretrained.traces import trace


class Scaled(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor, self.layer = factor, nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * self.factor


class Linear:
    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    def __call__(self, x: Tensor) -> Tensor:
        return x @ self.weights


def seeded(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return make()


def plus(x: Tensor, amount: float) -> Tensor:
    return x + amount


def times(factor: Any) -> Callable[[Tensor], Tensor]:
    return lambda x: x * factor


def through(network: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda x: network(x)


SAME = {
    "module": lambda: seeded(lambda: Scaled(2.0)),
    "script": lambda: torch.ones(3).add,
    "number in a closure": lambda: times(2.0),
    "network in a closure": lambda: through(seeded(lambda: nn.Linear(2, 2))),
    "method": lambda: seeded(lambda: Scaled(2.0)).forward,
    "partial": lambda: partial(plus, amount=1.0),
    "object": lambda: Linear(torch.ones(2, 2)),
}
OTHER = {
    "weights": (seeded(lambda: Scaled(2.0)), seeded(lambda: Scaled(2.0), seed=1)),
    "setting": (seeded(lambda: Scaled(2.0)), seeded(lambda: Scaled(3.0))),
    "structure": (nn.Sequential(nn.ReLU()), nn.Sequential(nn.Tanh())),
    "code": (lambda x: x + 1, lambda x: x - 1),
    "number in a closure": (times(2.0), times(3.0)),
    "tensor in a closure": (times(torch.zeros(2)), times(torch.ones(2))),
    "weights in a closure": (through(seeded(lambda: nn.Linear(2, 2))), through(seeded(lambda: nn.Linear(2, 2), seed=1))),
    "argument": (partial(plus, amount=1.0), partial(plus, amount=2.0)),
    "method's object": (seeded(lambda: Scaled(2.0)).forward, seeded(lambda: Scaled(3.0)).forward),
    "object": (Linear(torch.ones(2, 2)), Linear(torch.zeros(2, 2))),
}


@pytest.mark.parametrize("what", SAME)
def test_what_is_made_alike_has_one_hash(what: str) -> None:
    assert trace(SAME[what]()) == trace(SAME[what]())


@pytest.mark.parametrize("what", OTHER)
def test_what_differs_has_another(what: str) -> None:
    first, second = OTHER[what]
    assert trace(first) != trace(second)


def test_mode_and_kind_of_memory_do_not_matter() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout())
    before = trace(module)
    assert trace(module.eval().to(memory_format=torch.channels_last)) == before
