"""Where weight files are found."""

import hashlib
from pathlib import Path

import pytest

from gansmith.data.readers import downloads
from gansmith.errors import UserError
from gansmith.networks.pretrained.weights import find_weights, weights_at_hand

CONTENT = b"the weights of a network"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
VARIABLE = "GANSMITH_EXAMPLE"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(downloads, "_SCHEMES", ("https://", "file://"))  # files stand for servers


def source(folder: Path, content: bytes = CONTENT) -> str:
    """An address that answers with this content."""
    (folder / "source").mkdir(exist_ok=True)
    path = folder / "source" / hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    return path.as_uri()


def find(*urls: str, path: Path | str | None = None, sha256: str = SHA256, option: str | None = None) -> Path:
    return find_weights("Example", path=path, variable=VARIABLE, urls=urls, sha256=sha256, file="example.pth", option=option)


def at_hand() -> Path | None:
    return weights_at_hand("Example", variable=VARIABLE, sha256=SHA256, file="example.pth")


def test_a_given_path_comes_first_then_the_variable_and_neither_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("given", "named"):
        (tmp_path / name).write_bytes(b"weights of my own")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named"))
    assert find(source(tmp_path), path=tmp_path / "given") == tmp_path / "given"
    assert find(source(tmp_path)) == at_hand() == tmp_path / "named"


def test_without_either_the_file_is_fetched_once_and_kept_in_the_cache(tmp_path: Path) -> None:
    assert at_hand() is None
    found = find(source(tmp_path))
    assert found == tmp_path / "cache" / "weights" / "example.pth"
    assert found.read_bytes() == CONTENT
    assert find("file:///nowhere") == at_hand() == found


def test_a_file_that_torch_keeps_is_taken_if_it_is_the_right_one(tmp_path: Path) -> None:
    kept = tmp_path / "torch" / "hub" / "checkpoints" / "example.pth"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"something else of this name")
    assert at_hand() is None
    kept.write_bytes(CONTENT)
    assert find("file:///nowhere") == kept


def test_a_mirror_that_fails_or_answers_with_something_else_is_passed_over(tmp_path: Path) -> None:
    found = find("file:///nowhere", source(tmp_path, b"a page that says log in"), source(tmp_path))
    assert found.read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_replaced(tmp_path: Path) -> None:
    found = find(source(tmp_path))
    found.write_bytes(CONTENT[:5])
    assert find(source(tmp_path)).read_bytes() == CONTENT


def test_a_wrong_checksum_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="wrong checksum"):
        find(source(tmp_path, b"a page that says log in"))
    assert list((tmp_path / "cache" / "weights").iterdir()) == []


def test_offline_one_sentence_says_how_to_provide_the_file(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        find("file:///nowhere/example.pth", option="--example")
    for part in ("example.pth", VARIABLE, "--example", str(tmp_path / "cache" / "weights"), "file:///nowhere/example.pth"):
        assert part in str(told.value)
    assert "\n" not in str(told.value)


def test_a_named_file_that_is_missing_is_told_with_who_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="the given path should name"):
        find(source(tmp_path), path=tmp_path / "none.pth")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(UserError, match=f"the variable {VARIABLE} should name"):
        find(source(tmp_path))
