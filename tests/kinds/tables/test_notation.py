"""Numbers as people write them are read as numbers, and written back as they were."""

import json
from decimal import Decimal

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith import TableGAN
from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.frames import frame_from_columns, table_from_frame
from gansmith.kinds.tables.notation import Notation, notations

RNG = np.random.default_rng(5)
AMOUNTS = RNG.normal(900, 1500, 400).round(2).tolist()


def money(sign, before=True):
    return [f"{'-' if x < 0 else ''}{sign if before else ''}{abs(x):,.2f}{'' if before else sign}" for x in AMOUNTS]


WRITTEN = {
    "dollars": money("$"),
    "euros behind": [x.replace(",", "_").replace(".", ",").replace("_", ".") for x in money(" €", before=False)],
    "Swiss": [x.replace(",", "'") for x in money("CHF ")],
    "accounting": [f"({-round(x):,})" if x < 0 else f"{round(x):,}" for x in AMOUNTS],
    "per cent": [f"{x / 100:.1f}%" for x in AMOUNTS],
    "per cent, spaced": [f"{round(x / 100)} %" for x in AMOUNTS],
    "thousands": [f"{round(abs(x)) * 7:,}" for x in AMOUNTS],
    "minus behind": [f"{abs(x):.2f}{'-' if x < 0 else ''}" for x in AMOUNTS],
    "narrow spaces": [f"{round(abs(x)) * 50:,}".replace(",", "\u202f") for x in AMOUNTS],
    "true minus": [f"{x:.1f}".replace("-", "−") for x in AMOUNTS],
    "Indian": [f"₹{n // 10**5},{n // 1000 % 100:02d},{n % 1000:03d}" for x in AMOUNTS for n in [10**5 + round(abs(x) * 991)]],
    "signed": [f"{x / 100:+.1f}%" for x in AMOUNTS],
    "roubles": [f"{round(abs(x)) * 50:,} руб.".replace(",", " ") for x in AMOUNTS],
    "scaled": [f"${abs(x):.1f}K" for x in AMOUNTS],
    "at once": [f"{abs(round(x))}mi" for x in AMOUNTS],
    "units": [f"{x:.1f} kg" for x in AMOUNTS],
    "hours of runs": [f"{round(abs(x)) // 20}:{round(abs(x)) % 60:02d}:{round(abs(x)) % 59:02d}" for x in AMOUNTS],
    "laps": [f"{int(abs(x)) % 75:02d}:{abs(x) % 60:06.3f}" for x in AMOUNTS],
    "balances": [f"{'-' if x < 0 else ''}{int(abs(x)) // 20}:{int(abs(x)) % 59 + 1:02d}" for x in AMOUNTS],
    "hours, minutes": [f"{round(abs(x)) // 60}h {round(abs(x)) % 60}m" for x in AMOUNTS],
    "ISO 8601": [f"PT{round(abs(x)) // 60}H{round(abs(x)) % 60}M" for x in AMOUNTS],
    "days, hours": [f"{round(abs(x)) // 60} days {round(abs(x)) % 24:02d} hours" for x in AMOUNTS],
    "feet, inches": [f"{round(abs(x)) % 400 + 3}'{round(abs(x)) % 12}\"" for x in AMOUNTS],
    "trimmed": [f"${round(abs(x))}" if i % 3 else f"${abs(x):.1f}".removesuffix(".0") for i, x in enumerate(AMOUNTS)],
}


@pytest.mark.parametrize("cells", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("min_count", [1, 5])
def test_numbers_are_learned_as_numbers_and_written_as_they_were(cells, min_count):
    made = Table(name="t", columns={"x": cells_of(cells), "y": cells_of(RNG.normal(size=400).tolist(), "float64")})
    codec = TableCodec.from_json(json.loads(json.dumps(TableCodec.fit(made, min_count=min_count).to_json())))
    column = codec.by_name["x"]
    assert column.column_type in ("continuous", "integer") and column.notation is not None
    back = codec.table({"row": codec.pack_table(made.columns)})["x"]
    assert column.notation.follows(back)
    if min_count == 1:
        assert back == cells


@pytest.mark.parametrize(
    "cells",
    [
        ["A1", "A2"],
        ["#12", "#13"],
        ["007", "012"],
        ["1,2,3", "4"],
        ["$5", "€6"],
        ["1,23,456"],
        ["-1", "2.5", "3e5"],
        ["+49", "+1"],
        ["Q1", "12"],
        ["12a", "15a"],
        ["+12.5", "+3.1"],
    ],
)
def test_names_and_codes_are_no_numbers(cells):
    assert notations({"x": cells}) == {}


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ([["1,234", "999", "12,345"]], [(",", ".")]),
        ([["1,5", "2,25"]], [("", ",")]),
        ([["1.234", "2.345"]], [None]),
        ([["1.234", "2.345"], ["1,5", "2,5"]], [(".", ","), ("", ",")]),
        ([["1,234", "2,345"], ["1,5", "2,5"]], [("", ","), ("", ",")]),
        ([["1,234", "2,345"]], [(",", ".")]),
        ([["0,512", "1,234"]], [("", ",")]),
        ([["1.234.567", "3"]], [(".", ",")]),
    ],
)
def test_a_comma_before_three_digits_is_read_as_the_other_numbers_say(columns, found):
    ways = notations({str(place): cells for place, cells in enumerate(columns)})
    assert [(ways[str(i)].group, ways[str(i)].point) if str(i) in ways else None for i in range(len(columns))] == found


@settings(derandomize=True, max_examples=200)
@given(
    st.decimals(-(10**9), 10**9, places=2),
    st.sampled_from(["", ",", ".", "'", " "]),
    st.sampled_from(["-", "inner", "after", "()"]),
    st.sampled_from(["", "$", "EUR "]),
    st.sampled_from(["", "%", " kg"]),
)
def test_what_is_written_is_read_again(number, group, negative, prefix, suffix):
    way = Notation(prefix=prefix, suffix=suffix, group=group, point="," if group == "." else ".", negative=negative)
    written = way.text(f"{number:f}")
    if not (negative == "inner" and not prefix):
        assert Decimal(way.plain(written) or "nan") == number


def test_powers_of_ten_come_back_as_they_were_written():
    cells = [f"{x:.2e}" for x in np.exp(RNG.normal(0, 9, 400))]
    table = Table(name="t", columns={"x": cells_of(cells), "y": cells_of(AMOUNTS, "float64")})
    codec = TableCodec.from_json(json.loads(json.dumps(TableCodec.fit(table, min_count=1).to_json())))
    assert codec.table({"row": codec.pack_table(table.columns)})["x"] == cells


def test_mixed_cells_decimals_and_rules_between_them_come_back_exactly():
    frame = pandas.DataFrame(
        {
            "decimal": [Decimal(int(x)) / 100 for x in RNG.integers(0, 10**6, 400)],
            "few": [Decimal("1.50"), Decimal("2.00"), None, Decimal("3.25")] * 100,
            "truth": [True, 1, "a", False, 0, "b", 2, "x"] * 50,
            "digits": ["1", 1, "2", 2] * 100,
            "none": ["None", None, "True", True] * 100,
            "moment": [pandas.Timestamp(f"20{20 + i % 4}-05-01 12:00") for i in range(400)],
            "y": RNG.normal(size=400),
        }
    )
    table = table_from_frame(frame)
    codec = TableCodec.from_json(json.loads(json.dumps(TableCodec.fit(table, min_count=1).to_json())))
    assert any(rule.by == ("none",) or rule.column == "none" for rule in codec.rules)
    made = codec.table({"row": codec.pack_table(table.columns)})
    back = frame_from_columns(made, frame, {name: codec.by_name[name].dtype for name in made})
    for name in frame:
        assert [(type(a), a) for a in back[name]] == [(type(a), a) for a in frame[name]], name


def test_columns_of_categories_stay_within_them():
    frame = pandas.DataFrame({"of": pandas.Categorical(RNG.integers(0, 50, 400)), "y": RNG.normal(size=400)})
    made = (
        TableGAN(samples=128, batch=64, min_count=1, options={"width": 16, "critic_width": 16, "blocks": 1}).fit(frame).sample(40)
    )
    assert made.dtypes.equals(frame.dtypes) and made.of.notna().all()


def test_numbers_of_invoices_are_no_negative_money():
    columns = {"no": [f"INV-{i}" for i in range(1000, 1400)], "paid": [f"EUR -{i % 40 + 1}.50" for i in range(400)]}
    codec = TableCodec.fit(Table(name="bills", columns={name: cells_of(cells) for name, cells in columns.items()}))
    number, paid = codec.by_name["no"], codec.by_name["paid"]
    assert number.column_type == "identifier" and number.notation is None and number.new_identifiers(1)[0].startswith("INV-")
    assert paid.notation is not None and max(paid.choices or paid.values) < 0


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["90:12:05", "7:00:59"], ["324725", "25259"]),
        (["61:05.25", "03:00.5"], ["3665.25", "180.5"]),
        (["-1:30", "25:00"], ["-90", "1500"]),
        (["3:59:59", "2:04:10"], ["14399", "7450"]),
        (["1h 30m", "12h 5m"], ["90", "725"]),
        (["PT1H0M5S", "PT20H59M59S"], ["3605", "75599"]),
        (["P3DT4H", "P0DT23H"], ["76", "23"]),
        (["5'11\"", "6'0\""], ["71", "72"]),
        (["11 st 4 lb", "9 st 13 lb"], ["158", "139"]),
    ],
)
def test_compounds_are_so_many_of_their_smallest_unit(texts, numbers):
    way = notations({"x": texts})["x"]
    assert [way.plain(text) for text in texts] == numbers
    assert [way.text(number) for number in numbers] == texts


@pytest.mark.parametrize(
    "texts", [["2:1", "0:3"], ["120/80", "135/90"], ["10.0.0.1", "10.0.0.2"], ["7:65:00", "30:00:00"], ["12h 61m", "3h 2m"]]
)
def test_scores_addresses_and_impossible_times_are_no_compounds(texts):
    assert notations({"x": texts}) == {}


def test_times_of_a_race_and_times_of_day_are_told_apart():
    races = [f"{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}" for s in RNG.integers(2000, 20000, 300).tolist()]
    days = [f"{s // 3600:02d}:{s // 60 % 60:02d}" for s in RNG.integers(0, 86400, 300).tolist()]
    made = Table(name="t", columns={"race": cells_of(races), "day": cells_of(days)})
    codec = TableCodec.fit(made)
    assert [codec.by_name[name].column_type for name in ("race", "day")] == ["integer", "datetime"]
    assert codec.by_name["race"].dressed("7450") == "2:04:10"
