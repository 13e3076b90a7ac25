"""Conditions that are rare or contradict each other, and the rules that decide it."""

import time

import numpy as np
import pandas
import pytest

from gansmith import TableGAN
from gansmith.errors import UserError
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.frames import table_from_frame
from gansmith.kinds.tables.rules import combined, infer

RNG = np.random.default_rng(1)
ROWS = 2000


@pytest.fixture(scope="module")
def frame() -> pandas.DataFrame:
    made = pandas.DataFrame({"school": RNG.choice(["short", "middle", "long"], ROWS, p=[0.6, 0.3, 0.1])})
    made["years"] = made.school.map({"short": 9, "middle": 13, "long": 17})
    made["a"], made["b"] = RNG.integers(0, 100, ROWS), RNG.integers(0, 100, ROWS)
    made["total"] = made.a + made.b
    made["from"] = pandas.Timestamp("2020-01-01") + pandas.to_timedelta(RNG.integers(0, 700, ROWS), "D")
    made["to"] = made["from"] + pandas.to_timedelta(RNG.integers(0, 15, ROWS), "D")
    made["rare"] = np.where(RNG.random(ROWS) < 0.004, "yes", "no")
    for place in range(20):
        made[f"c{place}"] = RNG.choice(list("abcdefgh"), ROWS) if place % 2 else RNG.normal(size=ROWS).round(3)
    return made


@pytest.fixture(scope="module")
def fitted(frame) -> TableGAN:
    made = TableGAN(samples=64 * 20, batch=64, options={"width": 32, "critic_width": 32, "blocks": 1}).fit(frame)
    made.sample(1)
    return made


def test_the_rules_of_the_table_are_found(fitted):
    assert set(fitted.rules_) == {"years is decided by school", "total = a + b", "to >= from"}


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ({"school": "short", "years": "13"}, "since years is decided by school"),
        ({"a": ">90", "b": ">90", "total": "<100"}, "since total = a \\+ b"),
        ({"from": ">2021-06-01", "to": "<2021-01-01"}, "since to >= from"),
        ({"a": ">90", "total": "<80"}, "since total = a \\+ b"),
    ],
)
def test_conditions_that_no_row_can_meet_are_refused_with_the_rule(fitted, where, why):
    with pytest.raises(UserError, match=f"no row can have .*{why}"):
        fitted.sample(1000, where=where)


@pytest.mark.parametrize(
    "where",
    [
        {"rare": "yes", "school": "long", "a": ">95"},
        {"rare": "yes", "c1": "a", "c3": "b", "c5": "c", "c7": "d"},
        {"from": "=2020-03-05", "to": "=2020-03-06", "school": "long"},
    ],
)
def test_rare_conditions_are_met_quickly(fitted, where):
    start = time.process_time()
    made = fitted.sample(1000, where=where)
    assert time.process_time() - start < 5
    assert all((made[name] == value).all() for name, value in where.items() if value[0] not in "<>=")


def test_what_cannot_be_had_is_said_with_the_shares_in_the_data(fitted):
    start = time.process_time()
    with pytest.raises(UserError, match=r"none of .*by themselves: total 198 in .*%, rare yes in 0\.\d\d% of the data"):
        fitted.sample(20_000, where={"total": "198", "rare": "yes"})
    assert time.process_time() - start < 5


def rules(frame):
    return [rule.sentence() for rule in TableCodec.fit(table_from_frame(frame)).rules]


def test_sums_products_and_what_is_computed_of_them_are_found_and_kept():
    a, b, c = (RNG.integers(0, 100, ROWS) for _ in range(3))
    price, count, rate = RNG.gamma(3, 10, ROWS).round(2), RNG.integers(1, 9, ROWS), RNG.choice([0.05, 0.1, 0.19], ROWS)
    made = pandas.DataFrame({"a": a, "b": b, "c": c, "all": a + b + c, "price": price, "count": count, "rate": rate})
    made["amount"] = (price * count).round(2)
    made["tax"] = (price * rate).round(2)
    made["gross"] = (made.amount + made.tax).round(2)
    made["guests"] = made["count"] + (made.b % 4)
    made["children"] = made.b % 4
    assert set(rules(made)) == {
        "amount = price * count",
        "tax = price * rate",
        "all = a + b + c",
        "gross = amount + tax",
        "guests = count + children",
    }
    table = table_from_frame(made)
    codec = TableCodec.fit(table, min_count=1)
    noise = codec.table({"row": RNG.permuted(codec.pack_table(table.columns), axis=0)})
    assert not any(rule.violations(noise).any() for rule in codec.rules)
    back = codec.table({"row": codec.pack_table(table.columns)})
    assert not any(rule.violations(back).any() for rule in codec.rules) and back["all"] == made["all"].tolist()


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d/%m/%Y", "%Y-%m-%dT%H:%M:%S"])
def test_a_date_that_is_never_before_another_is_a_rule(form):
    first = pandas.Timestamp("2020-01-01") + pandas.to_timedelta(RNG.integers(0, 700, 500), "D")
    last = first + pandas.to_timedelta(RNG.integers(0, 20, 500), "D")
    assert rules(pandas.DataFrame({"in": first.strftime(form), "out": last.strftime(form), "x": RNG.normal(size=500)})) == [
        "out >= in"
    ]


def test_no_rule_is_born_of_chance():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = int(rng.integers(60, 400))
        columns = {f"word{i}": rng.choice(list("abcdef")[: rng.integers(2, 6)], rows) for i in range(4)}
        columns |= {f"whole{i}": rng.integers(0, rng.integers(2, 50), rows) for i in range(4)}
        columns |= {f"real{i}": rng.normal(size=rows) for i in range(3)}
        columns |= {"fraud": rng.random(rows) < 3 / rows, "few": np.where(rng.random(rows) < 0.02, rng.integers(1, 5, rows), 0)}
        for name, year in (("d", "2020"), ("e", "2021")):
            columns[name] = pandas.Timestamp(f"{year}-01-01") + pandas.to_timedelta(rng.integers(0, 400, rows), "D")
        table = table_from_frame(pandas.DataFrame(columns))
        from gansmith.kinds.tables.column_types import type_of

        assert infer(table.columns, {name: type_of(name, cells, 5) for name, cells in table.columns.items()}) == [], seed


def test_ranges_of_sums_and_products():
    assert combined("sum", [(1, 2), (10, 20)]) == (11, 22)
    assert combined("product", [(-1, 2), (10, 20)]) == (-20, 40)
    assert combined("at_least", [(3, 5)]) == (3, float("inf"))
