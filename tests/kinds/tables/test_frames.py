"""Data frames of other libraries than pandas come back as what they were."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from gansmith import TableGAN
from gansmith.errors import UserError
from gansmith.kinds.tables.estimator import Augmenter

polars = pytest.importorskip("polars")
ROWS = 120


def frame():
    rng = np.random.default_rng(0)
    days = [date(2021, 1, 1) + timedelta(int(each)) for each in rng.integers(0, 700, ROWS)]
    return polars.DataFrame(
        {
            "small": rng.integers(-100, 100, ROWS).astype(np.int8),
            "large": rng.integers(0, 2**62, ROWS).astype(np.uint64),
            "half": rng.normal(size=ROWS).astype(np.float32),
            "holes": polars.Series([None if x < -1 else int(9 * x) for x in rng.normal(size=ROWS)], dtype=polars.Int16),
            "choice": polars.Series(rng.choice(["a", "b"], ROWS), dtype=polars.Categorical),
            "listed": polars.Series(list(rng.choice(["x", "y"], ROWS)), dtype=polars.Enum(["x", "y", "never"])),
            "day": days,
            "written": [day.strftime("%d/%m/%Y") for day in days],
            "moment": [datetime(2022, 3, 1) + timedelta(minutes=int(each)) for each in rng.integers(0, 9**6, ROWS)],
            "lasted": [timedelta(seconds=int(each)) for each in rng.integers(0, 5000, ROWS)],
            "true": rng.random(ROWS) < 0.3,
            "price": [Decimal(int(each)).scaleb(-2) for each in rng.integers(0, 10**5, ROWS)],
        }
    )


def test_a_frame_of_polars_comes_back_with_its_types():
    given = frame().with_columns(polars.col("moment").dt.replace_time_zone("UTC").alias("zoned"))
    made = TableGAN(samples=256, min_count=1).fit(given).sample(40)
    assert made.schema == given.schema
    assert made["holes"].null_count() > 0
    assert all(datetime.strptime(day, "%d/%m/%Y") for day in made["written"])
    assert set(made["listed"]) <= {"x", "y"}


def test_missing_cells_of_polars_are_filled_and_the_rest_stays():
    given = frame()
    filled = TableGAN(samples=256, min_count=1).fit(given).impute(given)
    assert filled.schema == given.schema
    there = given["holes"].is_not_null()
    assert filled["holes"].filter(there).equals(given["holes"].filter(there))


@pytest.mark.parametrize("as_array", [False, True])
def test_classes_of_a_frame_of_polars_are_balanced(as_array):
    given = frame().select("small", "half", "choice")
    answers = polars.Series("paid", np.where(np.arange(ROWS) % 4, "no", "yes"))
    y = answers.to_numpy() if as_array else answers
    rows, more = Augmenter(TableGAN(samples=256, min_count=1)).fit_resample(given, y)
    assert type(more) is type(y)
    assert rows.schema == given.schema
    assert rows[:ROWS].equals(given)
    assert (list(more).count("yes"), list(more).count("no")) == (ROWS * 3 // 4, ROWS * 3 // 4)
    assert list(more)[:ROWS] == list(y)
    assert as_array or more.name == "paid"


def test_a_table_of_arrow_grows_by_a_share():
    pyarrow = pytest.importorskip("pyarrow")
    table = frame().select("small", "half").to_arrow()
    y = pyarrow.chunked_array([["no", "yes"] * (ROWS // 2)])
    rows, more = Augmenter(TableGAN(samples=256, min_count=1), balance=False, share=0.5).fit_resample(table, y)
    assert rows.schema == table.schema
    assert (rows.num_rows, len(more)) == (ROWS * 3 // 2, ROWS * 3 // 2)


def test_a_frame_that_holds_no_rows_yet_is_refused():
    with pytest.raises(UserError, match=r"give X\.collect\(\)"):
        TableGAN(samples=256).fit(frame().lazy())
