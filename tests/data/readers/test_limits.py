import os
from pathlib import Path

import pytest

from gansmith.data.readers import limits
from gansmith.data.readers.files import Unreadable, check_ends, read_whole, refuse_endless
from gansmith.data.readers.json_text import parsed, read_json
from gansmith.data.readers.limits import check, check_ratio, current, limits_in, raise_limits
from gansmith.errors import LONGEST, UserError


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that the test may raise."""
    monkeypatch.setattr(limits, "_raised", {})


def test_a_limit_is_raised_by_the_environment_and_by_python(ours: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError) as refused:
        check("json_depth", 101, "a.json", "levels")
    assert str(refused.value) == (
        "a.json has 101 levels, more than the limit of 100: give something smaller, or set GANSMITH_LIMITS=json_depth=101 to read it "
        "all the same."
    )
    monkeypatch.setenv("GANSMITH_LIMITS", "json_depth=101, pixels=4e8")
    check("json_depth", 101, "a.json", "levels")
    assert current().pixels == 400_000_000
    raise_limits(pixels=5)
    assert current().pixels == 5 and current().json_depth == 101


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pixel=3", "there is no limit 'pixel' (did you mean \"pixels\"?)"),
        ("pixels", "limits are written NAME=NUMBER"),
        ("pixels=many", "the limit pixels takes a whole number, such as 4e8, not 'many'"),
        ("pixels=inf", "the limit pixels takes a whole number"),
        ("pixels=nan", "the limit pixels takes a whole number"),
        ("pixels=0", "the limit pixels must be at least 1"),
        ("pixels=-4", "the limit pixels must be at least 1"),
    ],
)
def test_a_limit_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        limits_in(text)
    assert said in str(refused.value)


def test_only_what_is_large_and_packed_too_tightly_is_a_bomb() -> None:
    check_ratio(2**23, 1, "a")
    check_ratio(200 * 2**20, 2**20, "a")
    with pytest.raises(UserError, match=r"a unpacks to 201 times its size or more, above the limit of 200"):
        check_ratio(201 * 2**20, 2**20, "a")


@pytest.mark.parametrize("kind", ["a device", "a pipe", "a socket"])
def test_what_may_never_end_is_refused_before_it_is_read(kind: str, tmp_path: Path) -> None:
    path = Path("/dev/zero")
    if kind == "a pipe":
        os.mkfifo(path := tmp_path / "pipe")
    if kind == "a socket":
        import socket

        path = tmp_path / "socket"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.path.relpath(path))  # the names of sockets are short
    with pytest.raises(Unreadable, match=f"it is {kind}, not a file"):
        check_ends(path)
    with pytest.raises(UserError, match=f"cannot be read \\(it is {kind}, not a file\\): copy what it holds to a file"):
        refuse_endless(path)
    with pytest.raises(Unreadable):
        read_json(path)


def test_a_whole_file_is_read_up_to_its_limit(ours: None, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_whole(tmp_path / "a", "label_bytes") == b"12345"
    raise_limits(label_bytes=4)
    with pytest.raises(UserError, match="a has 5 bytes, more than the limit of 4"):
        read_whole(tmp_path / "a", "label_bytes")


def test_json_is_no_deeper_and_no_larger_than_its_limits(ours: None) -> None:
    assert parsed('{"a": [1, {"b": []}]}', "x") == {"a": [1, {"b": []}]}
    parsed("[" * 100 + "]" * 100, "x")
    with pytest.raises(UserError, match="x has 101 levels of lists and objects, more than the limit of 100"):
        parsed("[" * 101 + "]" * 101, "x")
    with pytest.raises(ValueError, match="it is nested too deep"):
        parsed('{"a":' * 100_000 + "1" + "}" * 100_000, "x")
    raise_limits(json_bytes=3)
    with pytest.raises(UserError, match="x has 4 bytes"):
        parsed("1234", "x")


def test_a_message_that_repeats_a_name_of_megabytes_loses_its_middle() -> None:
    said = str(UserError(f"the column {'a' * 10**6} is not there: name another."))
    assert len(said) < LONGEST + 10 and said.startswith("the column aaa") and said.endswith("is not there: name another.")
    assert str(UserError("short.")) == "short."
