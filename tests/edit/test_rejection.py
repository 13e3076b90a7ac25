from pathlib import Path

import numpy as np
import pytest
import torch

import gansmith
from gansmith import api
from gansmith.edit.averaging import average, save_average
from gansmith.edit.rejection import Calibration, Rejecting, acceptance
from gansmith.errors import UserError
from gansmith.runs.run import Run
from tests import toys


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short training with two checkpoints."""
    folder = tmp_path_factory.mktemp("run") / "squares"
    options = {"width": 16, "noise": 8}
    data = toys.images(300, classes=2)
    gansmith.train(data, gan="gan", options=options, samples=640, batch=32, evaluate=False, out=folder)
    return gansmith.train(data, out=folder, resume=True, samples=1280, evaluate=False)


def test_with_exact_odds_the_real_distribution_is_drawn() -> None:
    """Proposals N(0, 1) and a target N(0.5, 0.7): with gamma at minus infinity's side, acceptance is the ratio over its maximum."""
    x = np.random.default_rng(0).normal(size=400_000)
    log_odds = -((x - 0.5) ** 2) / (2 * 0.7**2) + x**2 / 2 - np.log(0.7)
    probability = acceptance(log_odds, log_odds.max(), 0.0)
    np.testing.assert_allclose(probability, np.exp(log_odds - log_odds.max()).clip(max=1), atol=1e-3)
    kept = x[np.random.default_rng(1).random(len(x)) < probability]
    assert kept.mean() == pytest.approx(0.5, abs=0.02) and kept.std() == pytest.approx(0.7, abs=0.02)


def test_a_higher_gamma_accepts_less() -> None:
    odds = np.linspace(-3, 0, 50)
    assert (acceptance(odds, 0.0, 1.0) < acceptance(odds, 0.0, 0.0)).all()


def test_calibration_finds_the_odds_of_gaussians() -> None:
    """Scores N(1, 1) of real and N(-1, 1) of generated examples have the log odds 2 s."""
    rng = np.random.default_rng(0)
    found = Calibration.fit(rng.normal(1, 1, 20_000), rng.normal(-1, 1, 20_000))
    assert found.slope == pytest.approx(2, abs=0.1) and found.offset == pytest.approx(0, abs=0.05)
    with pytest.raises(UserError, match="does not score real examples above generated ones"):
        Calibration.fit(rng.normal(-1, 1, 500), rng.normal(1, 1, 500))


def test_what_passes_has_higher_scores(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    model = run.model()
    training, held_out = api.split(toys.images(300, classes=2))
    monkeypatch.setattr(Calibration, "fit", classmethod(lambda cls, real, fake: cls(3.0 / fake.std(), 0.0)))
    sieve = Rejecting.of(run, model, training, held_out, percentile=80)
    passed, all_of = sieve.sample(300, seed=3), model.sample(300, seed=3)
    assert sieve.log_odds(passed).mean() > sieve.log_odds(all_of).mean() + 0.5
    assert 0 < sieve.card["accepted"] < 0.5 and len(passed["image"]) == 300
    torch.testing.assert_close(passed["image"], sieve.sample(300, seed=3)["image"])
    with pytest.raises(UserError, match="percentile must be less than 100, but it is 120"):
        Rejecting.of(run, model, training, held_out, percentile=120)


def test_classes_keep_their_shares_however_the_critic_scores_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    training, held_out = api.split(toys.images(300, classes=2))
    monkeypatch.setattr(Calibration, "fit", classmethod(lambda cls, real, fake: cls(1.0, 0.0)))
    monkeypatch.setattr(
        "gansmith.edit.rejection._scores",
        lambda gan, batch: batch["image"].mean((1, 2, 3)).numpy() + 100 * batch["label"].numpy(),
    )
    sieve = Rejecting.of(run, run.model(), training, held_out, percentile=80)
    shares = sieve.sample(400, seed=3)["label"].float().mean()
    assert float(shares) == pytest.approx(float(run.model().sample(2000)["label"].float().mean()), abs=0.1)


def test_a_run_without_a_critic_is_refused(run: Run, tmp_path: Path) -> None:
    lone = Run.create(tmp_path / "lone", run.facts)
    training, held_out = api.split(toys.images(300, classes=2))
    with pytest.raises(UserError, match="has no checkpoint, from which the critic would be taken"):
        Rejecting.of(lone, run.model(), training, held_out)


def test_the_average_is_the_mean_of_the_checkpoints(run: Run) -> None:
    from gansmith.data.tensors import read_tensors
    from gansmith.training.checkpoint import checkpoints

    states = [read_tensors(path)[0] for path in checkpoints(run.checkpoints)]
    assert len(states) == 2
    model, seen = average(run)
    assert len(seen) == 2 and seen == sorted(seen)
    network = model.gan.players["generator"]
    for name, tensor in network.averaged.named_parameters():
        part = "average.network" if network.average is not None else "network"
        mean = sum(state[f"gan/generator.{part}.{name}"] for state in states) / 2
        torch.testing.assert_close(tensor.detach(), mean)
    folder = save_average(run)
    assert gansmith.load(folder).card["averaged"] == seen
    kept = (run.folder / "report.html").read_bytes(), sorted(run.folder.iterdir())
    scores = gansmith.evaluate(folder, data=toys.images(300, classes=2), metrics=["precision"]).scores
    assert [score.name.partition("[")[0] for score in scores] == ["precision"]
    assert kept == ((run.folder / "report.html").read_bytes(), sorted(run.folder.iterdir()))
    with pytest.raises(UserError, match="--last takes 2 or more, of which .* has 2, but it is 5"):
        average(run, last=5)
