"""What strangers hand over as data, each answered in a sentence or read with the right values."""

import gzip
import json
import os
import zipfile
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest
import torch

from gansmith.data.readers import limits
from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.tables.frames import frame_from_columns
from tests.data.mutations import PIXELS, encoded
from tests.data.readers.test_rows import encrypted, of_unknown_method

PNG = encoded("PNG")


def refusal(data: Any, **options: Any) -> str:
    with pytest.raises(UserError) as refused:
        open_dataset(data, **options)
    return str(refused.value)


def archive(path: Path, **files: bytes | str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name.replace("__", "."), content)
    return path


# ---- archives -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spoil", "why"), [(encrypted, "it is encrypted"), (of_unknown_method, "it is packed by a method")])
def test_pictures_and_tables_in_archives_that_cannot_be_unpacked_say_why(spoil, why: str, tmp_path: Path) -> None:
    assert f"1 of the files of a cannot be read: a.png ({why}" in refusal(spoil(archive(tmp_path / "a.zip", a__png=PNG)))
    said = refusal(spoil(archive(tmp_path / "b.zip", a__png=PNG, labels__csv="file_name,label\na.png,x\n")))
    assert said.startswith(f"the table labels.csv in {tmp_path}/b.zip cannot be read ({why}")
    np.savez(tmp_path / "s.npz", series=np.zeros((3, 8, 2)))
    assert f'"series" in {tmp_path}/s.npz cannot be read ({why}' in refusal(spoil(tmp_path / "s.npz"))


def test_names_that_windows_wrote_are_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("cats\\a.png", PNG)
        file.writestr("dogs\\a.png", PNG)
        file.writestr("./dogs/b.png", PNG)
    assert open_dataset(tmp_path / "a.zip").codec.spec.classes == ("cats", "dogs")


def test_bombs_are_refused_by_every_reader_of_archives(tmp_path: Path) -> None:
    zeros = bytes(2**24)
    assert "a.png unpacks to 1,0" in refusal(archive(tmp_path / "a.zip", a__png=zeros))
    assert "labels.csv unpacks to 1,0" in refusal(archive(tmp_path / "b.zip", a__png=PNG, labels__csv=zeros))
    np.savez_compressed(tmp_path / "c.npz", images=PIXELS, labels=np.zeros(2**24, np.uint8))
    assert "labels.npy unpacks to" in refusal(tmp_path / "c.npz")
    np.savez_compressed(tmp_path / "d.npz", series=np.zeros((2**22, 1)))
    assert "series.npy unpacks to" in refusal(tmp_path / "d.npz")


# ---- devices and pipes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, "images", "tables", "points", "series", "pairs"])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "npy", "npz", "zip", "png", "parquet"])
def test_devices_and_pipes_are_refused_by_every_reader(suffix: str, kind: str | None, tmp_path: Path) -> None:
    (tmp_path / f"zero.{suffix}").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / f"pipe.{suffix}")
    assert "cannot be read (it is a device, not a file)" in refusal(tmp_path / f"zero.{suffix}", kind=kind)
    assert "cannot be read (it is a pipe, not a file)" in refusal(tmp_path / f"pipe.{suffix}", kind=kind)


def test_devices_and_pipes_in_folders_are_unreadable_files(photos: Path) -> None:
    (photos / "a.png").write_bytes(PNG)
    os.mkfifo(photos / "b.png")
    (photos / "c.jpg").symlink_to("/dev/zero")
    assert "2 of the files of photos cannot be read: b.png (it is a pipe, not a file), c.jpg (it is a device" in refusal(photos)
    assert len(open_dataset(photos, skip_unreadable=True)) == 1
    (photos / "labels.csv").symlink_to("/dev/zero")
    assert "labels.csv cannot be read (it is a device" in refusal(photos)


def test_a_schema_is_read_from_a_file_within_limits(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("age,name\n1,x\n2,y\n3,x\n")
    assert "cannot be read as a schema (it is a device" in refusal(tmp_path / "t.csv", schema="/dev/zero")
    (tmp_path / "s.json").write_text("[" * 100_000 + "]" * 100_000)
    assert "cannot be read as a schema (it is nested too deep)" in refusal(tmp_path / "t.csv", schema=tmp_path / "s.json")
    for kind in (5, ["ordinal"], None, {"a": 1}):
        (tmp_path / "s.json").write_text(json.dumps({"age": kind}))
        assert f'the schema says "age" is {kind!r}' in refusal(tmp_path / "t.csv", schema=tmp_path / "s.json")


# ---- pictures -------------------------------------------------------------------------------------------------------------------


def test_pictures_of_too_many_pixels_are_refused_and_the_limit_can_be_raised(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_raised", {"pixels": 63})
    (photos / "a.png").write_bytes(PNG)
    assert "a.png (a picture of 8 x 8 has 64 pixels, more than the limit of 63" in refusal(photos)
    np.save(photos / "a.npy", PIXELS[0])
    (photos / "a.png").unlink()
    assert "a.npy (a picture of 8 x 8 has 64 pixels" in refusal(photos)
    limits.raise_limits(pixels=64)
    assert len(open_dataset(photos)) == 1


def test_a_header_that_promises_billions_of_pixels_is_refused(photos: Path) -> None:
    (photos / "a.ppm").write_bytes(b"P6 60000 60000 255\n" + bytes(100))
    assert "a.ppm (has far more than the limit of 89,000,000 pixels" in refusal(photos)


@pytest.mark.parametrize("resolution", [100_000, "100000x100000", "9" * 30, (10**6, 10**6)])
def test_a_resolution_beyond_the_limit_is_refused_before_anything_is_read(resolution: Any) -> None:
    assert "resolution" in refusal(PIXELS, resolution=resolution)


def test_pictures_that_would_not_fit_on_the_disk_are_refused(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (photos / "a.png").write_bytes(PNG)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=40 * 40 * 3 - 1))
    said = refusal(photos, resolution=40)
    assert said.startswith("1 image of 3x40x40 needs 0.0 GB in the cache folder") and "GANSMITH_CACHE" in said
    open_dataset(photos, resolution=39)


# ---- Parquet --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        "no json",
        "[1]",
        "5",
        "null",
        '{"info": 5}',
        '{"info": {"features": [1]}}',
        '{"info": {"features": {"label": 5}}}',
        '{"info": {"features": {"label": {"names": 5}}}}',
        '{"info": {"features": {"label": {"names": "ab"}}}}',
        '{"info": {"features": {"label": {"names": [1, 2]}}}}',
        '{"info": {"features": {"label": {"names": [["x"], "y"]}}}}',
        '{"info": {"features": {"label": {"names": ["x", "x"]}}}}',
        "[" * 100_000,
    ],
)
def test_strange_metadata_of_the_hub_are_no_class_names(told: str, tmp_path: Path) -> None:
    table = pyarrow.table({"image": [PNG] * 3, "label": [0, 1, 0]}).replace_schema_metadata({"huggingface": told})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    dataset = open_dataset(tmp_path / "a.parquet")
    assert dataset.codec.spec.classes == ("0", "1") and dataset.arrays["label"].tolist() == [0, 1, 0]


def test_parquet_files_of_more_cells_or_other_columns_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2, 3], "b": [1, 2, 3]}), tmp_path / "1.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2, 3], "c": [1, 2, 3]}), tmp_path / "2.parquet")
    assert "2.parquet lacks the columns b of 1.parquet" in refusal(tmp_path)
    monkeypatch.setattr(limits, "_raised", {"cells": 5})
    assert "1.parquet has 6 cells, more than the limit of 5" in refusal(tmp_path / "1.parquet")
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n3,x\n")
    assert "t.csv has 6 cells, more than the limit of 5" in refusal(tmp_path / "t.csv", kind="tables")


def test_nested_columns_of_parquet_are_refused_by_name(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2], "b": [[1], [2]]}), tmp_path / "a.parquet")
    assert refusal(tmp_path / "a.parquet") == (
        f'the column "b" of {tmp_path}/a.parquet holds a list, where a cell is a number, text, true or false, or a date: make text of it '
        "or leave the column out."
    )


# ---- data frames ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ([[1], [2]], "list"),
        ([{"a": 1}, {"a": 2}], "dict"),
        ([{1}, {2}], "set"),
        ([(1, 2), (3, 4)], "tuple"),
        ([1j, 2j], "complex"),
        ([object(), object()], "object"),
        (pandas.IntervalIndex.from_breaks([0, 1, 2]), "Interval"),
        (pandas.Categorical(pandas.IntervalIndex.from_breaks([0, 1, 2])), "Interval"),
        (pandas.period_range("2024-01", "2024-02", freq="M"), "Period"),
        ([pandas.Timestamp("2024-01-01 12:30").time()] * 2, "time"),
        ([np.zeros(5), np.zeros(5)], "ndarray"),
        ([10**5000, 2], "int"),
    ],
)
def test_cells_that_are_no_single_value_are_refused_by_name(cells: Any, what: str) -> None:
    frame = pandas.DataFrame({"a": [1, 2], "strange": pandas.Series(cells)})
    assert f'the column "strange" of the data frame holds a {what}, where a cell is' in refusal(frame)


def test_bytes_that_are_no_pictures_are_unreadable_pictures() -> None:
    frame = pandas.DataFrame({"file": [PNG, b"x"], "b": [1, 2]})
    assert "1 of the files of data cannot be read: images[1] (not an image)" in refusal(frame)
    assert len(open_dataset(frame, skip_unreadable=True)) == 1


def test_names_of_columns_are_text_and_double_ones_are_refused() -> None:
    twice = pandas.DataFrame([[1, "x"], [2, "y"], [3, "x"]])
    assert [column.name for column in open_dataset(twice).codec.columns] == ["0", "1"]
    nested = twice.set_axis(pandas.MultiIndex.from_tuples([("a", "x"), ("a", "y")]), axis=1)
    assert [column.name for column in open_dataset(nested).codec.columns] == ["('a', 'x')", "('a', 'y')"]
    assert '2 columns of the data frame are named "a"' in refusal(twice.set_axis(["a", "a"], axis=1))
    assert '2 columns of the data frame are named "1"' in refusal(twice.set_axis([1, "1"], axis=1))
    assert "the data frame has no columns" in refusal(pandas.DataFrame(index=[1, 2]))
    table = pyarrow.Table.from_arrays([pyarrow.array([1, 2])] * 2, names=["a", "a"])
    assert '2 columns of the data frame are named "a"' in refusal(table)


def test_decimals_are_numbers_and_dates_among_texts_are_refused() -> None:
    frame = pandas.DataFrame({"a": [Decimal("1.5"), Decimal("NaN"), Decimal("3")] * 9, "b": list(range(27))})
    column = open_dataset(frame).codec.columns[0]
    assert column.column_type == "ordinal" and set(column.choices) == {1.5, 3.0, None}
    json.dumps(column.to_json())
    mixed = pandas.DataFrame({"a": [pandas.Timestamp("2024-01-01"), "x", "y"] * 9, "b": list(range(27))})
    assert '"a" holds dates and other cells' in refusal(mixed)


def numbers_of(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The frame packed and brought back, with all its values kept."""
    dataset = open_dataset(frame, kind="tables", min_count=1)
    found = dataset.codec.table({"row": dataset.arrays["row"]})
    return frame_from_columns(found, frame, {name: str(frame[name].dtype) for name in found})


def test_whole_numbers_near_the_end_of_64_bits_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    far = 2**60 + rng.integers(0, 10**6, 200)
    near = rng.integers(0, 10**6, 200)
    exact = pandas.DataFrame({"far": far, "near": near, "sum": far + near, "last": 2**63 - 1 - rng.integers(0, 50, 200)})
    assert [rule.sentence() for rule in open_dataset(exact).codec.rules] == ["sum = far + near"]
    pandas.testing.assert_frame_equal(numbers_of(exact), exact)
    wide = pandas.DataFrame({"wide": rng.integers(-(2**63), 2**63 - 1, 200), "b": rng.integers(0, 3, 200)})
    wide.loc[0, "wide"], wide.loc[1, "wide"] = 2**63 - 1, -(2**63)
    back = numbers_of(wide)
    assert back["wide"].dtype == np.int64 and (back["wide"] - wide["wide"]).abs().max() <= 2**11
    assert "to 16 digits" in open_dataset(wide).codec.columns[0].sentence()


def test_new_identifiers_fit_into_64_bits_and_are_nobodys() -> None:
    frame = pandas.DataFrame({"id": 2**63 - 1 - 3 * np.arange(100), "b": np.arange(100) % 3})
    back = numbers_of(frame)
    assert back["id"].dtype == np.int64 and not set(back["id"]) & set(frame["id"])


@pytest.mark.parametrize("digits", [400, 5000])
def test_numbers_that_no_float_holds_are_words(digits: int, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"{'9' * digits}{row % 3},{row % 2}\n" for row in range(60)))
    assert open_dataset(tmp_path / "a.csv", kind="tables").codec.columns[0].column_type == "categorical"


# ---- arrays and tensors ---------------------------------------------------------------------------------------------------------


def test_tensors_of_other_types_are_read_and_others_refused() -> None:
    floats = torch.rand(4, 3, 8, 8)
    for made in (torch.bfloat16, torch.float8_e4m3fn):
        expected = np.rint(floats.to(made).float().numpy() * 255)
        np.testing.assert_array_equal(open_dataset(floats.to(made)).arrays["image"], expected)
        np.testing.assert_array_equal(open_dataset(list(floats.to(made))).arrays["image"], expected)
    flat = torch.rand(20, 2).bfloat16()
    np.testing.assert_array_equal(open_dataset(flat).arrays["point"], flat.float())
    labelled = open_dataset((floats, torch.tensor([0, 1, 0, 1]).bfloat16()))
    assert labelled.codec.spec.classes == ("0", "1")
    assert refusal(floats.to_sparse()) == "the data is a sparse tensor, where a dense one is expected: call to_dense()."
    assert "images[0] is a sparse tensor" in refusal([floats[0].to_sparse()])
    assert "is a sparse tensor" in refusal(floats[:, 0].to_sparse(), kind="series")
    assert "is a meta tensor" in refusal(floats.to("meta"))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("kind", [None, "images", "points", "series"])
def test_nothing_is_refused_in_a_sentence(suffix: str, kind: str | None, tmp_path: Path) -> None:
    for number, shape in enumerate([(0, 8, 8), (0, 2), (3, 0, 8), (0,), ()]):
        path = tmp_path / f"{number}{suffix}"
        np.save(path, np.zeros(shape)) if suffix == ".npy" else np.savez(path, images=np.zeros(shape))
        refusal(path, kind=kind)


def test_offsets_that_do_not_cut_bytes_are_refused(tmp_path: Path) -> None:
    for offsets in (np.zeros(0, int), np.array(["a", "b"]), np.array(3), np.array([0, 4]), np.array([0.0, 3.0])):
        np.savez(tmp_path / "a.npz", data=np.zeros(3, np.uint8), offsets=offsets)
        assert '"offsets" in a.npz must be whole numbers that cut "data" into files' in refusal(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", data=np.zeros(3), offsets=np.array([0, 3]))
    assert '"data" in a.npz must be bytes [N], not float64 [3]' in refusal(tmp_path / "a.npz")


@pytest.mark.parametrize("kind", ["points", "series", "images"])
def test_numbers_beyond_32_bits_are_refused(kind: str, tmp_path: Path) -> None:
    array = np.ones((4, 6, 6) if kind == "images" else (9, 2))
    array[1, 1] = 1e200
    np.save(tmp_path / "a.npy", array)
    refusal(tmp_path / "a.npy", kind=kind)


# ---- names, and data sets of strangers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("a\0b", "is no path"),
        (Path("a\0b"), "is no path"),
        ("a" * 5000, "has a name of 5,000 characters, more than files can have"),
        ("~nobody-has-this-name", "is no path"),
        (np.ma.masked_array(np.zeros((40, 2)), mask=True), "some values of the array are masked"),
    ],
)
def test_what_no_file_is_called_and_what_is_masked_are_refused(data: Any, why: str) -> None:
    assert why in refusal(data)


class Strange:
    """A data set that does not do what it should."""

    def __init__(self, length: Any, item: Any) -> None:
        self.length, self.item = length, item

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.item(index)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (Strange(-1, None), "does not tell its length (ValueError"),
        (Strange(10**12, lambda _: torch.zeros(1, 8, 8)), "the data set has 1,000,000,000,000 examples, more than the limit"),
        (Strange(40, lambda _: 1 / 0), "does not tell Strange[0] (ZeroDivisionError: division by zero)"),
        (Strange(40, lambda _: []), "Strange[0] is a list, where an image is"),
        ([[], []], "is a list, where an image is"),
    ],
)
def test_data_sets_of_strangers_that_fail_are_refused(data: Any, why: str) -> None:
    assert why in refusal(data)


@pytest.mark.parametrize("cut", [20, 200, 1000])
def test_gz_files_that_were_cut_short_are_no_bombs(cut: int, tmp_path: Path) -> None:
    """Their last bytes claim any size."""
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * 3) for i in range(3000)))
    (tmp_path / "x.csv.gz").write_bytes(whole[:-cut])
    with pytest.raises(UserError, match="ended before the end-of-stream marker"):
        open_dataset(tmp_path / "x.csv.gz")
