import csv
import gzip
from pathlib import Path

import pytest

from gansmith.data.readers import limits
from gansmith.data.readers.text import check_names, opened_lines, unpacked
from gansmith.errors import UserError


def rows(path: Path) -> list[list[str]]:
    with opened_lines(path) as lines:
        return list(csv.reader(lines, delimiter=lines.separator))


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\n1,2", "\ufeffa,b\n1,2\n", "a;b\n1;2\n", "a\tb\n1\t2\n"])
def test_rows_are_read_whatever_separates_lines_and_cells(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    with gzip.open(tmp_path / "a.csv.gz", "wt", encoding="utf-8", newline="") as file:
        file.write(text)
    assert rows(tmp_path / "a.csv") == rows(tmp_path / "a.csv.gz") == [["a", "b"], ["1", "2"]]


def test_an_empty_file_has_no_rows_and_quoted_line_breaks_stay(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert rows(tmp_path / "a.csv") == []
    (tmp_path / "a.csv").write_text('a,b\n"1\n2",3\n')
    assert rows(tmp_path / "a.csv") == [["a", "b"], ["1\n2", "3"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"a,b\n" + b"1,2\n" * 1000, mtime=0)[:-20], "cannot be read as CSV (Compressed file ended"),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 40, "cannot be read as CSV ("),
        (b"no gzip at all", "cannot be read as CSV (Not a gzipped file"),
        (gzip.compress(b"a,b\n1,\xe9\n", mtime=0), "is not UTF-8 (byte 0xe9 at place"),
        (gzip.compress(b"a,b\n1," + b"x" * 200_000, mtime=0), "cannot be read as CSV (field larger than field limit"),
        (gzip.compress(b'a,b\n1,"' + b"x\n" * 100_000, mtime=0), "cannot be read as CSV (field larger than field limit"),
    ],
)
def test_damaged_text_is_one_sentence(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(content)
    with pytest.raises(UserError) as refused:
        rows(tmp_path / "a.csv.gz")
    assert str(refused.value).startswith(f"{tmp_path}/a.csv.gz {said}")


def test_flipped_bits_in_packed_text_are_noticed(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(500))))
    packed[len(packed) // 2] ^= 16
    (tmp_path / "a.csv.gz").write_bytes(packed)
    with pytest.raises(UserError, match="cannot be read as CSV"):
        rows(tmp_path / "a.csv.gz")


def test_a_line_without_end_and_a_bomb_are_refused_while_they_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(tmp_path / "a.csv", "wb") as file:
        file.truncate(2**34)
    with pytest.raises(UserError, match="a line of .*a.csv has 16,777,217 characters, more than the limit of 16,777,216"):
        rows(tmp_path / "a.csv")
    monkeypatch.setattr("gansmith.data.readers.limits.SMALL", 10_000)
    with gzip.open(tmp_path / "a.csv.gz", "wb") as file:
        file.write(b"1,2\n" * 100_000)
    with pytest.raises(UserError, match=r"unpacks to \d\d\d times its size or more, above the limit of 200"):
        rows(tmp_path / "a.csv.gz")


def test_names_of_columns_are_checked_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    check_names([str(place) for place in range(100_000)], "a.csv")
    with pytest.raises(UserError, match='2 columns of a.csv are named "9": give each a name of its own'):
        check_names([*map(str, range(10)), "9"], "a.csv")
    with pytest.raises(UserError, match="column 2 of a.csv has no name"):
        check_names(["a", ""], "a.csv")
    monkeypatch.setattr(limits, "_raised", {"columns": 2})
    with pytest.raises(UserError, match="a.csv has 3 columns, more than the limit of 2"):
        check_names(["a", "b", "c"], "a.csv")


def test_a_packed_file_that_says_it_unpacks_to_far_more_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * 2**22))
    monkeypatch.setattr(gzip, "open", lambda *_, **__: pytest.fail("it is unpacked"))
    for read in (lambda: unpacked(path), lambda: opened_lines(path).__enter__()):
        with pytest.raises(UserError, match=r"unpacks to 1,0\d\d times its size"):
            read()


def test_a_packed_file_that_is_cut_off_is_called_damaged(tmp_path: Path) -> None:
    """Its last four bytes are no count of bytes then, but some that were packed."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * 1000)[:-9] + b"\xff\xff\xff\xff")
    with pytest.raises(UserError, match="a.csv.gz cannot be read as CSV"):
        rows(path)
    with pytest.raises(EOFError):
        unpacked(path)
