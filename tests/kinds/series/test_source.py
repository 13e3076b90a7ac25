"""Series as people have them: missing cells, gaps in time, integers, names, several files, other separators, data frames."""

import numpy as np
import pandas as pd
import pytest
import torch

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.series.gaps import filled
from gansmith.runs.data import open_like


def written(path, header, rows, separator=","):
    path.write_text("\n".join(separator.join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def hours(count):
    return [f"2020-01-{1 + at // 24:02d} {at % 24:02d}:00" for at in range(count)]


def ramp(count):
    return [(when, at, 2.5 * at) for at, when in enumerate(hours(count))]


def whole(data):
    """The single series of which the windows are, put together again."""
    windows = data.packed(slice(None))["series"]
    return np.concatenate([windows[0], windows[1:, -1]])


def test_missing_cells_are_filled_in_where_that_is_asked_for_and_refused_else(tmp_path):
    rows = [(when, "" if at == 7 else "NA" if at == 9 else x, y) for at, (when, x, y) in enumerate(ramp(60))]
    path = written(tmp_path / "x.csv", ("when", "x", "y"), rows)
    with pytest.raises(UserError, match=r"x is missing in line 9 of .*--fill linear"):
        open_dataset(path)
    linear, previous = (whole(open_dataset(path, fill=fill, window=10)) for fill in ("linear", "previous"))
    np.testing.assert_allclose(linear[:, 0], np.arange(60))
    assert previous[[6, 7, 8, 9, 10], 0].tolist() == [6, 6, 8, 8, 10]


def test_filled_in_numbers_have_the_decimals_of_the_others():
    values = np.array([[1.25, 3.0], [np.nan, np.nan], [np.nan, 8.0], [1.5, 9.0]])
    assert filled(values, "linear", ("x", "count"), "here").tolist() == [[1.25, 3], [1.33, 6], [1.42, 8], [1.5, 9]]
    assert filled(np.array([[1 / 3], [np.nan], [2 / 3]]), "linear", ("x",), "here")[1, 0] == pytest.approx(0.5, abs=1e-12)


def test_numbered_columns_beside_dates_in_order_are_columns_and_not_steps(tmp_path):
    path = tmp_path / "sensors.csv"
    rows = [f"2021-01-{1 + day:02d}," + ",".join(f"{day + channel / 10:.1f}" for channel in range(6)) for day in range(28)]
    path.write_text("\n".join(["date," + ",".join(f"ch{channel}" for channel in range(6)), *rows]) + "\n")
    data = open_dataset(path, kind="series", window=10)
    assert data.codec.columns == tuple(f"ch{channel}" for channel in range(6)) and data.codec.calendar.start == "2021-01-01"


def test_steps_that_are_left_out_are_filled_in_too(tmp_path):
    rows = [row for at, row in enumerate(ramp(60)) if at not in (20, 21)]
    path = written(tmp_path / "x.csv", ("when", "x", "y"), rows)
    with pytest.raises(UserError, match="3 hours after the row above, where steps are 1 hour:.*--fill linear"):
        open_dataset(path)
    data = open_dataset(path, fill="linear", window=10)
    np.testing.assert_allclose(whole(data)[:, 1], 2.5 * np.arange(60))
    assert any("2 steps that the times leave out are filled in" in note for note in data.facts["notes"])


def test_a_column_without_any_number_cannot_be_filled_in(tmp_path):
    path = written(tmp_path / "x.csv", ("when", "x", "y"), [(when, "", y) for when, _, y in ramp(60)])
    with pytest.raises(UserError, match="x is missing everywhere in"):
        open_dataset(path, fill="linear")
    with pytest.raises(UserError, match='--fill must be linear or previous, not "lineer".*did you mean'):
        open_dataset(path, fill="lineer")


def test_missing_numbers_of_arrays_are_filled_in_too():
    values = np.arange(60.0)
    values[5] = np.nan
    with pytest.raises(UserError, match="--fill linear"):
        open_dataset(values, kind="series")
    assert whole(open_dataset(values, kind="series", fill="linear", window=10))[5, 0] == 5


def test_whole_numbers_decimals_signs_and_constants_come_back_as_they_were(tmp_path):
    rng = np.random.default_rng(0)
    rows = [(when, rng.poisson(2), f"{rng.normal():.2f}", 7.5) for when in hours(200)]
    data = open_dataset(written(tmp_path / "x.csv", ("when", "count", "level", "fixed"), rows), window=10)
    wild = {"series": torch.randn(50, 10, 3, generator=torch.Generator().manual_seed(0)) * 3}
    made = np.concatenate([raw.values for raw in data.codec.decode(wild)])
    assert (made[:, 0] >= 0).all() and (made[:, 0] == made[:, 0].round()).all()
    np.testing.assert_allclose(made[:, 1], made[:, 1].round(2), atol=1e-9)
    assert (made[:, 1] < 0).any() and (made[:, 2] == 7.5).all()
    saved = data.codec.save(data.codec.decode(wild), tmp_path / "made")[0].read_text().splitlines()
    assert saved[1].split(",")[2].isdigit() and saved[1].endswith(",7.5")


def test_attributes_that_are_whole_numbers_stay_so(tmp_path):
    rows = [(f"s{e}", t, 3 * e + 1, "ab"[e % 2], e + t) for e in range(9) for t in range(8)]
    data = open_dataset(
        written(tmp_path / "x.csv", ("id", "t", "size", "kind", "x"), rows), kind="series", static=("size", "kind")
    )
    assert [raw.static["size"] for raw in data.codec.decode(data.batch(slice(0, 3)))] == [1, 4, 7]


def test_a_first_column_that_counts_is_the_time_and_goes_on(tmp_path):
    rows = [(1900 + at, np.sin(at)) for at in range(80)]
    data = open_dataset(written(tmp_path / "x.csv", ("Year", "x"), rows), kind="series", window=10)
    assert data.codec.columns == ("x",)
    assert data.codec.calendar.times(3) == ["1900", "1901", "1902"]


def test_seconds_since_1970_are_times_when_they_are_named(tmp_path):
    rows = [(at, 1577836800 + 3600 * at, np.sin(at)) for at in range(80)]
    path = written(tmp_path / "x.csv", ("n", "stamp", "x"), rows)
    data = open_dataset(path, kind="series", time="stamp", columns=("x",), window=10)
    assert data.codec.columns == ("x",) and data.codec.calendar.times(2)[1] == "1577840400"
    with pytest.raises(UserError, match="stamp 1577880000 in line 13 .* is 7200 after the row above, where steps are 3600"):
        open_dataset(written(path, ("n", "stamp", "x"), [*rows[:11], *rows[12:]]), kind="series", time="stamp")


def test_columns_can_be_chosen(tmp_path):
    rows = [(when, x, y, "sunny") for when, x, y in ramp(60)]
    path = written(tmp_path / "x.csv", ("when", "x", "y", "sky"), rows)
    assert open_dataset(path, columns=("y",), window=10).codec.columns == ("y",)
    with pytest.raises(UserError, match="sky is 'sunny' in line 2 .*--columns"):
        open_dataset(path)
    with pytest.raises(UserError, match="--columns names the column 'z', which"):
        open_dataset(path, columns=("z",))


def test_names_of_rows_are_no_attribute(tmp_path):
    rows = [(f"patient{i}", "ab"[i % 2], *range(i, i + 6)) for i in range(8)]
    data = open_dataset(written(tmp_path / "x.csv", ("name", "kind", *(f"t{i}" for i in range(6))), rows), kind="series")
    assert data.codec.spec.classes == ("a", "b") and data.codec.class_name == "kind"
    assert any("name names every row differently" in note for note in data.facts["notes"])


def test_a_folder_of_files_is_a_series_each(tmp_path):
    for index in range(8):
        written(tmp_path / f"p{index}.csv", ("when", "x", "y"), ramp(20 + index))
    data = open_dataset(tmp_path, kind="series")
    assert len(data) == 8 and data.codec.columns == ("x", "y") and data.codec.lengths == tuple(range(20, 28))
    written(tmp_path / "p9.csv", ("when", "x"), [row[:2] for row in ramp(20)])
    with pytest.raises(UserError, match="p9.csv has the columns x, where p0.csv has x, y"):
        open_dataset(tmp_path, kind="series")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="there are no csv files in"):
        open_dataset(tmp_path / "empty", kind="series")


def test_semicolons_and_decimal_commas_are_read(tmp_path):
    rows = [(when, x, str(y).replace(".", ",")) for when, x, y in ramp(60)]
    data = open_dataset(written(tmp_path / "x.csv", ("when", "x", "y"), rows, ";"), window=10)
    np.testing.assert_allclose(whole(data)[:, 1], 2.5 * np.arange(60))


def test_data_frames_and_parquet_files_are_series_with_their_dates(tmp_path):
    frame = pd.DataFrame({"x": np.arange(60.0), "y": 1}, index=pd.date_range("2020-01-01", periods=60, name="day"))
    frame.reset_index().to_parquet(tmp_path / "x.parquet")
    for source in (frame, frame.reset_index(), tmp_path / "x.parquet"):
        data = open_dataset(source, kind="series", window=10)
        assert data.codec.columns == ("x", "y") and data.codec.calendar.column == "day"


def test_a_key_of_any_name_is_taken_where_it_is_alone(tmp_path):
    np.savez(tmp_path / "x.npz", ecg=np.arange(60.0))
    assert open_dataset(tmp_path / "x.npz", kind="series", window=10).codec.spec.shape == (10, 1)
    np.savez(tmp_path / "x.npz", ecg=np.arange(60.0), rate=np.array(360))
    with pytest.raises(UserError, match="has the arrays ecg, rate: name the series series"):
        open_dataset(tmp_path / "x.npz", kind="series")


def test_other_data_are_read_by_the_columns_of_the_training(tmp_path):
    rows = [(f"s{e}", t, "ab"[e % 2], e + t, -t) for e in range(9) for t in range(8)]
    path = written(tmp_path / "x.csv", ("sensor", "t", "kind", "x", "y"), rows)
    opening = {"entity": "sensor", "static": ("kind",)}
    data = open_dataset(path, kind="series", **opening)
    again = open_like(data, path, opening=opening)
    np.testing.assert_array_equal(again.packed(slice(None))["series"], data.packed(slice(None))["series"])
    saved = data.codec.save(data.codec.decode(data.batch(slice(None))), tmp_path / "made")[0]
    assert saved.read_text().startswith("series,t,kind,x,y\n")
    made = open_like(data, saved, opening=opening)
    np.testing.assert_array_equal(made.packed(slice(None))["series"], data.packed(slice(None))["series"])
    np.testing.assert_array_equal(made.packed(slice(None))["label"], data.packed(slice(None))["label"])
    with pytest.raises(UserError, match="has no column 'y', which the series that were learned have"):
        open_like(data, written(path, ("sensor", "t", "kind", "x"), [row[:4] for row in rows]), opening=opening)


def test_a_few_long_series_are_cut_into_windows():
    walks = np.random.default_rng(0).normal(size=(5, 60, 1)).cumsum(1)
    assert open_dataset(walks, kind="series").codec.spec.shape == (24, 1)
    assert open_dataset(np.tile(walks, (4, 1, 1)), kind="series").codec.spec.shape == (60, 1)


def test_with_sixty_series_enough_are_held_out_to_judge():
    walks = np.random.default_rng(0).normal(size=(60, 12, 1)).cumsum(1)
    data = open_dataset(walks, kind="series")
    assert len(data) == 40 and len(data.held_out) == 20
