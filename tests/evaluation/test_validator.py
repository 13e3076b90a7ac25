"""Judging during training: it disturbs nothing, keeps to its share, keeps the best model and ends a training that stands still."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import gansmith
from gansmith.data.tensors import read_tensors
from gansmith.errors import UserError
from gansmith.evaluation.score import Score
from gansmith.evaluation.validation import Validation
from gansmith.evaluation.validator import Validator
from gansmith.model import Model
from gansmith.runs.recorder import Recorder
from gansmith.training.checkpoint import checkpoints
from tests import toys

SAMPLES = 2048


@pytest.fixture(autouse=True)
def at_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def judging_takes_no_time(patch):
    """So that the schedule does not depend on the machine."""
    settle = Validator.settle

    def at_once(self, tick, tick_seconds):
        self.cost = 0.0
        return settle(self, tick, tick_seconds)

    patch.setattr(Validator, "settle", at_once)


@pytest.fixture
def at_every_tick(monkeypatch):
    judging_takes_no_time(monkeypatch)


def train(**changes):
    options = {"gan": "gan", "options": {"width": 32}, "samples": SAMPLES, "batch": 64, "evaluate": False, "out": "run"}
    return gansmith.train(toys.points(512), **{**options, **changes})


JUDGED = {"judge_metrics": ["coverage"], "keep_best": "frechet", "judge_samples": 100}


def weights(run):
    tensors, _ = read_tensors(checkpoints(run.checkpoints)[-1])
    return {key: tensor for key, tensor in tensors.items() if not key.startswith("best/")}


def scores(run):
    return [{key: value for key, value in record.items() if key != "seconds"} for record in run.records("evaluations.jsonl")]


def sentences(run):
    return [message["sentence"] for message in run.records("messages.jsonl")]


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(tensor, b[key]) for key, tensor in a.items())


def validator(folder, **changes) -> Validator:
    """One for an untrained model on four clusters."""
    data = toys.points(200)
    training, held_out = data.split(0.3)
    model = Model(toys.small("gan", data), data.codec, {"gan": "gan", "samples": 0})
    return Validator(replace(Validation(metrics=("frechet",), samples=50), **changes), model, training, held_out, folder)


@pytest.fixture
def planned(monkeypatch, tmp_path):
    """A validator that finds these values, each with an interval of +- 0.1."""

    def made(*values: float, better: str = "lower", **changes) -> Validator:
        found = validator(tmp_path / "best", **changes)
        coming = iter(values)

        def score():
            value = next(coming)
            facts = {"baseline": None, "baseline_name": "", "ceiling": None, "reference_samples": 50, "seconds": 0.0}
            one = Score(
                name="frechet[raw]", value=value, low=value - 0.1, high=value + 0.1, better=better, samples=50, seed=0, **facts
            )
            return [one], {}

        monkeypatch.setattr(found, "_scores", score)
        return found

    return made


# ---- when ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "samples", "sentence"),
    [("modes", 100, "modes cannot be judged on this data"), ("frechet", 10, "at least 20 examples")],
)
def test_what_cannot_be_judged_is_refused_before_there_is_a_run(metric, samples, sentence):
    with pytest.raises(UserError, match=sentence):
        train(keep_best=metric, judge_samples=samples)
    assert not Path("run").exists()


def test_the_schedule_keeps_the_share_and_is_decided_once(tmp_path):
    found = validator(tmp_path / "best")
    found.cost = 1.0
    assert found.settle(1, 0.5) is None
    sentence = found.settle(2, 0.5)
    assert sentence == "Judging frechet takes 1.00 s: every 38 ticks, to keep within 5% of the time."
    assert 1.0 / (38 * 0.5 + 1.0) <= 0.05 < 1.0 / (37 * 0.5 + 1.0)
    assert found.settle(3, 50.0) is None
    assert next(tick for tick in range(80) if found.due(tick, final=False)) == 38
    assert not found.due(37, final=True)


def test_the_final_model_is_examined_if_another_may_have_been_kept(tmp_path):
    assert validator(tmp_path / "best", keep_best="frechet").due(1, final=True)


# ---- what follows -------------------------------------------------------------------------------------------------------------


def test_patience_waits_for_the_value_to_leave_its_interval(planned):
    found = planned(1.0, 0.95, 0.91, 0.89, 0.85, 0.95, patience=2)
    enough = []
    for tick in range(6):
        found.examine(tick, 100 * tick)
        enough.append(found.enough)
    assert enough == [False, False, True, False, False, True]
    assert found.farewell().startswith(
        "Stopped early: frechet[raw] has not left the 95% interval of its value 0.890 at 300 samples"
    )


def test_higher_may_be_better(planned):
    found = planned(0.5, 0.65, 0.4, better="higher", keep_best="frechet", patience=1)
    for tick in range(3):
        found.examine(tick, 100 * tick)
    assert found.enough
    assert (
        found.verdict()
        == "The model in best/ is better by frechet[raw] (0.650 at 100 samples) than the last one (0.400 at 200 samples)."
    )


def test_the_last_model_may_be_the_best_or_be_hardly_worse(planned):
    found = planned(1.0, 0.9, 0.95, keep_best="frechet")
    assert found.verdict() is None
    found.examine(0, 0)
    found.examine(1, 100)
    assert found.verdict() == "The last model is the best by frechet[raw] (0.900 at 100 samples); best/ holds it too."
    found.examine(2, 200)
    assert found.verdict().endswith("than the last one (0.950 at 200 samples), though within its 95% interval.")


def test_a_score_that_is_no_number_is_refused_and_decides_nothing(planned):
    found = planned(1.0, float("nan"), keep_best="frechet", patience=1)
    found.examine(0, 0)
    with pytest.raises(UserError, match="frechet\\[raw\\] is nan"):
        found.examine(1, 100)
    assert found.best.value == 1.0
    assert not found.enough


def test_a_state_brings_back_the_best_of_then(planned, tmp_path):
    found = planned(1.0, 0.5, 0.7, keep_best="frechet", patience=5)
    before = found.state()
    found.examine(0, 100)
    tensors, facts = found.state()
    then = Model.load(tmp_path / "best").sample(4)["point"]
    with torch.no_grad():
        for parameter in found.model.gan.players["generator"].averaged.parameters():
            parameter.add_(0.1)
    found.examine(1, 200)
    assert Model.load(tmp_path / "best").card["samples"] == 200

    found.load_state(tensors, json.loads(json.dumps(facts)))
    assert (found.best.value, found.waited) == (1.0, 0)
    assert Model.load(tmp_path / "best").card["samples"] == 100
    assert torch.equal(Model.load(tmp_path / "best").sample(4)["point"], then)
    found.load_state(*before)
    assert found.best is None
    assert not list((tmp_path / "best").iterdir())
    found.examine(2, 300)
    assert found.best.value == 0.7


# ---- in a training ------------------------------------------------------------------------------------------------------------


def test_judging_changes_nothing_in_the_training_whatever_random_numbers_a_metric_draws(at_every_tick, monkeypatch):
    from gansmith.evaluation import validator as module

    judge = module.judge
    monkeypatch.setattr(module, "judge", lambda *sides, **options: torch.randn(7) is not None and judge(*sides, **options))
    plain, judged = train(out="plain"), train(**JUDGED, out="judged")
    assert equal(weights(plain), weights(judged))
    assert not plain.best_folder.exists()
    taken = judged.records("evaluations.jsonl")
    assert len({record["samples_seen"] for record in taken}) > 25
    assert {record["name"] for record in taken} == {"frechet[raw]", "coverage[raw]"}
    assert all({"tick", "asked", "held_out", "samples_seen"} <= record.keys() for record in taken)
    assert [(r["terms"], r["health"]) for r in plain.records("log.jsonl")] == [
        (r["terms"], r["health"]) for r in judged.records("log.jsonl")
    ]


def test_the_best_model_is_kept_usable_and_judged_with_its_score(at_every_tick):
    run = train(**JUDGED)
    taken = [record for record in run.records("evaluations.jsonl") if record["name"] == "frechet[raw]"]
    best = min(taken, key=lambda record: record["value"])
    assert "Scores over time" in (run.folder / "report.html").read_text()
    card = gansmith.load(run.best_folder).card
    assert (card["samples"], card["score"]["value"]) == (best["samples_seen"], best["value"])
    assert gansmith.load(run.folder).card["samples"] == SAMPLES
    assert sentences(run)[-1].startswith(("The model in best/ is better by frechet[raw]", "The last model is the best"))


class Stop(Exception):
    pass


WAITING = {**JUDGED, "patience": 20}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A judged run that nothing cut off."""
    with pytest.MonkeyPatch.context() as patch:
        judging_takes_no_time(patch)
        return train(**WAITING, out=tmp_path_factory.mktemp("whole") / "whole")


@pytest.mark.parametrize("moment", [300, 640, 1300])
def test_a_judged_run_cut_off_anywhere_goes_on_to_the_same_weights_scores_best_and_end(moment, whole, monkeypatch, at_every_tick):
    assert 1300 < whole.model().card["samples"] < SAMPLES
    progress = Recorder.progress

    def cut(self, trainer):
        progress(self, trainer)
        if trainer.gan.clock.samples >= moment:
            raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "progress", cut)
        patched.setattr("gansmith.training.trainer.Trainer.checkpoint_due", lambda self: self.gan.clock.samples % 512 < 64)
        with pytest.raises(Stop):
            train(**WAITING, out="cut")
    resumed = gansmith.train(toys.points(512), out="cut", resume=True, evaluate=False)
    assert equal(weights(whole), weights(resumed))
    assert scores(whole) == scores(resumed)
    assert gansmith.load("cut/best").card == gansmith.load(whole.best_folder).card
    assert equal(*(read_tensors(folder / "model.safetensors")[0] for folder in (whole.best_folder, resumed.best_folder)))
    assert resumed.facts["examination"]["schedule"]["every"] == 1


def test_a_training_that_stands_still_ends_early_and_a_longer_budget_goes_on(at_every_tick, monkeypatch):
    monkeypatch.setattr("gansmith.evaluation.validator.Mark.clearly_beats", lambda self, other: False)
    run = train(keep_best="frechet", judge_samples=100, patience=5, evaluate=True)
    seen = run.model().card["samples"]
    assert seen < SAMPLES / 2
    assert len({record["samples_seen"] for record in run.records("evaluations.jsonl")}) == 6
    assert sum("Stopped early" in sentence for sentence in sentences(run)) == 1
    assert run.judgement is not None
    assert (run.folder / "report.html").exists()
    assert (run.samples / f"{seen:09d}.png").exists()

    before = weights(run)
    again = gansmith.train(toys.points(512), out="run", resume=True, evaluate=False)
    assert equal(before, weights(again))
    assert "Stopped early" in sentences(again)[-2]
    longer = gansmith.train(toys.points(512), out="run", resume=True, evaluate=False, samples=2 * SAMPLES)
    assert longer.model().card["samples"] > seen
    assert longer.facts["examination"]["schedule"] is not None


def test_a_diverged_game_forgets_what_was_judged_after_the_state_it_goes_back_to(at_every_tick, monkeypatch):
    from gansmith.training.trainer import Trainer

    monkeypatch.setattr(Trainer, "checkpoint_due", lambda self: self.gan.clock.samples == 512)
    tick, poisoned = Trainer.tick, []

    def poison(self):
        if self.gan.clock.samples >= 1024 and not poisoned:
            poisoned.append(len(self.guest.run.records("evaluations.jsonl")))
            self.term_means.add("critic/poison", torch.tensor(float("nan")))
            tick(self)
            kept = self.guest.run.records("evaluations.jsonl")
            assert kept[-1]["samples_seen"] == 512
            assert self.guest.validator.last.samples_seen == 512
            assert self.guest.validator.best.samples_seen == gansmith.load("run/best").card["samples"] <= 512
            poisoned.append(len(kept))
        else:
            tick(self)

    monkeypatch.setattr(Trainer, "tick", poison)
    run = train(**JUDGED)
    assert poisoned[1] < poisoned[0]
    moments = [record["samples_seen"] for record in run.records("evaluations.jsonl")]
    assert moments == sorted(moments)


def test_a_model_that_cannot_be_judged_for_a_while_trains_on(at_every_tick, monkeypatch):
    found = Validator.examine

    def failing(self, tick, samples_seen):
        if samples_seen < 1024:
            raise UserError("judging needs finite numbers.")
        return found(self, tick, samples_seen)

    monkeypatch.setattr(Validator, "examine", failing)
    run = train(**JUDGED)
    assert any(sentence.endswith("samples: judging needs finite numbers.") for sentence in sentences(run))
    assert run.records("evaluations.jsonl")[0]["samples_seen"] == 1024


def test_one_process_judges_and_all_stop(tmp_path):
    np.save(tmp_path / "clusters.npy", toys.points(512).arrays["point"])
    wish = ["--judge-metrics", "recall", "--judge-samples", "50", "--judge-share", "0.9", "--patience", "2"]
    command = [sys.executable, "-m", "gansmith", "train", "clusters.npy", "--gan", "gan", "--gan.width", "16", "--devices", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    command += ["--samples", "200000", "--batch", "64", "--no-evaluate", "--out", "run", *wish]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    run = gansmith.Run("run")
    assert sum("Stopped early" in sentence for sentence in sentences(run)) == 1
    assert run.model().card["samples"] < 200_000
