"""Models kept during training."""

import numpy as np
import pytest
import torch

import gansmith
from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.runs.milestones import in_samples


def points():
    return np.random.default_rng(0).normal(size=(320, 2)).astype(np.float32)


HOW = {"gan": "gan", "options": {"width": 16, "noise": 8}, "threads": 1, "evaluate": False, "batch": 32}


def kept(run):
    return [path.name for path in sorted((run.folder / "milestones").iterdir())]


@pytest.mark.parametrize(
    ("every", "samples"), [(128, 128), ("128", 128), (np.int64(7), 7), ("2epochs", 512), ("1 epoch", 256), ("10 epochs", 2560)]
)
def test_intervals_are_samples_or_epochs(every, samples):
    assert in_samples(every, 256) == samples


@pytest.mark.parametrize("every", [0, -5, "0", "-3", "0epochs", "10 epocs", "", "1e3", 2.5, "9" * 30, True])
def test_other_intervals_are_refused(every):
    with pytest.raises(UserError, match="--checkpoint-every"):
        in_samples(every, 256)


def test_a_model_of_every_interval_is_kept_and_a_resumed_run_goes_on(tmp_path):
    whole = gansmith.train(points(), samples=640, out=tmp_path / "whole", checkpoint_every=200, **HOW)
    assert kept(whole) == ["000000000224", "000000000416", "000000000608"]  # at the first round beyond each multiple
    assert gansmith.load(whole.folder / "milestones/000000000416").card["samples"] == 416
    part = gansmith.train(points(), samples=320, out=tmp_path / "part", checkpoint_every=200, **HOW)
    assert kept(part) == ["000000000224"]
    part = gansmith.train(points(), resume=True, out=tmp_path / "part", samples=640, evaluate=False)
    assert kept(part) == kept(whole)
    for name in kept(whole):
        models = [gansmith.load(run.folder / "milestones" / name).sample(3, seed=1) for run in (whole, part)]
        assert torch.equal(models[0]["point"], models[1]["point"])


def test_the_command_takes_epochs_and_generates_from_a_milestone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("points.npy", points())
    words = ["--gan", "gan", "--samples", "640", "--batch", "32", "--threads", "1", "--no-evaluate", "--out", "run"]
    assert main(["train", "points.npy", "--checkpoint-every", "1epoch", *words]) == 0
    (first, _) = kept(gansmith.Run("run"))
    assert main(["generate", f"run/milestones/{first}", "-n", "5", "--out", "five.csv"]) == 0
    assert len((tmp_path / "five.csv").read_text().splitlines()) >= 5
    capsys.readouterr()
    assert main(["train", "points.npy", "--resume", "--out", "run", "--checkpoint-every", "5"]) == 2
    assert "leave --checkpoint-every out" in capsys.readouterr().err
