"""Several processes: equal to each other bit for bit, and equal to one process with the same total batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gansmith import kinds

ROOT = Path(__file__).parents[2]
CASES = ["gan:points", "wgan:points", "wgan_gp:labelled", "dcgan:labelled", "r3gan:labelled", "sngan:labelled"]
USUAL = [
    *(f"{kinds.find(name).gan}:{next(iter(kinds.find(name).toys()))}" for name in kinds.names()),
    "ctgan:rows",
]
"""The usual GAN of every kind on its first toy, and one with running statistics of rows."""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    out = tmp_path_factory.mktemp("processes")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    script = [str(Path(__file__).parent / "two_processes.py"), str(out), *dict.fromkeys([*CASES, *USUAL])]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for command in ([sys.executable, *script], [*launcher, *script]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.mark.parametrize("case", dict.fromkeys([*CASES, *USUAL]))
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
