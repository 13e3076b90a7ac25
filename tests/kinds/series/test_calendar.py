"""Dates and times of rows."""

import pytest

from gansmith.errors import UserError
from gansmith.kinds.series.calendar import calendar_of, format_of


def calendar(cells, column="Date"):
    return calendar_of(column, cells, format_of(cells), list(range(2, len(cells) + 2)), "prices.csv")


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        (["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11"], "weekdays"),
        (["2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08", "2024-01-09", "2024-01-10"], "seconds"),
        (["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"], "months"),
        (["2024-01-01 00:00", "2024-01-01 00:15", "2024-01-01 00:30"], "seconds"),
        (["1/4/1999", "1/5/1999", "1/6/1999"], "seconds"),
    ],
)
def test_times_go_on_as_they_were_and_are_written_as_they_were(cells, rule):
    found = calendar(cells)
    assert found.rule == rule
    written = found.times(len(cells))
    assert [format_of([a]) and a.replace("/0", "/").lstrip("0") for a in written] == [a.lstrip("0") for a in cells]


def test_weekends_stay_out_however_far_the_dates_go():
    found = calendar(["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11"])
    assert found.times(12)[-4:] == ["2024-01-16", "2024-01-17", "2024-01-18", "2024-01-19"]


def test_holidays_are_no_unequal_steps():
    days = ["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-16", "2024-01-17"]
    assert calendar(days).rule == "weekdays"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["2024-01-02", "2024-01-01", "2024-01-03"], "line 3.*comes before the row above: sort"),
        (["2024-01-01", "2024-01-02", "2024-01-02"], "line 4.*occurs twice"),
        (["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 05:00"], "3 hours after.*steps are 1 hour:"),
    ],
)
def test_times_out_of_order_double_or_unequal_are_named(cells, words):
    with pytest.raises(UserError, match=words):
        calendar(cells)


def test_plain_numbers_are_no_times():
    assert format_of(["1", "2", "3"]) is None and format_of(["49.67", "50.1", "54.1"]) is None
