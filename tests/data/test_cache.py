import dataclasses
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansmith.data import cache
from gansmith.data.cache import Writer, cache_folder, store, stored
from gansmith.data.fingerprint import fingerprint, fingerprint_of
from gansmith.errors import UserError
from gansmith.kinds.images import build as building
from gansmith.kinds.opening import open_dataset

ROWS = np.random.default_rng(0).integers(0, 256, (700, 3, 5, 4), np.uint8)


def fill(writer: Writer) -> dict[str, Any]:
    for start in range(0, 700, 300):
        writer.append({"image": ROWS[start : start + 300], "label": np.arange(start, min(start + 300, 700))})
    return {"fingerprint": fingerprint_of(writer.contents, "facts"), "count": writer.count}


def build(root: str) -> None:
    store(Path(root), "photos", "key", fill)


def entry_folder(root: Path) -> Path:
    return root / "datasets" / "photos-key"


def test_what_is_stored_is_read_back_from_a_memory_map(tmp_path: Path) -> None:
    build(str(tmp_path))
    entry = stored(tmp_path, "photos", "key")
    assert entry is not None and isinstance(entry.arrays["image"], np.memmap)
    np.testing.assert_array_equal(entry.arrays["image"], ROWS)
    np.testing.assert_array_equal(entry.arrays["label"], np.arange(700))
    assert entry.facts["count"] == 700
    assert entry.facts["fingerprint"] == fingerprint({"image": ROWS, "label": np.arange(700)}, "facts")
    assert stored(tmp_path, "photos", "other") is None
    np.testing.assert_array_equal(np.load(entry_folder(tmp_path) / "image.npy"), ROWS)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "facts", "missing"])
def test_a_damaged_entry_is_noticed_and_built_again(tmp_path: Path, damage: str) -> None:
    build(str(tmp_path))
    images, facts = entry_folder(tmp_path) / "image.npy", entry_folder(tmp_path) / "facts.json"
    content = bytearray(images.read_bytes())
    if damage == "truncated":
        images.write_bytes(content[:-1])
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
        images.write_bytes(content)
    elif damage == "facts":
        facts.write_text("{")
    else:
        images.unlink()
    assert stored(tmp_path, "photos", "key") is None
    build(str(tmp_path))
    entry = stored(tmp_path, "photos", "key")
    assert entry is not None
    np.testing.assert_array_equal(entry.arrays["image"], ROWS)
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["photos-key"]


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_flipped_bit_in_any_byte_is_noticed(tmp_path: Path) -> None:
    build(str(tmp_path))
    for path in (entry_folder(tmp_path) / name for name in ("image.npy", "label.npy", "facts.json")):
        size = path.stat().st_size
        for place in range(0, size, 1 + size // 100):
            flip(path, place)
            assert stored(tmp_path, "photos", "key") is None
            flip(path, place)
    assert stored(tmp_path, "photos", "key") is not None


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An entry too large to be read whole at every opening, checked a minute after it was written."""
    monkeypatch.setattr(cache, "BLOCK", 4096)
    monkeypatch.setattr(cache, "WHOLE", 10_000)
    build(str(tmp_path))
    for path in entry_folder(tmp_path).glob("*.npy"):
        os.utime(path, (path.stat().st_mtime - 60,) * 2)
    return entry_folder(tmp_path)


def test_a_large_entry_that_changed_is_read_whole(large: Path) -> None:
    for place in (200, -1):
        flip(large / "image.npy", place)
        assert all(stored(large.parent.parent, "photos", "key") is None for _ in range(5))
        flip(large / "image.npy", place)
    assert stored(large.parent.parent, "photos", "key") is not None


def test_of_a_large_entry_that_nobody_wrote_to_some_blocks_are_read_and_after_a_month_all(large: Path) -> None:
    root, path = large.parent.parent, large / "image.npy"
    then = path.stat().st_mtime
    flip(path, 200)
    os.utime(path, (then, then))  # as a disk changes bits
    found = [stored(root, "photos", "key") is None for _ in range(60)]
    assert any(found) and not all(found)
    month = cache.TRUSTED_FOR
    for each in large.iterdir():
        os.utime(each, (each.stat().st_mtime - month,) * 2)
    assert all(stored(root, "photos", "key") is None for _ in range(5))


def test_a_large_entry_that_is_whole_is_read_whole_once_a_month(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    hashed = cache._hash

    def counted(path: Path, number: int) -> str:
        read.append(number)
        return hashed(path, number)

    monkeypatch.setattr(cache, "_hash", counted)
    (large / "checked").unlink()
    assert stored(large.parent.parent, "photos", "key") is not None
    whole = len(read)
    assert stored(large.parent.parent, "photos", "key") is not None
    assert whole == sum(-(-path.stat().st_size // 4096) for path in large.glob("*.npy")) and len(read) == whole + cache.SAMPLED


def test_of_several_that_build_the_same_entry_at_once_one_wins_and_none_fails(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(build, [str(tmp_path)] * 8))
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["photos-key"]
    assert stored(tmp_path, "photos", "key") is not None


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(writer: Writer) -> dict[str, Any]:
        writer.append({"image": ROWS})
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        store(tmp_path, "photos", "key", fail)
    assert list((tmp_path / "datasets").iterdir()) == []


def test_what_a_killed_process_left_is_swept_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / "datasets" / "old.partial", tmp_path / "datasets" / "new.partial"
    old.mkdir(parents=True)
    new.mkdir()
    os.utime(old, (0, 0))
    build(str(tmp_path))
    assert not old.exists() and new.exists()


def test_a_cache_that_cannot_be_written_is_answered_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"the cache folder .*file cannot be written .*set GANSMITH_CACHE"):
        open_dataset("digits", cache=tmp_path / "file")


def test_a_full_disk_is_answered_likewise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot be written \(No space left on device\): set GANSMITH_CACHE"):
        build(str(tmp_path))
    assert list((tmp_path / "datasets").iterdir()) == []


def test_the_folder_follows_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder(tmp_path) == tmp_path
    monkeypatch.setenv("GANSMITH_CACHE", "/somewhere")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.delenv("GANSMITH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache_folder() == Path("/elsewhere/gansmith")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "gansmith"


def test_an_unchanged_source_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "a.npz", images=ROWS.transpose(0, 2, 3, 1)[..., :3])
    first = open_dataset(tmp_path / "a.npz", resolution=3)

    def never(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(building, "_fitted", never)
    second = open_dataset(tmp_path / "a.npz", resolution=3)
    assert second.fingerprint == first.fingerprint and second.codec == first.codec


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say how much of a map is in memory")
def test_memory_of_a_map_that_was_read_is_given_back_and_reads_the_same_again(tmp_path: Path) -> None:
    def shared() -> int:
        return int(Path("/proc/self/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE")

    rows = np.random.default_rng(0).integers(0, 256, (400, 3, 200, 200), np.uint8)  # 48 MB
    np.save(tmp_path / "image.npy", rows)
    data = dataclasses.replace(
        open_dataset(ROWS.transpose(0, 2, 3, 1)), arrays={"image": np.load(tmp_path / "image.npy", mmap_mode="r")}
    )
    before = shared()
    first = data.packed(slice(None))["image"].sum()
    held = shared() - before
    data.release()
    assert held > 40e6 and shared() - before < held / 10
    assert data.packed(slice(None))["image"].sum() == first == rows.sum()
