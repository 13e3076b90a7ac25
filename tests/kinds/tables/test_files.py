"""Tables as spreadsheets of other countries write them."""

import pytest

from gansmith.kinds.tables.files import table_from_csv


def read(path, text):
    path.write_text(text, encoding="utf-8")
    return table_from_csv(path)


def test_decimal_commas_beside_semicolons_are_numbers(tmp_path):
    table = read(tmp_path / "prices.csv", "price;total;town\n1,5;1.234,50;Köln\n-2,25;999;Bonn\nNA;12.345.678,9;a,b\n")
    assert table.columns["price"].values() == ["1.5", "-2.25", None]
    assert table.columns["total"].values() == ["1234.50", "999", "12345678.9"]
    assert table.columns["town"].values() == ["Köln", "Bonn", "a,b"]
    assert table.notes == (
        "decimal commas of price, total are read as points, and written so",
        'NA in "price" is read as a missing cell',
    )


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("x;y\n1.5;a\n2.5;b\n", ["1.5", "2.5"]),
        ('x,y\n"1,5",a\n"2,5",b\n', ["1,5", "2,5"]),
        ("x;y\n1,5;a\n1,2,3;b\n", ["1,5", "1,2,3"]),
    ],
)
def test_other_commas_and_points_stay(tmp_path, text, cells):
    table = read(tmp_path / "plain.csv", text)
    assert table.columns["x"].values() == cells and not table.notes
