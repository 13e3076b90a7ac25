"""Files that commands write: over no other file, and whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.errors import UserError


def test_a_file_that_exists_is_replaced_only_on_request(tmp_path: Path) -> None:
    own, other = tmp_path / "a.png", tmp_path / "b.png"
    refuse_overwriting([own, other])
    own.write_text("own")
    with pytest.raises(UserError, match=r"a.png exists and would be overwritten: choose another --out, or give --overwrite"):
        refuse_overwriting([own, other])
    other.symlink_to(tmp_path / "absent")
    with pytest.raises(UserError, match=r"2 files exist \(.*a.png, .*b.png\) and would be overwritten"):
        refuse_overwriting([own, other])
    refuse_overwriting([own, other], overwrite=True)


def test_what_the_command_reads_is_never_replaced_whatever_its_name(tmp_path: Path) -> None:
    given = tmp_path / "a.png"
    given.write_text("own")
    (tmp_path / "link.png").symlink_to(given)
    os.link(given, tmp_path / "hard.png")
    (tmp_path / "sub").mkdir()
    for made in (given, tmp_path / "sub/../a.png", tmp_path / "link.png", tmp_path / "hard.png"):
        with pytest.raises(UserError, match=r"a.png is read by this command and would be overwritten: choose another --json"):
            refuse_overwriting([made], [None, given], overwrite=True, option="--json")


def test_folders_and_pipes_and_two_results_of_one_name_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UserError, match=r"is a folder, but a file"):
        refuse_overwriting([tmp_path], overwrite=True)
    with pytest.raises(UserError, match=r"pipe.png is a device or a pipe, but a file"):
        refuse_overwriting([tmp_path / "pipe.png"], overwrite=True)
    with pytest.raises(UserError, match=r"a.png would be written twice"):
        refuse_overwriting([tmp_path / "a.png", tmp_path / "sub/../a.png"], overwrite=True)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("before")
    with suppress(ZeroDivisionError), whole(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "before"
    with whole(tmp_path / "a.txt") as part:
        part.write_text("after")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "after"


@pytest.mark.skipif(os.name != "posix", reason="sizes of files are limited")
def test_a_disk_without_room_is_a_sentence_though_numpy_does_not_say_why(tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with (
            pytest.raises(UserError, match=r"made.npy could not be written \(.*\): make room"),
            whole(tmp_path / "made.npy") as part,
        ):
            np.save(part, np.zeros(1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
