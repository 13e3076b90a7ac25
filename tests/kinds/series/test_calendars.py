"""Dates come back on their own calendar; what is no calendar is answered in a sentence."""

import numpy as np
import pandas
import pytest

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.series.calendar import Calendar, calendar_of, format_of
from gansmith.kinds.series.holidays import easter

RNG = np.random.default_rng(0)


def quarters(form):
    return [form.format(y=when.year, q=(when.month + 2) // 3) for when in pandas.date_range("1990-04-01", periods=60, freq="QS")]


def days(freq, start="2019-11-30", periods=120, form="%Y-%m-%d"):
    return pandas.date_range(start, periods=periods, freq=freq).strftime(form).tolist()


CALENDARS = {
    "business days": days("B"),
    "six days a week": [each for each in days("D", periods=200) if pandas.Timestamp(each).weekday() != 6],
    "weekends": [each for each in days("D", periods=400) if pandas.Timestamp(each).weekday() > 4],
    "Mondays, Wednesdays and Fridays": [each for each in days("D", periods=200) if pandas.Timestamp(each).weekday() in (0, 2, 4)],
    "every second day": days("2D"),
    "Fridays": days("W-FRI"),
    "month ends": days("ME"),
    "month ends from February": days("ME", "2021-02-28"),
    "month starts": days("MS"),
    "business month ends": days("BME"),
    "business month starts": days("BMS"),
    "every 30th": [f"20{21 + i // 12}-{1 + i % 12:02d}-{28 if i % 12 == 1 else 30}" for i in range(24)][1:],
    "quarter ends": days("QE"),
    "business quarter ends": days("BQE"),
    "year ends": days("YE", periods=40),
    "months without days": days("MS", form="%Y-%m"),
    "ISO weeks": days("W-MON", form="%G-W%V"),
    "quarters": quarters("{y}Q{q}"),
    "quarters with a dash": quarters("{y}-Q{q}"),
    "quarters first": quarters("Q{q} {y}"),
    "hours in New York": [
        each.isoformat() for each in pandas.date_range("2021-03-10", periods=400, freq="h", tz="America/New_York")
    ],
    "quarter hours in Berlin": [
        each.isoformat(sep=" ") for each in pandas.date_range("2021-10-29", periods=400, freq="15min", tz="Europe/Berlin")
    ],
    "days in New York": [
        each.isoformat() for each in pandas.date_range("2021-03-10", periods=300, freq="D", tz="America/New_York")
    ],
    "a constant offset": [each.isoformat() for each in pandas.date_range("2021-03-10", periods=50, freq="h", tz="Asia/Kolkata")],
}


@pytest.mark.parametrize("cells", CALENDARS.values(), ids=CALENDARS)
def test_times_go_on_exactly_as_they_did(cells):
    found = calendar_of("t", cells, format_of(cells), range(len(cells)), "file")
    assert found.times(len(cells)) == cells
    assert found.places(cells).tolist() == list(range(len(cells)))


def refusal(cells):
    with pytest.raises(UserError) as caught:
        calendar_of("t", cells, format_of(cells), range(2, len(cells) + 2), "file")
    return str(caught.value)


def test_days_that_are_left_out_are_named():
    every = days("D", periods=300)
    assert "2020-03-20 in line 103" in refusal(every[:101] + every[111:]) and "11 days after" in refusal(
        every[:101] + every[111:]
    )
    assert "2 days after the row above, where steps are 1 day" in refusal(
        [each for i, each in enumerate(every) if i % 7 != 3 or i % 2]
    )
    business = days("B", periods=300)
    some = [each for i, each in enumerate(business) if i % 7 != 2]
    assert "steps are 1 day" in refusal(some)
    assert "steps are 1 month" in refusal(days("ME")[:30] + days("ME")[31:])
    holidays = [each for i, each in enumerate(business) if i % 40 != 20]
    assert calendar_of("t", holidays, "%Y-%m-%d", range(300), "file").rule == "weekdays"


def test_what_daylight_saving_does_to_local_times_is_said():
    local = [
        each.strftime("%Y-%m-%d %H:%M") for each in pandas.date_range("2021-03-10", periods=300, freq="h", tz="America/New_York")
    ]
    assert "daylight saving leaves out" in refusal(local)
    local = [
        each.strftime("%Y-%m-%d %H:%M") for each in pandas.date_range("2021-10-29", periods=300, freq="30min", tz="Europe/Berlin")
    ]
    assert "daylight saving repeats" in refusal(local)


def table(tmp_path, **columns):
    pandas.DataFrame(columns).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_what_is_left_out_is_filled_in_on_the_calendar(tmp_path):
    for cells in (days("B"), days("ME"), days("D")):
        path = table(tmp_path, t=cells[:50] + cells[55:], x=[*range(50), *range(55, 120)])
        data = open_dataset(path, kind="series", fill="linear", window=40)
        assert any("5 steps that the times leave out are filled in" in note for note in data.remarks())
        assert (np.diff(data.packed(slice(None))["series"], axis=1) == 1).all()


def test_entities_of_different_steps_are_refused(tmp_path):
    path = table(tmp_path, id=["a"] * 60 + ["b"] * 60, t=days("D", periods=60) + days("W", periods=60), x=RNG.normal(size=120))
    with pytest.raises(UserError, match="the series b of .* has steps of 7 days, where the first series has 1 day"):
        open_dataset(path, kind="series")
    path = table(tmp_path, id=["a"] * 60 + ["b"] * 60, t=days("ME", periods=60) + days("MS", periods=60), x=RNG.normal(size=120))
    assert open_dataset(path, kind="series").codec.calendar.rule == "months"


def test_numbers_far_from_0_and_near_it_keep_their_steps_and_signs(tmp_path):
    meter = 1_700_000_000 + RNG.integers(3, 12, 300).cumsum()
    path = table(
        tmp_path, t=days("D", periods=300), meter=meter, side=3e-9 + 1e-10 * RNG.random(300), debt=-RNG.gamma(3, size=300)
    )
    data = open_dataset(path, kind="series")
    codec = data.codec
    made = codec.decode(codec.unpack(data.packed(np.arange(5))))
    assert made[0].values[:, 0].tolist() == meter[:24].tolist()
    assert np.abs(made[0].values[:, 1] / 3e-9 - 1).max() < 0.04 and len(set(made[0].values[:, 1])) == 24
    noise = codec.unpack(data.packed(np.arange(5)))
    noise["series"] = noise["series"] + 5
    assert all((raw.values[:, 2] <= 0).all() for raw in codec.decode(noise)) and codec.negative == (False, False, True)
    codec.write(made, tmp_path / "made.npz")
    assert np.load(tmp_path / "made.npz")["series"][0, :, 0].tolist() == meter[:24].tolist()
    assert codec.text(made).splitlines()[1].split(",")[2] == str(meter[0])


def open_days(first: str, last: str, closed: set[str]) -> list[str]:
    days = np.arange(first, last, dtype="datetime64[D]")
    return [str(day) for day in days[np.is_busday(days)] if str(day) not in closed]


def test_holidays_that_return_each_year_are_left_out_beyond_the_data_too():
    """Christmas and, on the Monday after, its Sundays; Thanksgiving; the last Monday of May; Good Friday; one single day."""
    closed = {"2012-12-25", "2013-12-25", "2014-12-25", "2015-12-25", "2016-12-26", "2017-12-25", "2018-12-25", "2022-12-26"}
    closed |= {"2012-11-22", "2013-11-28", "2014-11-27", "2015-11-26", "2016-11-24", "2017-11-23", "2018-11-22", "2022-11-24"}
    closed |= {"2012-05-28", "2013-05-27", "2014-05-26", "2015-05-25", "2016-05-30", "2017-05-29", "2018-05-28", "2022-05-30"}
    closed |= {"2012-04-06", "2013-03-29", "2014-04-18", "2015-04-03", "2016-03-25", "2017-04-14", "2018-03-30", "2022-04-15"}
    days = open_days("2012-01-02", "2019-01-01", {*closed, "2012-10-29"})
    found = calendar_of("day", days, "%Y-%m-%d", range(len(days)), "x.csv")
    assert found.closed == ("11/4/3@2012", "12-25+@2012", "5/-1/0@2012", "easter-2@2012", "2012-10-29")
    assert found.times(len(days)) == days
    assert (np.diff(found.places(days)) == 1).all()
    later = found.times(len(days) + 1100)
    assert not closed & set(later) and {"2020-10-29", "2022-12-23", "2022-12-27"} <= set(later)


def test_days_missing_by_chance_are_no_holidays_but_stay_out_of_the_datas_own_time():
    rng = np.random.default_rng(0)
    days = [day for day in open_days("2018-01-01", "2021-01-01", set()) if rng.random() > 0.02]
    found = calendar_of("day", days, "%Y-%m-%d", range(len(days)), "x.csv")
    assert found.times(len(days)) == days and not any("@" in each for each in found.closed)


@pytest.mark.parametrize("closed", ["13-45@2000", "christmas", "11/4@2000", "12-25@soon", "2001-02-30", "easter?@3"])
def test_holidays_that_are_none_are_refused(closed):
    with pytest.raises(UserError, match="is no holiday"):
        Calendar("day", "%Y-%m-%d", "2020-01-01", 86400.0, "weekdays", closed=(closed,))


def test_easter_is_that_of_the_almanac():
    assert [str(easter(year)) for year in (1961, 1999, 2000, 2024, 2025, 2038)] == [
        "1961-04-02",
        "1999-04-04",
        "2000-04-23",
        "2024-03-31",
        "2025-04-20",
        "2038-04-25",
    ]
