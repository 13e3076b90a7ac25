"""Large folders that were opened before are not understood anew; every change of a file makes them new ones."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds.images import source as sources
from gansmith.kinds.images.readers import listing
from gansmith.kinds.opening import open_dataset

Make = Callable[..., Image.Image]


@pytest.fixture
def large(photos: Path, picture: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with splits, classes and a stray file that counts as large."""
    monkeypatch.setattr(listing, "FEW", 4)
    for number, split in enumerate(("train", "train", "test")):
        for kind in ("cat", "dog"):
            path = photos / split / kind / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(seed=number).save(path)
    (photos / "train" / "notes.txt").write_text("none")
    return photos


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were read in full."""
    read: list[Path] = []
    real = sources.from_folder

    def counting(folder: Path):
        read.append(folder)
        return real(folder)

    monkeypatch.setattr(sources, "from_folder", counting)
    return read


def test_the_second_time_a_large_folder_opens_without_being_read(large: Path, reads: list[Path]) -> None:
    first, second = open_dataset(large), open_dataset(large)
    assert len(reads) == 1
    assert second.fingerprint == first.fingerprint and second.facts == first.facts and second.codec == first.codec
    assert first.held_out is not None and second.held_out is not None
    assert len(second.held_out) == 2 and second.held_out.fingerprint == first.held_out.fingerprint
    np.testing.assert_array_equal(second.arrays["image"], first.arrays["image"])


def test_a_remembered_folder_can_still_be_decoded_in_another_size(large: Path, reads: list[Path]) -> None:
    open_dataset(large)
    smaller = open_dataset(large, resolution=8)
    assert smaller.codec.spec.shape == (3, 8, 8) and smaller.held_out is not None
    np.testing.assert_array_equal(smaller.arrays["image"], open_dataset(large, resolution=8).arrays["image"])


@pytest.mark.parametrize("change", ["touched", "rewritten", "renamed", "removed", "added", "moved"])
def test_a_changed_folder_is_read_anew(large: Path, picture: Make, reads: list[Path], change: str, tmp_path: Path) -> None:
    before, file, folder = open_dataset(large), large / "train/cat/0.png", large
    if change == "touched":
        os.utime(file, (1, 1))
    elif change == "rewritten":
        picture(seed=9).save(file)
    elif change == "renamed":
        file.rename(file.with_name("00.png"))
    elif change == "removed":
        file.unlink()
    elif change == "added":
        picture(seed=9).save(file.with_name("9.png"))
    else:
        folder = large.rename(tmp_path / "elsewhere")
    after = open_dataset(folder)
    assert len(reads) == 2
    assert (len(after), after.fingerprint == before.fingerprint) == {
        "touched": (4, True),
        "rewritten": (4, False),
        "renamed": (4, True),
        "removed": (3, False),
        "added": (5, False),
        "moved": (4, True),
    }[change]


def test_a_damaged_memory_is_forgotten(large: Path, reads: list[Path]) -> None:
    first = open_dataset(large)
    for path in (Path(os.environ["GANSMITH_CACHE"]) / "folders").glob("*.json"):
        path.write_text("{")
    assert open_dataset(large).fingerprint == first.fingerprint and len(reads) == 2


def test_unreadable_files_of_a_remembered_folder_are_still_named(large: Path) -> None:
    (large / "train/cat/bad.png").write_bytes(b"nothing")
    for _ in range(2):
        with pytest.raises(UserError, match=r"bad\.png \(not an image\)"):
            open_dataset(large)


def test_a_link_back_to_the_folder_ends(large: Path) -> None:
    (large / "train/cat/back").symlink_to(large, target_is_directory=True)
    assert len(open_dataset(large)) == 4
