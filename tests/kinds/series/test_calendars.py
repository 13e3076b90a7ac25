"""Dates come back on their own calendar; what is no calendar is answered in a sentence."""

import numpy as np
import pandas
import pytest

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.series.calendar import calendar_of, format_of

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
