"""Dates of any usual way to write them are read as dates, and written back as they were."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.column_types import type_of
from gansmith.kinds.tables.dates import as_read, date_format, has_year, read_date, spelled_date
from gansmith.kinds.tables.frames import pandas_from_columns

MOMENTS = [datetime(2019, 3, 1, 0, 5, 7) + timedelta(days=7 * i, minutes=133 * i) for i in range(300)]
WRITTEN = {
    "%d.%m.%y": "15.03.19",
    "%b %d, %Y": "Mar 15, 2019",
    "%d-%^b-%Y": "15-MAR-2019",
    "%m/%d/%Y %I:%M %p": "03/15/2019 04:31 AM",
    "%-m/%-d/%Y %-I:%M:%S %P": "3/15/2019 4:31:07 am",
    "%-d %B %Y": "15 March 2019",
    "%A, %B %d, %Y": "Friday, March 15, 2019",
    "%a, %d %b %Y %H:%M:%S": "Fri, 15 Mar 2019 04:31:07",
    "%d/%m/%y": "15/03/19",
    "%m/%d/%y": "03/15/19",
    "%y-%m-%d": "19-03-15",
    "%Y.%m.%d": "2019.03.15",
    "%d.%m.%Y, %H:%M:%S": "15.03.2019, 04:31:07",
    "%Y%m%d%H%M%S": "20190315043107",
    "%b %Y": "Mar 2019",
    "%m/%Y": "03/2019",
    "%-m/%-d/%Y %-H:%M": "3/15/2019 4:31",
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_format_is_recognised_and_written_as_it_was(form):
    assert spelled_date(MOMENTS[2], form) == WRITTEN[form]
    texts = [spelled_date(moment, form) for moment in MOMENTS]
    assert date_format(texts) == form
    assert all(spelled_date(read_date(text, form), form) == text for text in texts)
    assert type_of("x", cells_of(texts), 5) == "datetime"


@pytest.mark.parametrize("form", ["%d.%m.%y", "%-m/%-d/%Y %-I:%M %p", "%d-%^b-%Y"])
def test_such_columns_come_back_in_their_format_and_as_dates_of_frames(form):
    texts = [spelled_date(moment, form) for moment in MOMENTS]
    table = Table(name="t", columns={"day": cells_of(texts), "x": cells_of(np.arange(300.0).tolist(), "float64")})
    codec = TableCodec.fit(table, min_count=1)
    back = codec.table({"row": codec.pack_table(table.columns)})["day"]
    assert back == texts
    assert pandas_from_columns({"day": back}, codec.columns)["day"].dt.year.tolist() == [moment.year for moment in MOMENTS]


@pytest.mark.parametrize(
    "texts", [["a b c"], ["1-2-3"], ["AB-123-CD"], ["1.2.3"], ["192.168.10"], ["10-20-30", "99-99-99"], ["Mon 3"]]
)
def test_names_and_numbers_are_no_dates(texts):
    assert date_format(texts) is None


def test_a_day_that_could_be_a_month_is_the_one_with_which_all_fit():
    assert date_format(["12/11/10", "12/31/10"]) == "%m/%d/%y"
    assert date_format(["12/11/10", "31/12/10"]) == "%d/%m/%y"
    assert date_format(["12.11.10", "02.01.11"]) == "%d.%m.%y"


def test_what_other_readers_take():
    assert as_read("%-d.%-m.%y %-I:%M %P") == "%d.%m.%y %I:%M %p"
    assert has_year("%d.%m.%y") and has_year("date") and not has_year("%H:%M")
