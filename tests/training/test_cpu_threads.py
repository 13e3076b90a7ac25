"""How many threads: measured on the game, kept for the run, and said when the machine is taken away."""

import json

import pytest
import torch

from gansmith import api
from gansmith.errors import UserError
from gansmith.planning import plan as planning
from gansmith.training import cpu_threads as threads
from gansmith.training.cpu_threads import Pace, fastest, using
from gansmith.training.trainer import Settings, Trainer
from tests import toys


@pytest.fixture
def costs(monkeypatch):
    """A game whose rounds take so many milliseconds with so many threads, and how often it was played with each."""
    played: list[int] = []
    now = [0.0]
    monkeypatch.setattr(threads, "SECONDS", 0.12)
    monkeypatch.setattr(threads.time, "perf_counter", lambda: now[0])

    def game(milliseconds: dict[int, float]):
        def play_round() -> None:
            played.append(torch.get_num_threads())
            now[0] += milliseconds[torch.get_num_threads()] / 1000

        return play_round

    return game, played


@pytest.mark.parametrize(
    ("milliseconds", "best"),
    [({1: 2, 2: 6}, 1), ({1: 6, 2: 2}, 2), ({1: 4, 2: 4}, 1), ({1: 9, 4: 2, 16: 8}, 4)],
)
def test_the_fastest_number_wins_and_fewer_where_it_makes_no_difference(costs, milliseconds, best):
    game, played = costs
    assert fastest(game(milliseconds), list(milliseconds)) == best
    assert set(played) == set(milliseconds) and torch.get_num_threads() == 1


def test_long_rounds_are_tried_once_with_each_number(costs):
    game, played = costs
    assert fastest(game({1: 60, 2: 40}), [1, 2]) == 2
    assert played == [1, 1, 2]


def test_one_candidate_costs_nothing(costs):
    game, played = costs
    assert fastest(game({}), [3]) == 3 and played == []


def test_candidates_are_one_all_and_steps_between_unless_the_user_has_chosen(monkeypatch):
    assert threads.candidates() == [1]  # OMP_NUM_THREADS of the tests
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert threads.candidates() == [1, 4, 16, 64]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert threads.candidates() == [1, 2]


def test_threads_are_set_inside_and_restored_after_a_fault():
    def failing() -> None:
        with using(2):
            assert torch.get_num_threads() == 2
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert torch.get_num_threads() == 1


def test_measuring_leaves_the_training_as_it_would_have_been(monkeypatch):
    monkeypatch.setattr(planning, "candidates", lambda: [1, 2])
    monkeypatch.setattr(threads, "SECONDS", 0.05)
    data = toys.points()
    plan = planning.plan(data, gan="gan", options=toys.SMALL["gan"], batch=16, samples=320)
    measured = planning.settle_threads(plan, data)
    assert plan.settings.threads is None and measured.settings.threads in (1, 2)
    for one, other in zip(plan.build(data).parameters(), measured.build(data).parameters(), strict=True):
        assert torch.equal(one, other)
    assert planning.settle_threads(measured, data) is measured


def test_the_number_is_recorded_and_a_resumed_run_keeps_it(tmp_path):
    options = {"gan": "gan", "options": toys.SMALL["gan"], "batch": 16, "evaluate": False, "device": "cpu"}
    run = api.train(toys.points(), out=tmp_path / "run", samples=160, threads=2, **options)

    def recorded():
        return json.loads((run.folder / "run.json").read_text())["settings"]["threads"]

    assert recorded() == 2
    again = {"out": tmp_path / "run", "resume": True, "evaluate": False}
    api.train(toys.points(), samples=320, **again)
    assert recorded() == 2
    api.train(toys.points(), samples=480, threads=1, **again)
    assert recorded() == 1
    with pytest.raises(UserError, match="threads must be at least 1"):
        api.train(toys.points(), threads=0, **again)


def test_training_computes_with_the_number_of_its_settings():
    seen = []

    class Guest:
        def __getattr__(self, name):
            return lambda *_: seen.append(torch.get_num_threads()) or False

    data = toys.points()
    Trainer(toys.small("gan", data), data, Settings(batch=32, samples=64, threads=2), Guest()).train()
    assert set(seen) == {2} and torch.get_num_threads() == 1


def test_a_fallen_pace_is_said_once_after_two_ticks():
    pace = Pace()
    said = [pace.remark(value, 2, 5.0) for value in (900, 1000, 400, 900, 400, 300, 200, 100)]
    assert [index for index, sentence in enumerate(said) if sentence] == [5]
    assert said[5] is not None and "from 1,000 to 300 samples a second" in said[5] and "--threads 1" in said[5]


def test_one_thread_is_not_advised_to_become_one():
    pace = Pace()
    assert "--threads" not in [pace.remark(value, 1, 5.0) for value in (1000, 100, 100)][-1]


def test_short_ticks_tell_nothing():
    pace = Pace()
    assert [pace.remark(value, 1, 0.1) for value in (1000, 1, 1, 1)] == [None] * 4
