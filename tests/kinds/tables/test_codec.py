"""Tables: what is recognised, what comes back, what is refused."""

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.cli import generate
from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.column_types import type_of
from gansmith.kinds.tables.columns import KNOTS, OPTIONS, Column
from gansmith.kinds.tables.files import table_from_csv
from gansmith.kinds.tables.frames import frame_from_columns, table_from_frame
from gansmith.kinds.tables.rules import infer
from gansmith.kinds.tables.views import target_of
from tests import toys


def table(**columns) -> Table:
    return Table(name="table", columns={name: cells_of(cells) for name, cells in columns.items()})


def back(made: Table, **how) -> dict[str, list]:
    codec = TableCodec.fit(made, **how)
    return codec.table(codec.repack(codec.unpack({"row": codec.pack_table(made.columns)})))


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("age", [str(i % 70) for i in range(300)], "integer"),
        ("weight", [f"{i / 7:.3f}" for i in range(300)], "continuous"),
        ("rooms", ["1", "2", "3"] * 50, "ordinal"),
        ("city", ["Rome", "Oslo", "Lima"] * 50, "categorical"),
        ("smoker", ["yes", "no"] * 50, "boolean"),
        ("born", [f"20{i:02d}-03-1{i % 10}" for i in range(80)], "datetime"),
        ("id", [str(1000 + 7 * i) for i in range(100)], "identifier"),
        ("note", [f"the parcel number {i} came late again today" for i in range(100)], "text"),
        ("unit", ["kg"] * 100, "constant"),
        ("nothing", [None] * 100, "constant"),
        ("zip", ["01234", "98765", "00001"] * 40, "categorical"),
        ("income", [*(str(i * 10) for i in range(95)), *["unknown"] * 5], "integer"),
    ],
)
def test_the_kind_of_a_column_is_recognised(name, cells, kind):
    assert type_of(name, cells_of(cells)) == kind


def test_cells_come_back_as_they_were_written():
    made = table(
        city=["Rome", "Oslo", None, "Bern"] * 20,
        price=["1.50", "2.25", "0.00", "13.75"] * 20,
        size=["1.5", "2.0", "", "13.123"] * 20,
        count=[str(i * i) for i in range(80)],
        day=["2024-01-31", "2023-12-01", "2020-02-29", "1999-05-05"] * 20,
        month=[f"{1 + i % 12:02d}/01/{1990 + i % 30}" for i in range(80)],
    )
    assert back(made, schema={"day": "datetime"}) == {name: cells.values() for name, cells in made.columns.items()}


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6).map(lambda x: round(x, 3))),
        min_size=30,
        max_size=200,
    )
)
def test_any_numbers_come_back_exactly_while_they_are_few(numbers):
    if len(set(numbers)) < 2:
        return
    column = Column.fit("x", cells_of(numbers, "float64"), "continuous")
    parts = column.pack(cells_of(numbers, "float64"), np.random.default_rng(0)) if column.sizes else None
    if parts:
        assert column.unpack([part.astype(np.float32) for part in parts]) == [None if n is None else float(n) for n in numbers]


def test_many_numbers_come_back_between_their_neighbours_and_keep_their_range():
    numbers = np.round(np.random.default_rng(0).standard_cauchy(5000), 2)
    column = Column.fit("x", cells_of(numbers.tolist(), "float64"))
    assert len(column.values) == KNOTS and column.decimals == 2
    found = np.array(
        column.unpack([part.astype(np.float32) for part in column.pack(cells_of(numbers.tolist()), np.random.default_rng(0))])
    )
    assert found.min() >= numbers.min() and found.max() <= numbers.max()
    ranks = [np.searchsorted(np.sort(numbers), each) / len(numbers) for each in (numbers, found)]
    assert np.abs(ranks[0] - ranks[1]).max() < 2 / KNOTS


def test_numbers_are_normal_scores_whatever_their_tails():
    heavy = np.exp(np.random.default_rng(0).normal(0, 3, 4000))
    (score,) = Column.fit("x", cells_of(heavy.tolist())).pack(cells_of(heavy.tolist()), np.random.default_rng(0))
    assert abs(score.mean()) < 0.02 and abs(score.std() - 1) < 0.02


def test_frequent_numbers_and_missing_cells_are_choices_of_their_own():
    column = Column.fit("gain", cells_of([0] * 900 + [None] * 60 + list(range(1, 201))))
    assert column.choices == (0.0, None) and column.sizes == (3, 1) and column.counts == (900, 60, 200)


def test_ten_thousand_categories_take_two_digits_not_ten_thousand_columns():
    names = [f"c{i % 10_000}" for i in range(30_000)]
    column = Column.fit("c", cells_of(names))
    assert sum(column.sizes) == 200 > OPTIONS
    assert column.unpack([part.astype(np.float32) for part in column.pack(cells_of(names))]) == names


def test_a_schema_overrides_what_is_recognised_and_is_checked():
    made = table(zip=[str(10_000 + i % 40) for i in range(200)], y=["a", "b"] * 100)
    assert TableCodec.fit(made).by_name["zip"].column_type == "integer"
    assert TableCodec.fit(made, {"zip": "categorical"}).by_name["zip"].column_type == "categorical"
    with pytest.raises(UserError, match='"zipp" \\(did you mean "zip"\\?\\)'):
        TableCodec.fit(made, {"zipp": "categorical"})
    with pytest.raises(UserError, match="the types are continuous"):
        TableCodec.fit(made, {"zip": "number"})
    with pytest.raises(UserError, match='"y" cannot be continuous'):
        TableCodec.fit(made, {"y": "continuous"})


def test_a_codec_survives_json_and_holds_no_row():
    data = toys.rows()
    text = json.dumps(data.codec.to_json())
    assert TableCodec.from_json(json.loads(text)) == data.codec
    rows = {tuple(map(str, row)) for row in zip(*data.codec.table(data.packed(slice(None))).values(), strict=True)}
    columns = json.loads(text)["columns"]
    assert all(list(column["values"]) == sorted(column["values"]) for column in columns)  # sorted: no order of rows is left
    assert not any(", ".join(row) in text for row in rows)


# ---- rules --------------------------------------------------------------------------------------------------------------------


def test_rules_are_found_and_hold_in_rows_of_pure_noise():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 100, 400), rng.integers(0, 100, 400)
    low = rng.integers(0, 500, 400)
    degree = rng.choice(["BSc", "MSc", "PhD"], 400)
    made = table(
        degree=degree.tolist(),
        years=[{"BSc": 3, "MSc": 5, "PhD": 9}[each] for each in degree],
        a=a.tolist(),
        b=b.tolist(),
        total=(a + b).tolist(),
        low=low.tolist(),
        high=(low + rng.integers(0, 300, 400)).tolist(),
    )
    codec = TableCodec.fit(made)
    said = {rule.sentence() for rule in codec.rules}
    assert said == {"years is decided by degree", "total = a + b", "high >= low"}
    noise = codec.repack({"row": torch.randn(2000, *codec.spec.shape)})
    columns = codec.table(noise)
    assert len(set(columns["degree"])) == 3
    for rule in codec.rules:
        assert not rule.violations(columns).any(), rule.sentence()
    columns["high"][0] = -1
    assert next(rule for rule in codec.rules if rule.column == "high").violations(columns).sum() == 1


def test_no_rule_is_found_among_independent_columns():
    rng = np.random.default_rng(0)
    columns = {name: cells_of(rng.integers(0, 50, 500).tolist()) for name in "abc"}
    assert infer(columns, dict.fromkeys(columns, "integer")) == []


def test_identifiers_are_new_and_unique():
    made = table(id=[str(100 + 3 * i) for i in range(100)], y=["a", "b"] * 50)
    codec = TableCodec.fit(made)
    raws = codec.numbered(codec.decode({"row": torch.randn(500, *codec.spec.shape)}))
    fresh = [raw["id"] for raw in raws]
    assert len(set(fresh)) == 500 and not set(fresh) & set(made.columns["id"].values())


# ---- conditions -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"sizee": "small"}, 'no column "sizee" \\(did you mean "size"\\?\\)'),
        ({"size": "smal"}, "never is 'smal'.*did you mean \"small\""),
        ({"weight": "heavy"}, "is compared with 'heavy'"),
        ({"weight": ">10000"}, "never is >10000"),
    ],
)
def test_an_impossible_wish_is_answered_in_a_sentence(wish, sentence):
    with pytest.raises(UserError, match=sentence):
        toys.rows().codec.conditions(3, torch.Generator(), **wish)


def test_conditions_become_bounds_that_real_rows_keep_exactly_where_they_comply():
    data = toys.rows()
    codec, batch = data.codec, data.batch(slice(None))
    from gansmith.layers.rows import RowLayout

    layout = RowLayout(codec.spec)
    for wish in (
        {"size": "small|large"},
        {"hours": "0"},
        {"hours": ">100"},
        {"hours": "missing"},
        {"weight": ">2&<=5"},
        {"letter": "L"},
    ):
        condition = codec.conditions(len(data), torch.Generator(), **wish)
        inside = layout.within(batch["row"], condition["low"][0], condition["high"][0]).numpy()
        complies = codec.complies(batch, **wish)
        assert 0 < complies.sum() < len(data), wish
        assert (inside == complies).mean() > 0.99, wish


# ---- files and frames -----------------------------------------------------------------------------------------------------------


def write(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b,a\n1,2,3\n", '2 columns of .* are named "a"'),
        ("a,,c\n1,2,3\n", "column 2 of .* has no name"),
        ("a,b,c\n1,2,3\n1,2\n", "row 3 of .* has 2 cells, but the header has 3"),
        ("a,b,c\n", "a header but no rows"),
        ("", "is empty"),
        ("a,b,c\nx,,1\nx,,1\n", "no column that varies"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_a_sentence(tmp_path, text, sentence):
    with pytest.raises(UserError, match=sentence):
        open_dataset(write(tmp_path, text), kind="tables")


def test_three_rows_are_opened_and_refused_where_they_are_to_be_trained_on(tmp_path):
    import gansmith

    path = write(tmp_path, "a,b,c\n1,x,3\n2,y,4\n3,x,9\n")
    assert len(open_dataset(path)) == 3
    with pytest.raises(UserError, match="need at least 8 examples, but t has 3"):
        gansmith.train(path, out=tmp_path / "run", samples=100)


def test_columns_that_teach_nothing_are_kept_or_named(tmp_path):
    rows = "".join(f"{i % 7},kg,,note {i} is a long free text of many words,{i}\n" for i in range(60))
    data = open_dataset(write(tmp_path, "x,unit,empty,note,id\n" + rows))
    assert set(data.facts["notes"]) == {
        '"unit" is always kg',
        '"empty" is always missing',
        '"note" is free text and left out',
        '"id" is an identifier: new ones are made up',
    }
    (raw,) = data.codec.decode(data.batch(slice(0, 1)))
    assert raw["unit"] == "kg" and raw["empty"] is None and "note" not in raw


def test_separators_compression_and_a_mark_of_byte_order_are_understood(tmp_path):
    text = "\ufeffname;n\n" + "".join(f"{'ab'[i % 2]};{i}\n" for i in range(30))
    plain = open_dataset(write(tmp_path, text))
    zipped = open_dataset(write(tmp_path, gzip.compress(text.encode()), "t.csv.gz"))
    assert plain.fingerprint == zipped.fingerprint and [c.name for c in plain.codec.columns] == ["name", "n"]


def test_two_columns_of_numbers_are_points_unless_a_table_is_asked_for(tmp_path):
    path = write(tmp_path, "x,y\n" + "".join(f"{i},{i * i}\n" for i in range(50)))
    assert open_dataset(path).codec.spec.kind == "points"
    assert open_dataset(path, kind="tables").codec.spec.kind == "tables"


def test_other_rows_are_read_like_the_first_and_unknown_categories_named(tmp_path):
    first = open_dataset(write(tmp_path, "c,n\n" + "".join(f"{'ab'[i % 2]},{i * i}\n" for i in range(30))))
    same = open_dataset(write(tmp_path, "n,c\n9,b\n4,a\n", "u.csv"), kind="tables", like=first.codec)
    assert same.codec.decode(same.batch(slice(None))) == [{"c": "b", "n": "9"}, {"c": "a", "n": "4"}]
    with pytest.raises(UserError, match="\"c\" never is 'z'"):
        open_dataset(write(tmp_path, "c,n\nz,1\na,2\n", "v.csv"), kind="tables", like=first.codec)
    with pytest.raises(UserError, match='the column "n" is not there'):
        open_dataset(write(tmp_path, "c,m\na,1\nb,2\n", "w.csv"), kind="tables", like=first.codec)


def test_a_public_table_gives_the_facts_of_columns_and_the_private_one_none(tmp_path):
    private = write(tmp_path, "c,n\n" + "".join(f"{'ab'[i % 2]},{100 + i}\n" for i in range(60)), "private.csv")
    public = write(tmp_path, "c,n\n" + "".join(f"{'abz'[i % 3]},{2 * i}\n" for i in range(200)), "public.csv")
    data = open_dataset(private, kind="tables", public=public)
    assert len(data) == 60
    assert data.codec.to_json() == open_dataset(public, kind="tables").codec.to_json()
    with pytest.raises(UserError, match="\"c\" never is 'z'"):
        open_dataset(public, kind="tables", public=private)
    with pytest.raises(UserError, match="--public is an option for tables"):
        open_dataset("digits8", public=public)


def test_missing_cells_and_words_among_numbers_that_were_not_learned_are_refused_not_replaced(tmp_path):
    known = table(c=["a", "b"] * 40, n=[float(i) + 0.5 for i in range(80)])
    codec = build_table(known).codec
    for cell, sentence in ((None, "has missing cells"), ("many", "holds 'many'")):
        with pytest.raises(UserError, match=f'"n" {sentence}'):
            build_table(table(c=["a", "b"], n=[1.5, cell]), codec=codec)


def test_two_million_cells_are_read_and_packed_in_seconds_and_little_memory(tmp_path):
    lines = ",".join("abcdefghij") + "\n" + ",".join(map(str, range(10))) + "\n" + "1,2,3,4,5,6,7,8,9,8\n" * 200_000
    made = table_from_csv(write(tmp_path, lines))
    assert len(made) == 200_001 and sum(cells.codes.nbytes for cells in made.columns.values()) < 9_000_000
    assert build_table(made).arrays["row"].shape == (200_001, 1)


def test_parquet_and_frames_of_pandas_give_the_same_rows(tmp_path):
    import pandas

    frame = pandas.DataFrame(
        {
            "c": pandas.Categorical(["a", "b"] * 20),
            "n": [i * i for i in range(40)],
            "x": np.linspace(0, 1, 40).round(3),
            "on": [True, False] * 20,
            "day": pandas.date_range("2024-01-01", periods=40),
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    opened = [open_dataset(frame), open_dataset(tmp_path / "t.parquet")]
    decoded = [data.codec.decode(data.batch(slice(None))) for data in opened]
    assert decoded[0] == decoded[1]
    assert decoded[0][1]["n"] == 1 and decoded[0][1]["on"] is False and decoded[0][0]["day"].year == 2024


def test_saved_rows_are_never_overwritten(tmp_path):
    data = toys.rows()
    raws = data.codec.decode(data.batch(slice(0, 4)))
    paths = [data.codec.save(raws, tmp_path)[0] for _ in range(2)]
    assert [path.name for path in paths] == ["rows.csv", "rows-1.csv"]
    assert paths[0].read_text().splitlines()[0] == "size,weight,used,hours,letter" and len(paths[1].read_text().splitlines()) == 5


def test_a_preview_is_a_picture_of_the_rows():
    data = toys.rows()
    picture = data.codec.preview(data.codec.decode(data.batch(slice(0, 10))))
    assert picture.height == 11 * 20 and len(picture.getcolors(100_000) or []) > 3


@pytest.mark.parametrize(
    "cells",
    [
        [f"2021-03-{1 + i % 28:02d}T{i % 24:02d}:30:00+02:00" for i in range(60)],
        [f"2021-03-{1 + i % 28:02d} {i % 24:02d}:{i % 60:02d}:00Z" for i in range(60)],
        [f"{i % 24:02d}:{i % 60:02d}" for i in range(60)],
    ],
)
def test_times_with_a_zone_and_times_of_day_are_dates_and_come_back(cells):
    made = table(t=cells, x=[i / 7 for i in range(60)])
    assert type_of("t", made.columns["t"]) == "datetime"
    assert back(made)["t"] == cells


@pytest.mark.parametrize(
    ("cells", "wish", "seconds"),
    [
        ([f"{1 + i % 28:02d}.03.2021" for i in range(60)], "2021-03-05", 1_614_902_400),
        ([f"2021-03-{1 + i % 28:02d}T{i % 24:02d}:30:00+02:00" for i in range(60)], "2021-03-05T06:00", 1_614_924_000),
    ],
)
def test_dates_are_asked_for_as_the_column_writes_them_or_in_the_standard_way(cells, wish, seconds):
    column = TableCodec.fit(table(t=cells, x=[i / 7 for i in range(60)])).by_name["t"]
    assert column.number(wish) == seconds and column.number(cells[0]) < seconds


def test_a_time_of_day_is_not_compared_with_a_date():
    column = TableCodec.fit(table(t=[f"{i % 24:02d}:{i % 60:02d}" for i in range(60)], x=[i / 7 for i in range(60)])).by_name["t"]
    with pytest.raises(UserError, match="its values are like"):
        column.number("2021-03-05")


def test_the_target_is_the_last_column_that_is_learned_or_the_one_named():
    made = table(a=[i / 7 for i in range(60)], b=["x", "y"] * 30, c=[3 * i for i in range(60)], d=["same"] * 60)
    assert TableCodec.fit(made).spec.target == 2
    named = TableCodec.fit(made, target="b")
    assert named.spec.target == 1 and TableCodec.from_json(json.loads(json.dumps(named.to_json()))) == named
    with pytest.raises(UserError, match='the target "bb" is no column.*did you mean "b"'):
        TableCodec.fit(made, target="bb")
    assert target_of(build_table(made)) == 2 and target_of(build_table(made, target="b")) == 1


def test_times_of_several_zones_come_back_in_utc():
    cells = [f"2021-0{3 + i % 2}-{1 + i % 28:02d}T12:30:00+0{1 + i % 2}:00" for i in range(60)]
    expected = [datetime.fromisoformat(cell) for cell in cells]
    found = [datetime.fromisoformat(cell) for cell in back(table(t=cells, x=[i / 7 for i in range(60)]))["t"]]
    assert found == expected and all(moment.utcoffset() == timedelta(0) for moment in found)


@pytest.mark.parametrize("cells", [[str(2**60 + 7 * i) for i in range(60)], [str(2**53 + 1 + 2 * (i % 5)) for i in range(60)]])
def test_whole_numbers_beyond_floating_point_come_back_exactly(cells):
    made = table(n=cells, x=[i / 7 for i in range(60)])
    codec = TableCodec.fit(made, min_count=1)
    assert codec.table(codec.repack(codec.unpack({"row": codec.pack_table(made.columns)})))["n"] == cells
    again = TableCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again == codec
    largest = max(map(int, cells))
    assert codec.by_name["n"].number(str(largest)) == largest - min(map(int, cells))
    batch = codec.unpack({"row": codec.pack_table(made.columns)})
    kept = codec.complies(batch, n=f">={largest}")
    assert kept.sum() == sum(int(cell) == largest for cell in cells)


def test_frames_keep_time_zones_durations_and_large_numbers():
    import pandas

    rng = np.random.default_rng(0)
    moments = pandas.Series(
        pandas.to_datetime("2021-06-01", utc=True) + pandas.to_timedelta(rng.integers(0, 10**6, 80), unit="s")
    )
    frame = pandas.DataFrame(
        {
            "zoned": moments.dt.tz_convert("Europe/Berlin"),
            "lasted": pandas.to_timedelta(rng.integers(0, 10**5, 80), unit="s"),
            "large": 2**60 + rng.integers(0, 10**6, 80),
            "x": rng.normal(size=80),
        }
    )
    made = table_from_frame(frame)
    columns = back(made, min_count=1)
    returned = frame_from_columns(columns, frame[:1], {name: cells.dtype for name, cells in made.columns.items()})
    pandas.testing.assert_frame_equal(returned[["zoned", "lasted", "large"]], frame[["zoned", "lasted", "large"]])


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("a=b=x=1", "a=b", "x=1"),
        ("a>1", "a", ">1"),
        ("a,b=p|q", "a,b", "p|q"),
        ("two words >= 3", "two words", ">= 3"),
        ("c=1", "c", "1"),
    ],
)
def test_conditions_know_columns_whose_names_hold_signs(text: str, key: str, value: str):
    assert generate.condition(text, ("a", "a=b", "a,b", "two words")) == (key, value)
