"""Checkpoints: atomic, pruned, and readable after damage."""

import errno
import os

import pytest
import torch

from gansmith.data import atomic
from gansmith.data.atomic import write_atomically
from gansmith.data.tensors import read_tensors
from gansmith.errors import UserError
from gansmith.training.checkpoint import checkpoints, load_newest, save_checkpoint


def save(folder, samples):
    return save_checkpoint(folder, samples, {"x": torch.full((1000,), float(samples)), "i": torch.tensor(3)}, {"clock": samples})


def test_what_is_saved_is_read(tmp_path):
    path = save(tmp_path, 5)
    tensors, facts = read_tensors(path)
    assert facts == {"clock": 5} and torch.equal(tensors["x"], torch.full((1000,), 5.0)) and tensors["i"].item() == 3


def test_the_newest_two_stay(tmp_path):
    for samples in (1, 20, 300):
        save(tmp_path, samples)
    assert [path.stem for path in checkpoints(tmp_path)] == ["000000000020", "000000000300"]


@pytest.mark.parametrize("kept", [0, 5, 100, 2000])
def test_a_truncated_checkpoint_is_named_and_the_one_before_is_used(tmp_path, kept):
    save(tmp_path, 1)
    newest = save(tmp_path, 2)
    newest.write_bytes(newest.read_bytes()[:kept])
    said = []
    state = load_newest(tmp_path, said.append)
    assert state is not None and state[1]["clock"] == 1
    assert len(said) == 1 and str(newest) in said[0]
    assert load_newest(tmp_path, said.append)[1]["clock"] == 1 and len(said) == 1


def test_no_checkpoint_is_none(tmp_path):
    assert load_newest(tmp_path, print) is None


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(UserError, match="No space left.*--resume auto"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_foreign_safetensors_file_is_refused_in_a_sentence(tmp_path):
    from safetensors.torch import save_file

    save_file({"x": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="not written by gansmith"):
        read_tensors(tmp_path / "other.safetensors")
