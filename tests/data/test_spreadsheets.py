"""CSV that no spreadsheet computes, where that was asked for: every file of it that the program writes."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gansmith
from gansmith.data.spreadsheets import Writer, cell, spreadsheet_safe
from gansmith.kinds.opening import open_dataset

ROOT = Path(gansmith.__file__).parent
FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "\r=1",
    "\n=1",
    "\uff1d1+1",
    "-2+3+cmd|' /C calc'!A0",
    '=HYPERLINK("http://x")',
    "+49 30 1",
    "-inf",
    "-",
]
PLAIN = ["-5", "+5", "-1.5e-3", "-.5", "5", "a=b", "", "2024-01-01", "'=1", "small", "10 - 20"]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_an_apostrophe_only_where_that_was_asked_for(text: str) -> None:
    assert cell(text) == text
    with spreadsheet_safe():
        assert cell(text) == f"'{text}"
        with spreadsheet_safe(False):
            assert cell(text) == text
    assert cell(text) == text


@pytest.mark.parametrize("value", [*PLAIN, -5, -1.5, None, True])
def test_numbers_and_other_text_stay(value: object) -> None:
    with spreadsheet_safe():
        assert cell(value) == value


def test_every_csv_is_written_with_these_cells() -> None:
    writers = re.compile(r"csv\.(writer|DictWriter)|\.to_csv\(|savetxt\(")
    found = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if writers.search(path.read_text(encoding="utf-8"))}
    # The first is the writer; the second joins names in an option; numbers alone are written by the third.
    assert found == {"data/spreadsheets.py", "data/options.py", "kinds/points/codec.py"}


def risky(path: Path) -> list[str]:
    return [text for row in csv.reader(io.StringIO(path.read_text(), newline="")) for text in row if text.startswith("=")]


def saved(data: object, folder: Path, cache: Path, **options: object) -> list[Path]:
    opened = open_dataset(data, cache=cache, **options)
    codec = opened.codec
    raws = codec.decode(opened.batch(slice(0, 6)))
    codec.save(raws, folder)
    if ".csv" in codec.suffixes:
        codec.write(raws, folder / "one.csv")
    return sorted(folder.rglob("*.csv"))


def sources(folder: Path) -> dict[str, dict[str, object]]:
    """Data whose names and cells are formulas, by their kind."""
    days = "".join(f"2024-01-{day:02},{'=a' if day % 2 else '=b'},{day % 5}\n" for day in range(1, 29))
    (folder / "rows.csv").write_text(f"day,=word,=number\n{days}")
    (folder / "points.csv").write_text("=x,y\n" + "".join(f"{i % 7},{i % 5}.5\n" for i in range(20)))
    (folder / "series.csv").write_text("day,=price\n" + "".join(f"2024-01-{day:02},{100 + day % 7}\n" for day in range(1, 29)))
    (folder / "lines.txt").write_text("=one two\n=two one\n" * 10)
    for label in ("=a", "=b"):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(4):
            pixels = np.random.default_rng(number).integers(0, 255, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{number}.png")
    return {
        "tables": {"data": folder / "rows.csv", "kind": "tables"},
        "points": {"data": folder / "points.csv", "kind": "points"},
        "series": {"data": folder / "series.csv", "kind": "series", "window": 6},
        "text": {"data": folder / "lines.txt", "kind": "text"},
        "images": {"data": folder / "photos"},
    }


@pytest.mark.parametrize("kind", ["tables", "points", "series", "text", "images"])
def test_every_kind_writes_them(kind: str, tmp_path: Path, cache: Path) -> None:
    source = sources(tmp_path)[kind]
    (tmp_path / "as-it-was").mkdir()
    (tmp_path / "safe").mkdir()
    plain = saved(**source, folder=tmp_path / "as-it-was", cache=cache)
    with spreadsheet_safe():
        safe = saved(**source, folder=tmp_path / "safe", cache=cache)
    assert any(map(risky, plain)), "the data come back as they were"
    assert [path.name for path in safe] == [path.name for path in plain] and not any(map(risky, safe))
    assert any("'=" in path.read_text() for path in safe)


def test_rows_are_written_as_csv_does_it() -> None:
    ours, theirs = io.StringIO(newline=""), io.StringIO(newline="")
    rows = [["a", 1, -2.5, None], ['say "so"', "a,b", "x\ny", "=1"]]
    Writer(ours).writerows(rows)
    csv.writer(theirs).writerows(rows)
    assert ours.getvalue() == theirs.getvalue()
