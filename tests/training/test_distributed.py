"""Several processes: equal to each other bit for bit, and equal to one process with the same total batch."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gansmith import kinds
from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.training import distributed
from tests.training.two_processes import play

ROOT = Path(__file__).parents[2]
CASES = ["gan:points", "wgan:points", "wgan_gp:labelled", "dcgan:labelled", "r3gan:labelled", "sngan:labelled"]
USUAL = [
    *(f"{kinds.find(name).gan}:{next(iter(kinds.find(name).toys()))}" for name in kinds.names()),
    "ctgan:rows",
]
assert not set(USUAL) & set(CASES)
"""The usual GAN of every kind on its first toy, and one with running statistics of rows."""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    out = tmp_path_factory.mktemp("processes")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    cases = [f"{case}:40" for case in CASES]
    play(out, cases)
    script = [str(Path(__file__).parent / "two_processes.py"), str(out), *cases, *(f"{case}:10" for case in USUAL)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, *script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.mark.parametrize("case", [*CASES, *USUAL])
def test_two_processes_agree_with_each_other_bit_for_bit(played, case):
    stem = case.replace(":", "-")
    first, second = (load_file(played / f"{stem}-2-{rank}.safetensors") for rank in (0, 1))
    for key, tensor in first.items():
        assert torch.equal(tensor, second[key]), key
    assert (played / f"{stem}-2-0.json").read_text() == (played / f"{stem}-2-1.json").read_text()


@pytest.mark.parametrize("case", CASES)
def test_two_processes_agree_with_one_at_the_same_total_batch(played, case):
    stem = case.replace(":", "-")
    one, two = load_file(played / f"{stem}-1-0.safetensors"), load_file(played / f"{stem}-2-0.safetensors")
    for key, tensor in one.items():
        torch.testing.assert_close(two[key], tensor, rtol=1e-4, atol=1e-5, msg=lambda text: f"{key}: {text}")  # noqa: B023
    terms = [json.loads((played / f"{stem}-{n}-0.json").read_text()) for n in (1, 2)]
    assert terms[1] == pytest.approx(terms[0], rel=1e-4, abs=1e-5)


def test_a_gradient_in_one_process_only_is_refused_in_all(played):
    for rank in (0, 1):
        assert "1 of 2 got one in some processes only" in (played / f"odd-{rank}.txt").read_text()


@pytest.mark.parametrize(
    ("ended", "answer"),
    [
        (
            {0: -15, 1: -9},
            "process 1 of 2 was ended by SIGKILL, which is how a system ends what takes too much memory: continue from",
        ),
        ({0: 2, 1: -11}, "process 1 of 2 was ended by SIGSEGV: continue from what was last saved with --resume"),
        ({0: -15}, "process 0 of 2 was ended by SIGTERM: continue"),
        ({0: 2, 1: 2}, 2),
        ({0: -15, 1: 2}, 2),
        ({1: 1}, 1),
    ],
)
def test_a_process_that_was_killed_is_named(ended, answer, monkeypatch):
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

    failures = {rank: ProcessFailure(rank, 1000 + rank, status, "nowhere") for rank, status in ended.items()}

    def run(arguments):
        raise ChildFailedError("gansmith", failures)

    monkeypatch.setattr("torch.distributed.run.run", run)
    if isinstance(answer, int):
        assert distributed.launch(2, ["train"]) == answer
        return
    with pytest.raises(distributed.LostError, match=re.escape(answer)):
        distributed.launch(2, ["train"])
    assert main(["train", "ring", "--devices", "2"]) == 1


def test_a_process_that_lost_touch_with_another_says_how_to_go_on():
    says = r"lost touch with another one \(Connection closed by peer\): .* with --resume"
    with pytest.raises(UserError, match=says), distributed._together():
        raise RuntimeError("Connection closed by peer\nmore")
