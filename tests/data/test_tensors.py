"""Tensor files carry their checksum: no bit changes unnoticed, and files of before have none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from gansmith.data.tensors import check_tensors, map_tensors, read_tensors, write_tensors
from gansmith.errors import UserError

TENSORS = {
    "x": torch.arange(300.0).view(3, 100),
    "half": torch.ones(5, dtype=torch.bfloat16),
    "empty": torch.zeros(0, 3),
    "i": torch.tensor(3),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_tensors(tmp_path / "x.safetensors", TENSORS, {"clock": {"samples": 5}, "text": 'a "sha256": "0" ü'})
    return tmp_path / "x.safetensors"


def test_what_is_written_is_read_and_mapped_and_other_programs_read_it_too(path: Path) -> None:
    tensors, facts = read_tensors(path)
    assert facts == {"clock": {"samples": 5}, "text": 'a "sha256": "0" ü'} == check_tensors(path)
    for found in (tensors, map_tensors(path)):
        assert found.keys() == TENSORS.keys()
        assert all(torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype for name, tensor in TENSORS.items())
    with safe_open(path, framework="pt") as file:
        assert torch.equal(file.get_tensor("x"), TENSORS["x"])


def test_a_flipped_bit_in_any_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    head = 8 + int.from_bytes(content[:8], "little")
    for place in [*range(head), *range(head, len(content), 29)]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="damaged"):
            check_tensors(path)


@pytest.mark.parametrize("kept", [0, 7, 8, 100, -1])
def test_a_file_cut_off_anywhere_or_followed_by_more_is_damaged(path: Path, kept: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:kept])
    with pytest.raises(UserError, match="damaged"):
        read_tensors(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(UserError, match="damaged"):
        read_tensors(path)


def test_zeros_behind_a_whole_header_are_noticed(path: Path) -> None:
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    path.write_bytes(content[:start] + bytes(len(content) - start))
    with pytest.raises(UserError, match="does not fit its checksum"):
        read_tensors(path)


def test_a_file_of_an_older_version_has_no_checksum_and_is_read(tmp_path: Path) -> None:
    save_file({"x": torch.ones(3)}, tmp_path / "old.safetensors", metadata={"gansmith": json.dumps({"samples": 7})})
    tensors, facts = read_tensors(tmp_path / "old.safetensors")
    assert facts == {"samples": 7} and torch.equal(tensors["x"], torch.ones(3))


FOREIGN = {
    "nothing": None,
    "a list": {"gansmith": "[1]"},
    "no facts": {"format": "pt"},
    "more": {"gansmith": "{}", "format": "pt"},
    "nested": {"gansmith": '{"a":' + "[" * 100_000},
}


@pytest.mark.parametrize("metadata", FOREIGN)
def test_other_metadata_is_refused_in_a_sentence(metadata: str, tmp_path: Path) -> None:
    save_file({"x": torch.ones(3)}, tmp_path / "other.safetensors", metadata=FOREIGN[metadata])
    with pytest.raises(UserError, match="damaged or was not written by gansmith"):
        read_tensors(tmp_path / "other.safetensors")


HEADERS = [b"[]", b"{}", b'{"__metadata__": []}', b'{"__metadata__": {"gansmith": 5}}', b"\xff" * 9, b"[" * 100_000]


@pytest.mark.parametrize("header", HEADERS)
def test_other_headers_are_refused_in_a_sentence(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(UserError, match="damaged or was not written by gansmith"):
        read_tensors(path)


def test_a_pipe_or_a_folder_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(UserError, match="it is a pipe|it is a device|a directory"):
            read_tensors(path)


def test_random_damage_of_a_large_file_is_noticed(tmp_path: Path) -> None:
    path, rng = tmp_path / "large.safetensors", np.random.default_rng(0)
    write_tensors(path, {"x": torch.zeros(3_000_000)}, {})  # more than one piece
    for place in rng.integers(0, path.stat().st_size, 10).tolist():
        with path.open("r+b") as file:
            file.seek(place)
            old = file.read(1)
            file.seek(place)
            file.write(bytes([old[0] ^ 1]))
        with pytest.raises(UserError, match="damaged"):
            read_tensors(path)
        with path.open("r+b") as file:
            file.seek(place)
            file.write(old)
    assert read_tensors(path)[1] == {}


def test_others_may_read_a_file_of_tensors_where_they_may_read_other_files(tmp_path):
    (tmp_path / "usual").touch()
    write_tensors(tmp_path / "t.safetensors", {"a": torch.zeros(2)}, {})
    assert (tmp_path / "t.safetensors").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_killed_writer_of_tensors_leaves_nothing_that_is_not_swept(tmp_path):
    """safetensors writes drafts of its own beside the file that it is given, under names without a process."""
    from gansmith.data.atomic import sweep

    code = f"""
import os, signal, sys
from pathlib import Path
import torch
from gansmith.data import tensors
def killed(given, path, metadata):
    Path(path).with_name(".tmpABCDEF").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
tensors.save_file = killed
tensors.write_tensors(Path({str(tmp_path / "a.safetensors")!r}), {{"a": torch.zeros(3)}}, {{}})
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert list(tmp_path.iterdir())
    sweep([tmp_path])
    assert not list(tmp_path.iterdir())
