"""Where the time of a step goes: every part is found, operations are counted, and the trainer is left as it was."""

import json

import pytest
import torch

from gansmith.cli import main
from gansmith.gans import wgan_gp
from gansmith.planning import plan as planning
from gansmith.planning import profile as profiling
from gansmith.planning.profile import Operations, Stopwatch, peak_flops, profile
from tests import toys


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(profiling, "PEAK_SECONDS", 0.01)
    monkeypatch.setattr(profiling, "CYCLE", 2)


def profiled(gan):
    data = toys.images()
    options = toys.SMALL[gan] | ({"penalty_interval": 2, "network": "residual"} if gan == "r3gan" else {})
    plan = planning.plan(data, gan=gan, options=options, batch=16, device="cpu")
    return profile(plan, data, seconds=0.05)


@pytest.mark.parametrize("gan", ["gan", "wgan_gp", "r3gan"])
def test_every_part_of_a_round_is_timed(gan):
    found = profiled(gan)
    parts = {(part.who, part.what) for part in found.parts}
    for player in ("generator", "critic"):
        assert {(player, what) for what in ("forward", "backward", "optimiser")} <= parts
    assert {("game", "data"), ("game", "log"), ("game", "noise, losses, augmentation")} <= parts
    assert (("critic", "penalty") in parts) == (gan != "gan")
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    assert all(part.milliseconds >= 0 for part in found.parts)
    assert found.examples_per_second > 0 and found.fraction_of_peak > 0
    assert found.fraction_of_peak == pytest.approx(found.flops_per_second / found.peak_flops_per_second)


def test_penalties_are_as_they_were_after_a_profile():
    before = wgan_gp.gradient_penalty
    profiled("wgan_gp")
    assert wgan_gp.gradient_penalty is before


def test_operations_are_those_of_the_definition():
    x, w = torch.randn(5, 7), torch.randn(7, 3, requires_grad=True)
    with Operations() as counted:
        (x @ w).sum().backward()
    assert counted.total == 2 * (2 * 5 * 7 * 3)  # forward, and the gradient of the weights
    image, kernel = torch.randn(2, 4, 8, 8), torch.randn(6, 4, 3, 3, requires_grad=True)
    with Operations() as counted:
        torch.nn.functional.conv2d(image, kernel, padding=1).sum().backward()
    assert counted.total == 2 * (2 * 2 * 8 * 8 * 6 * 4 * 9)


def test_the_innermost_part_counts(monkeypatch):
    now = iter([0.0, 1.0, 3.0, 7.0])
    monkeypatch.setattr(profiling.time, "perf_counter", lambda: next(now))
    watch = Stopwatch(torch.device("cpu"))
    with watch.over("a", "outer"), watch.over("b", "inner"):
        pass
    assert dict(watch.spent) == {("a", "outer"): 1.0 + 4.0, ("b", "inner"): 2.0}


def test_the_peak_is_that_of_the_faster_operation():
    assert peak_flops(torch.device("cpu"), "float32", seconds=0.01) > 1e9


def test_the_command_shows_a_table_and_writes_no_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(profiling.profile, "__defaults__", (0.05,))
    command = ["train", "digits", "--gan", "dcgan", "--gan.width", "8", "--gan.critic-width", "8", "--batch", "8", "--profile"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "optimiser" in shown and "of this machine's" in shown
    assert main([*command, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["gan"] == "dcgan" and {"who", "what", "milliseconds", "share"} == set(facts["parts"][0])
    assert list(tmp_path.iterdir()) == []


def test_a_profile_without_data_is_refused(capsys):
    assert main(["train", "--profile"]) == 2
    assert "A profile needs data" in capsys.readouterr().err
