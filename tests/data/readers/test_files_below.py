"""Folders are searched within limits, whatever the kind of data: never a whole disk, never in circles, never without end."""

import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gansmith.cli import main
from gansmith.data.readers import limits
from gansmith.data.readers.files import files_below
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.opening import inspect_dataset, open_dataset
from tests.data.mutations import encoded

FOLDERS = ("images", "pairs", "domains", "text", "audio", "video", "molecules", "music")
"""Kinds that look through folders."""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_raised", {"searched": 50, "files": 100})


def refusal(folder: Path | str, kind: str | None = None) -> str:
    with pytest.raises(UserError) as refused:
        open_dataset(folder, kind=kind)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def filled(folder: Path, count: int, suffix: str) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}{suffix}").touch()
    return folder


@pytest.mark.parametrize("kind", [None, *FOLDERS, "tables", "series", "points"])
def test_a_whole_disk_and_folders_of_the_system_are_refused_before_they_are_searched(kind: str | None) -> None:
    began = time.process_time()
    assert refusal("/", kind) == "/ is a whole disk: name the folder that holds the data."
    for folder in ("/proc", "/sys", "/dev", "/proc/self"):
        assert refusal(folder, kind) == f"{folder} belongs to the system and holds no data: name the folder that does."
    assert time.process_time() - began < 1


def test_commands_refuse_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "disk").symlink_to("/")
    for argv in (["inspect", "/"], ["train", "/", "--dry-run"], ["evaluate", "--real", "/", "--fake", "/"]):
        assert main(argv) == 2
        assert capsys.readouterr().err == "gansmith: / is a whole disk: name the folder that holds the data.\n"
    assert main(["inspect", str(tmp_path / "disk")]) == 2
    assert "is a whole disk" in capsys.readouterr().err


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_search_without_result_ends(kind: str, few: None, tmp_path: Path) -> None:
    assert "holds nothing to read among the first 51 files and folders in it" in refusal(filled(tmp_path / "a", 51, ".x"), kind)
    assert "set GANSMITH_LIMITS=searched=500 to search on" in refusal(tmp_path / "a", kind)


@pytest.mark.parametrize(("kind", "suffix"), [("images", ".png"), ("text", ".txt"), ("audio", ".wav"), ("music", ".mid")])
def test_folders_of_too_many_files_are_refused(kind: str, suffix: str, few: None, tmp_path: Path) -> None:
    said = refusal(filled(tmp_path / "a", 101, suffix), kind)
    assert "files or more, more than the limit of 100" in said and "GANSMITH_LIMITS=files=101" in said


def test_the_shared_memory_is_a_folder_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("no shared memory")
    place = Path(f"/dev/shm/gansmith-{os.getpid()}")
    place.mkdir()
    try:
        (place / "a.txt").touch()
        assert files_below(place, lambda _: True) == [place / "a.txt"]
    finally:
        (place / "a.txt").unlink()
        place.rmdir()


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    folder = filled(tmp_path / "a", 3, ".png")
    for name in ("one", "two", "three"):
        (folder / name).symlink_to(folder)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.png").touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.png").touch()
    (folder / "other").symlink_to(tmp_path / "b")
    own = {folder / f"{number}.png" for number in range(3)}
    assert set(files_below(folder, lambda _: True)) == own
    assert set(files_below(folder, lambda _: True, links=True)) == {*own, folder / "other" / "c.png"}
    empty = tmp_path / "empty"
    empty.mkdir()
    for name in ("one", "two"):
        (empty / name).symlink_to(empty)
    assert Source(empty).names == ()


def test_packed_data_of_every_kind_are_unpacked_within_limits(tmp_path: Path) -> None:
    zeros = bytes(2**24)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("0.gif", "1.wav", "2.mid", "3.png", "labels.csv"):
            file.writestr(name, zeros)
    for kind in ("audio", "video", "music", "images"):
        assert "unpacks to 1,0" in refusal(tmp_path / "a.zip", kind), kind
    np.savez_compressed(tmp_path / "w.npz", wave=np.zeros((40, 2**18), np.int16), rate=8000)
    assert "unpacks to" in refusal(tmp_path / "w.npz", "audio")
    np.savez_compressed(tmp_path / "v.npz", video=np.zeros((40, 8, 128, 128, 3), np.uint8))
    assert "unpacks to" in refusal(tmp_path / "v.npz", "video")
    import gzip

    (tmp_path / "a.sdf.gz").write_bytes(gzip.compress(zeros))
    (tmp_path / "a.smi.gz").write_bytes(gzip.compress(b"C\n" * 2**23))
    for name in ("a.sdf.gz", "a.smi.gz"):
        assert "unpacks to" in refusal(tmp_path / name, "molecules")


PIPED = {
    "audio": ["a.wav"],
    "molecules": ["a.smi", "a.sdf"],
    "music": ["a.mid"],
    "text": ["a.txt"],
    "video": ["a.gif", "a.mp4"],
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in PIPED.items() for name in names])
def test_pipes_and_devices_among_the_files_of_a_folder_are_refused(kind: str, name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    (tmp_path / f"b{name}").symlink_to("/dev/zero")
    assert "it is a pipe, not a file" in refusal(tmp_path, kind) or "it is a device" in refusal(tmp_path, kind)


def test_pictures_of_a_film_are_held_against_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        (tmp_path / f"{number}.png").write_bytes(encoded("PNG"))
    monkeypatch.setattr(limits, "_raised", {"pixels": 63})
    assert "64 pixels, more than the limit of 63" in refusal(tmp_path, "video")
    monkeypatch.setattr(limits, "_raised", {})
    (tmp_path / "9.png").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "9.png")
    assert "it is a pipe" in refusal(tmp_path, "video")


@pytest.mark.parametrize("name", ["damaged.sdf.gz", "damaged.smi.gz"])
def test_damaged_packing_is_a_sentence(name: str, tmp_path: Path) -> None:
    import gzip

    packed = gzip.compress(b"CCO\n" * 200)
    for content in (packed[:-9], packed[:20] + b"\xff" * 20, b"\x1f\x8b", b""):
        (tmp_path / name).write_bytes(content)
        for read in (open_dataset, inspect_dataset):
            with pytest.raises(UserError, match="damaged"):
                read(tmp_path / name, kind="molecules")
