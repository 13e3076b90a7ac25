"""Clock, schedules, averages and budgets against closed forms."""

import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gansmith.training.budget import Budget
from gansmith.training.clock import Clock
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine, Geometric, Linear, as_schedule
from gansmith.training.term_means import TermMeans


def at(samples, total=1000):
    return Clock(samples=samples, total=total)


@pytest.mark.parametrize(("samples", "value"), [(0, 2.0), (250, 1 + math.cos(math.pi / 4)), (500, 1.0), (1000, 0.0), (5000, 0.0)])
def test_half_a_cosine(samples, value):
    assert Cosine(2.0, 0.0)(at(samples)) == pytest.approx(value, abs=1e-12)


def test_a_schedule_of_its_own_length_ignores_the_budget():
    assert Cosine(0.0, 1.0, over=100)(at(50, total=None)) == pytest.approx(0.5)
    assert Linear(0.0, 1.0, over=100)(at(25, total=7)) == pytest.approx(0.25)


def test_before_the_budget_is_known_a_schedule_stands_at_its_start():
    assert Cosine(3.0, 1.0)(at(400, total=None)) == 3.0


@pytest.mark.parametrize(("samples", "value"), [(0, 1.0), (500, 1.0), (750, 0.5), (1000, 0.0), (2000, 0.0)])
def test_a_line_that_waits_for_half_of_the_time(samples, value):
    assert Linear(1.0, 0.0, wait=0.5)(at(samples)) == pytest.approx(value)


@pytest.mark.parametrize(("samples", "value"), [(0, 1.0), (500, 0.1), (1000, 0.01), (3000, 0.01)])
def test_equal_factors_in_equal_times(samples, value):
    assert Geometric(1.0, 0.01)(at(samples)) == pytest.approx(value)


def test_numbers_are_constant_schedules():
    assert as_schedule(0.25)(at(3)) == 0.25


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 2000))
@settings(deadline=None)
def test_schedules_stay_between_their_ends(start, end, samples):
    for schedule in (Cosine(start, end), Linear(start, end)):
        assert min(start, end) - 1e-9 <= schedule(at(samples)) <= max(start, end) + 1e-9


class Number(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(float(value)))
        self.register_buffer("count", torch.tensor(0))


def test_after_one_half_life_the_average_has_forgotten_half():
    network = Number(0)
    average = Average(network, half_life=100, ramp=None)
    with torch.no_grad():
        network.value.fill_(1)
    for _ in range(10):
        average.update(network, Clock(samples=10_000), samples=10)
    assert average.network.value.item() == pytest.approx(0.5, rel=1e-5)


def test_the_batch_size_does_not_change_the_average():
    found = []
    for step in (5, 50):
        network = Number(0)
        average = Average(network, half_life=70, ramp=None)
        with torch.no_grad():
            network.value.fill_(1)
        for _ in range(500 // step):
            average.update(network, Clock(), samples=step)
        found.append(average.network.value.item())
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_the_ramp_keeps_a_young_average_young():
    average = Average(Number(0), half_life=1e6, ramp=0.05)
    assert average.decay(Clock(samples=900), samples=100) == pytest.approx(0.5 ** (100 / 50))
    assert Average(Number(0), half_life=0, ramp=None).decay(Clock(), 10) == 0.0


def test_integer_buffers_are_copied_and_the_average_takes_no_gradient():
    network = Number(0)
    average = Average(network, half_life=100)
    network.count.fill_(7)
    average.update(network, Clock(samples=100), samples=10)
    assert average.network.count.item() == 7
    assert not any(p.requires_grad for p in average.parameters())


def test_a_budget_in_samples_is_known_at_once_and_the_shorter_of_two_wins():
    clock = Clock()
    Budget(samples=500, minutes=None).settle(clock, 10)
    assert clock.total == 500
    clock, budget = Clock(), Budget(samples=40, minutes=1e-5)
    for _ in range(20):
        clock.advance(10)
        time.sleep(1e-4)
        budget.settle(clock, 10)
    assert clock.total is not None and clock.total <= 200


@pytest.mark.parametrize(
    ("slow_from", "factor"), [(0.0, 1.0), (0.3, 3.0), (0.8, 10.0), (0.05, 40.0)], ids=["steady", "later", "at the end", "at once"]
)
def test_minutes_are_kept_when_rounds_become_slower(monkeypatch, slow_from, factor):
    now = 0.0
    monkeypatch.setattr("gansmith.training.budget.time.monotonic", lambda: now)
    clock, budget = Clock(), Budget(samples=None, minutes=10, began=0.0)
    while clock.total is None or clock.samples < clock.total:
        now += 0.5 * (factor if now > slow_from * 600 else 1.0)
        clock.advance(32)
        budget.settle(clock, 32)
    assert 0.9 * 600 <= now <= 600 + 4 * 0.5 * factor
    assert clock.progress() == 1


def test_minutes_that_are_over_before_the_speed_is_known_end_the_training(monkeypatch):
    now = 0.0
    monkeypatch.setattr("gansmith.training.budget.time.monotonic", lambda: now)
    clock, budget = Clock(), Budget(samples=None, minutes=0.1, began=0.0)
    while clock.total is None or clock.samples < clock.total:
        now += 4.0
        clock.advance(32)
        budget.settle(clock, 32)
    assert clock.rounds == 2


def test_the_term_means_average_and_keep_what_is_not_finite():
    means = TermMeans()
    for value in (1.0, 2.0, 6.0):
        means.add("a", torch.tensor(value, dtype=torch.bfloat16))
    means.add("b", torch.tensor(float("inf")))
    means.add("b", torch.tensor(-float("inf")))
    found = means.read()
    assert found["a"] == 3.0 and math.isnan(found["b"])
    means.clear()
    assert means.read() == {}
