"""Values come back as they were written: scales, digits that are text, dates, names of columns."""

import copy
import pickle
from datetime import date, timedelta

import numpy as np
import pandas
import pytest
import torch

from gansmith import Augmenter, TableGAN
from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.column_types import type_of
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.files import table_from_csv
from gansmith.kinds.tables.frames import frame_from_columns, table_from_frame
from gansmith.kinds.tables.rules import infer

TINY = {"samples": 64 * 8, "batch": 64, "options": {"width": 16, "critic_width": 16, "blocks": 1}}
RNG = np.random.default_rng(3)


def back(cells: list, dtype: str = "text", min_count: int = 1) -> list:
    made = Table(name="t", columns={"x": cells_of(cells, dtype), "y": cells_of(["a", "b"] * (len(cells) // 2))})
    codec = TableCodec.fit(made, min_count=min_count)
    return codec.table({"row": codec.pack_table(made.columns)})["x"]


@pytest.mark.parametrize("scale", [3e-21, 7e-13, 4e-9, 1e12])
@pytest.mark.parametrize("min_count", [1, 5])
def test_numbers_of_any_scale_keep_it(scale, min_count):
    cells = (RNG.gamma(3, size=200) * scale).tolist()
    found = np.array(back(cells, "float64", min_count))
    assert (found > 0).all() and np.abs(np.sort(found) / np.sort(cells) - 1).max() < 0.5
    if min_count == 1:
        np.testing.assert_allclose(found, cells, rtol=1e-12)


def test_whole_numbers_to_the_end_of_64_bits_do_not_leave_them():
    for cells in ([1, 2**63 - 1] * 30, [-(2**63), 2**63 - 1, 5] * 20, [2**63 - 1 - i * 10**15 for i in range(60)]):
        for min_count in (1, 5):
            found = back(cells, "int64", min_count)
            assert np.array(found, dtype=np.int64).tolist() == found


@pytest.mark.parametrize(
    "cells",
    [
        [f"+1415555{i:04d}" for i in (3, 17, 40)] * 20,
        ["0123", "0044", "9120"] * 20,
        [f"{1 + i % 12}/{1 + i % 28}/{1990 + i % 30}" for i in range(400)],
        [f"{1 + i % 28}.{1 + i % 12}.{1990 + i % 30}" for i in range(400)],
        [(date(1971, 3, 2) + timedelta(days=37 * i)).strftime("%Y%m%d") for i in range(300)],
        ["9999-12-31", *[f"20{i % 20:02d}-0{1 + i % 9}-1{i % 9}" for i in range(159)]] * 2,
    ],
)
def test_digits_that_are_text_and_dates_come_back_as_they_were_written(cells):
    found = back(cells)
    assert found == cells or set(found) <= set(cells) or type_of("x", cells_of(cells), 5) == "personal"
    if type_of("x", cells_of(cells), 1) != "personal":
        assert found == cells


def test_dates_without_zeros_are_dates_and_eight_digits_of_no_day_are_not():
    assert type_of("d", cells_of([f"{1 + i % 28}/{1 + i % 12}/2020" for i in range(300)]), 5) == "datetime"
    assert type_of("d", cells_of([f"{20_200_101 + i}" for i in range(31)]), 5) == "datetime"
    assert type_of("d", cells_of([f"{20_200_101 + i * 17}" for i in range(300)]), 5) == "integer"


def test_text_of_data_frames_comes_back_as_text():
    frame = pandas.DataFrame(
        {
            "day": [f"2021-11-{1 + i % 28:02d}" for i in range(80)],
            "code": [f"{i % 37}" for i in range(80)],
            5: RNG.normal(size=80),
        }
    )
    made = table_from_frame(frame)
    codec = TableCodec.fit(made, min_count=1)
    columns = codec.table({"row": codec.pack_table(made.columns)})
    found = frame_from_columns(columns, frame[:1], {name: codec.by_name[name].dtype for name in columns})
    pandas.testing.assert_frame_equal(found, frame)


def test_what_is_read_as_missing_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,x\nNULL,y\nnan,\n" * 20)
    table = table_from_csv(path)
    assert table.columns["a"].values()[1] is None
    assert table.notes == ('NULL, nan in "a" is read as a missing cell',)


# ---- from Python ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def frame() -> pandas.DataFrame:
    return pandas.DataFrame({"n": RNG.integers(0, 9, 120), "seed": RNG.choice(["oak", "elm"], 120), "self": RNG.normal(size=120)})


@pytest.fixture(scope="module")
def fitted(frame) -> TableGAN:
    return TableGAN(**TINY).fit(frame)


def test_columns_of_any_name_can_be_conditions(fitted):
    made = fitted.sample(40, where={"n": ">3", "seed": "oak", "self": "<5"})
    assert (made["n"] > 3).all() and (made["seed"] == "oak").all()


def test_a_fitted_table_gan_is_pickled_and_copied(fitted):
    made = fitted.sample(20, seed=4)
    for again in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        found = again.sample(20, seed=4)
        assert found.n.tolist() == made.n.tolist() and found.seed.tolist() == made.seed.tolist()
        assert found.dtypes.to_dict() == made.dtypes.to_dict() and again.get_params() == fitted.get_params()


def test_rows_that_do_not_meet_the_conditions_are_never_silent(fitted, monkeypatch):
    codec = type(fitted.model_.codec)
    monkeypatch.setattr(codec, "complies", lambda self, batch, /, **where: np.zeros(len(batch["row"]), bool))
    with pytest.raises(UserError, match="none of 7 rows has seed oak"):
        fitted.sample(7, where={"seed": "oak"})
    monkeypatch.setattr(codec, "complies", lambda self, batch, /, **where: np.arange(len(batch["row"])) < 3)
    monkeypatch.setattr("gansmith.model.RETRIES", 0)
    with pytest.warns(UserWarning, match="only 3 of 7 rows have seed oak"):
        fitted.sample(7, where={"seed": "oak"})


def test_answers_go_with_the_rows_of_their_index():
    inputs = pandas.DataFrame({"a": np.arange(60) % 20}, index=RNG.permutation(60))
    y = pandas.Series(np.where(np.arange(60) < 20, "low", "high"), index=np.arange(60), name="kind")
    truth = y.reindex(inputs.index)
    more, labels = Augmenter(TableGAN(**TINY), balance=False, share=0.2).fit_resample(inputs, y)
    assert labels[:60].tolist() == truth.tolist() and len(more) == len(labels) == 72
    with pytest.raises(UserError, match="other labels than that of x"):
        Augmenter(TableGAN(**TINY)).fit_resample(inputs, y.set_axis(range(30, 90)))
    with pytest.raises(UserError, match="60 rows and y 59 answers"):
        Augmenter(TableGAN(**TINY)).fit_resample(inputs, y[:59])


def test_an_augmenter_refuses_before_training_what_it_could_not_make():
    inputs = pandas.DataFrame({"a": range(60), "note": [f"a long note about the parcel number {i}" for i in range(60)]})
    with pytest.raises(UserError, match="free text cannot be made.*note"):
        Augmenter(TableGAN(**TINY)).fit_resample(inputs, ["p", "q"] * 30)
    with pytest.raises(UserError, match="the class 'q' of y has 2 rows"):
        Augmenter(TableGAN(**TINY)).fit_resample(inputs[["a"]], ["q"] * 2 + ["p"] * 58)


def test_an_identifier_of_text_digits_stays_text():
    made = Column.fit("code_id", cells_of([f"{1000 + i}" for i in range(60)], "object"), "identifier").new_identifiers(3)
    assert all(isinstance(each, str) for each in made)


# ---- rules ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spell", [lambda day: day.isoformat(), lambda day: day.strftime("%d.%m.%Y"), lambda day: day])
def test_a_date_that_is_never_before_another_stays_so(spell):
    first = [date(2022, 1, 1) + timedelta(days=int(day)) for day in RNG.integers(0, 300, 300)]
    last = [day + timedelta(days=int(more)) for day, more in zip(first, RNG.integers(0, 20, 300), strict=True)]
    dtype = "text" if isinstance(spell(first[0]), str) else "object"
    columns = {"arrives": cells_of(map(spell, first), dtype), "leaves": cells_of(map(spell, last), dtype)}
    made = Table(name="t", columns=columns)
    codec = TableCodec.fit(made)
    assert [rule.sentence() for rule in codec.rules] == ["leaves >= arrives"]
    columns = codec.table(codec.repack({"row": torch.randn(500, *codec.spec.shape, generator=torch.Generator().manual_seed(0))}))
    assert not codec.rules[0].violations(columns).any()
    keys = [[codec.by_name[name].key_of(cell) for cell in columns[name]] for name in ("arrives", "leaves")]
    assert (np.array(keys[1]) >= np.array(keys[0])).all() and len(set(keys[1])) > 50
    assert {type(cell) for cell in columns["leaves"]} == {type(spell(first[0]))}


def test_no_rule_is_born_of_chance():
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = 200
        columns = {
            "city": cells_of(rng.choice([f"c{i}" for i in range(30)], rows).tolist()),
            "fraud": cells_of(["yes" if i == 7 else "no" for i in range(rows)]),
            "plan": cells_of(rng.choice(["a", "b"], rows, p=[0.98, 0.02]).tolist()),
            "low": cells_of(rng.gamma(0.3, 1, rows).round(2).tolist()),
            "high": cells_of((5 + rng.gamma(3, 2, rows)).round(2).tolist()),
            "zero": cells_of(np.where(rng.random(rows) < 0.01, 1.5, 0.0).tolist()),
        }
        found += [rule.sentence() for rule in infer(columns, {name: type_of(name, cells) for name, cells in columns.items()})]
    assert found == []


@pytest.mark.parametrize("as_numbers", [True, False])
def test_dates_in_digits_stay_days_that_exist_and_in_order(as_numbers):
    rng = np.random.default_rng(2)
    start = pandas.Timestamp("2019-03-01") + pandas.to_timedelta(rng.integers(0, 900, 300), unit="D")
    end = start + pandas.to_timedelta(rng.integers(0, 30, 300), unit="D")
    frame = pandas.DataFrame(
        {"start": start.strftime("%Y%m%d"), "end": end.strftime("%Y%m%d"), "kind": rng.choice(["a", "b"], 300)}
    )
    frame = frame.astype({"start": int, "end": int}) if as_numbers else frame
    data = open_dataset(frame, kind="tables", min_count=1)
    codec = data.codec
    assert [codec.by_name[name].column_type for name in ("start", "end")] == ["datetime", "datetime"]
    assert [rule.sentence() for rule in codec.rules] == ["end >= start"]
    back = codec.table({"row": data.arrays["row"][:]})
    assert back["start"] == frame["start"].tolist() and back["end"] == frame["end"].tolist()
    noise = rng.normal(size=(200, data.arrays["row"].shape[1])).astype(np.float32)
    noise[:, -1] = np.abs(noise[:, -1])
    made = codec.table({"row": np.where(data.arrays["row"][:200] % 1 == 0, data.arrays["row"][:200], noise)})
    days = [pandas.to_datetime(pandas.Series(made[name]).astype(str), format="%Y%m%d") for name in ("start", "end")]
    assert (days[0] <= days[1]).all()


def test_few_numbers_that_are_far_apart_come_back_exactly():
    frame = pandas.DataFrame({"code": [1, 2**63 - 1, -(2**62)] * 100, "kind": ["a", "b", "b"] * 100})
    data = open_dataset(frame, kind="tables")
    codec = data.codec
    assert codec.by_name["code"].column_type == "categorical"
    assert codec.table({"row": data.arrays["row"][:]})["code"] == frame["code"].tolist()
