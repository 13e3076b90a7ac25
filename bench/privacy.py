"""What can be rebuilt of a table from the model's file alone, and what keeping less costs.

    python bench/privacy.py FOLDER --tables adult,kc_house,thyroid,credit_data,insurance

FOLDER holds NAME_train.csv.gz. Columns of persons (an e-mail address that a third of the rows share, a customer's number, a phone number,
an account) are added to each. The attacker reads every text and number of the codec's JSON and spells it as the column does. Of the
values that fewer than five rows have, `rebuilt` is the share that is then found; `by_chance` is the share that occurs among another half
of the rows, which the model never saw (0 for what is unique, more where few numbers are possible at all). `shapes` is how well single
columns drawn from what is kept agree with held-out rows (1 - Kolmogorov-Smirnov or total variation), whose own agreement with the training
rows is the ceiling. No network takes part: it has no place for single values of columns, and bench/tables.py measures it.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.kinds.tables.cells import Cells, Table, cells_of
from gansmith.kinds.tables.checksums import complete
from gansmith.kinds.tables.codec import TableCodec
from gansmith.kinds.tables.columns import MADE_UP
from gansmith.kinds.tables.files import table_from_csv
from gansmith.kinds.tables.metrics.table_shapes import Against
from gansmith.kinds.tables.views import view_of

RESULTS = Path(__file__).parent / "results" / "privacy.json"
FEW = 5


def persons(rows: int) -> dict[str, Cells]:
    """Columns of made-up persons."""
    rng = np.random.default_rng(0)
    of_row = rng.integers(0, 2 * rows // 3, rows)
    digits = rng.integers(0, 10, (rows, 20))
    text = ["".join(map(str, each)) for each in digits.tolist()]
    return {
        "mail": cells_of(f"user{text[i][:6]}@example.com" for i in of_row),
        "customer": cells_of(f"C{i:06d}" for i in range(rows)),
        "phone": cells_of(f"+49 151 {each[:8]}" for each in text),
        "iban": cells_of(complete("iban", f"DE00{each[:18]}") for each in text),
    }


def rebuilt(codec: TableCodec, real: Table, other: Table) -> dict[str, Any]:
    """The shares of rare values that are found in the codec's JSON, and among the other rows."""
    facts = json.loads(json.dumps(codec.to_json()))
    found = chance = total = 0
    worst = ("", 0.0)
    for described in facts["columns"]:
        column = codec.by_name[described["name"]]
        seen = {str(column.spelled(each)) for each in _leaves(described)} | {str(each) for each in _leaves(described)}
        seen |= {str(each) for rule in facts["rules"] if column.name in (rule["column"], *rule["by"]) for each in _leaves(rule)}
        values = [value for value in real.columns[column.name].values() if value is not None]
        rare = {str(value) for value, count in Counter(values).items() if count < FEW}
        if rare and column.column_type != "boolean":
            found, total = found + len(rare & seen), total + len(rare)
            chance += len(rare & set(map(str, other.columns[column.name].values())))
            worst = max(worst, (column.name, len(rare & seen) / len(rare)), key=lambda each: each[1])
    return {"rebuilt": found / total, "by_chance": chance / total, "rare_values": total, "worst_column": worst}


def _leaves(facts: Any) -> list[Any]:
    if isinstance(facts, dict):
        return [leaf for key, value in facts.items() for leaf in (key, *_leaves(value))]
    if isinstance(facts, list):
        return [leaf for value in facts for leaf in _leaves(value)]
    return [facts]


def drawn(codec: TableCodec, rows: int) -> dict[str, list[Any]]:
    """Columns drawn from what is kept, each by itself."""
    rng, parts = np.random.default_rng(1), []
    for column in codec.learned:
        shares = np.array(column.counts if column.values else column.counts[:-1], float)
        chosen = rng.choice(len(shares), rows, p=shares / shares.sum())
        if len(column.sizes) == 2 and not column.values:
            parts += [chosen // column.sizes[1], chosen % column.sizes[1]]
            continue
        parts += ([chosen] if len(column.sizes) > 1 or not column.values else []) + (
            [rng.normal(size=rows)] if column.values else []
        )
    return codec.table({"row": np.stack(parts, 1).astype(np.float32)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", default="adult,kc_house,thyroid,credit_data,insurance")
    options = parser.parse_args()
    records = []
    for name in options.tables.split(","):
        read = table_from_csv(options.folder / f"{name}_train.csv.gz")
        whole = Table(name=name, columns=read.columns | persons(len(read)))
        order = np.random.default_rng(0).permutation(len(whole))
        train, other = (
            Table(name=name, columns={key: cells.take(rows) for key, cells in whole.columns.items()})
            for rows in (order[: len(order) // 2], order[len(order) // 2 :])
        )
        for min_count in (1, FEW):
            start = time.process_time()
            codec = TableCodec.fit(train, min_count=min_count)
            seconds = time.process_time() - start
            known = [column for column in codec.columns if column.column_type not in MADE_UP]
            views = [
                view_of(columns, known)
                for columns in (
                    {key: cells.values() for key, cells in train.columns.items()},
                    {key: cells.values() for key, cells in other.columns.items()},
                    drawn(codec, len(other)),
                )
            ]
            shapes, ceiling = (
                float(np.nanmean(list(Against(views[1], each).shapes(np.arange(len(each.values))).values())))
                for each in (views[2], views[0])
            )
            records.append(
                {"table": name, "rows": len(train), "min_count": min_count, **rebuilt(codec, train, other), "shapes": shapes}
                | {"shapes_of_real_rows": ceiling, "cpu_seconds": round(seconds, 2)}
            )
            print(json.dumps(records[-1]))
    RESULTS.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
