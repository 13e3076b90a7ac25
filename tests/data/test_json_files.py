"""JSON and lines of JSON that carry their checksums."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansmith.data.json_files import read_sealed, record_in, sealed_json, sealed_line
from gansmith.errors import UserError

RECORDS = st.dictionaries(st.text(), st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers()))


@given(RECORDS)
def test_a_line_is_json_and_comes_back(record: dict[str, object]) -> None:
    record.pop("crc32", None)
    line = sealed_line(record)
    assert line.endswith("\n") and "\n" not in line[:-1]
    assert record_in(line) == record_in(line[:-1]) == record
    whole = json.loads(line)
    assert len(whole.pop("crc32")) == 8 and whole == record


def test_no_flipped_bit_of_a_line_changes_its_record() -> None:
    record = {"samples": 500, "terms": {"critic/loss": 0.25}, "health": [], "crc": "crc32"}
    line = sealed_line(record).encode()
    noticed = 0
    for place in range(8 * (len(line) - 1)):
        changed = bytearray(line)
        changed[place // 8] ^= 1 << place % 8
        found = record_in(changed.decode(errors="replace"))
        noticed += found is None
        if found is not None:  # what was hit is the name of the checksum
            assert record.items() <= found.items()
    assert noticed > 0.9 * 8 * len(line)


@pytest.mark.parametrize("line", ["", "[]", '{"a": 1', '{"crc32": "00000000"}', '{"a": 1, "crc32": 5}', "[" * 100_000])
def test_what_is_no_record_is_none(line: str) -> None:
    assert record_in(line) is None


def test_lines_of_older_versions_carry_no_checksum() -> None:
    assert record_in('{"a": 1}') == {"a": 1}


def test_a_file_that_changed_is_refused_unless_its_checksum_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(sealed_json({"seed": 1}))
    assert read_sealed(path) == ({"seed": 1}, True)
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(UserError, match=r"run.json has changed since it was written: .* remove its line 'sha256'"):
        read_sealed(path)
    path.write_text('{"seed": 2}')
    assert read_sealed(path) == ({"seed": 2}, False)
