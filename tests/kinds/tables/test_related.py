"""Several tables whose rows belong to each other: keys are found, children follow their parents, and every reference has its row."""

import csv
import json
import re
import sys

import numpy as np
import pytest

from gansmith.cli import main
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.kinds.tables.columns import Column
from gansmith.kinds.tables.files import table_from_csv
from gansmith.kinds.tables.related.joined import children, joined
from gansmith.kinds.tables.related.judging import at_random, halves, integrity, scores
from gansmith.kinds.tables.related.keys import Keys, find_keys, place_of
from gansmith.kinds.tables.related.making import Related, condition_of
from gansmith.kinds.tables.related.parts import tables_in
from gansmith.kinds.tables.related.totals import find_totals
from gansmith.model import Model

RNG = np.random.default_rng(0)


def shop(customers: int = 120) -> dict[str, Table]:
    """Customers of two kinds, of whom one buys more often and for more; items refer to orders and to products."""
    people, orders, items = [], [], []
    for number in range(customers):
        kind = RNG.choice(["firm", "person"])
        people.append([f"C{number:03d}", kind, int(RNG.integers(20, 80))])
        for place in range(RNG.poisson(6 if kind == "firm" else 2)):
            day = f"2020-{1 + place % 12:02d}-{RNG.integers(1, 29):02d}"
            orders.append([100 + len(orders), people[-1][0], day, round(float(RNG.gamma(9 if kind == "firm" else 3)), 2)])
            items += [[orders[-1][0], f"P{RNG.integers(0, 12):02d}", int(RNG.integers(1, 5))] for _ in range(1 + place % 3)]
    goods = [[f"P{i:02d}", "book" if i % 2 else "tool", float(3 + i)] for i in range(12)]
    heads = {
        "customers": ["customer_id", "kind", "age"],
        "items": ["order_id", "product_id", "quantity"],
        "orders": ["id", "customer_id", "day", "amount"],
        "products": ["product_id", "category", "price"],
    }
    rows = {"customers": people, "items": items, "orders": orders, "products": goods}
    found = {}
    for name, head in heads.items():
        columns = zip(*rows[name], strict=True)
        found[name] = Table(name=name, columns={key: cells_of(map(str, cells)) for key, cells in zip(head, columns, strict=True)})
    return found


def write(tables, folder):
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(
                [list(table.columns), *zip(*(cells.values() for cells in table.columns.values()), strict=True)]
            )
    return folder


def test_keys_and_references_are_found_by_names_and_values():
    keys = find_keys(shop())
    assert keys.keys == {"customers": "customer_id", "items": None, "orders": "id", "products": "product_id"}
    assert {(link.child, link.column, link.parent) for link in keys.links} == {
        ("items", "order_id", "orders"),
        ("items", "product_id", "products"),
        ("orders", "customer_id", "customers"),
    }
    assert keys.parent_of("items").parent == "orders" and [link.parent for link in keys.references_of("items")] == ["products"]
    assert keys.order().index("customers") < keys.order().index("orders") < keys.order().index("items")
    assert keys.sorts["orders"] == "day"


def test_a_schema_says_what_is_not_found():
    tables = shop()
    orders = tables["orders"].columns
    tables["orders"] = Table(
        name="orders", columns={"buyer" if name == "customer_id" else name: cells for name, cells in orders.items()}
    )
    assert "orders" not in [link.child for link in find_keys(tables).links]
    keys = find_keys(tables, {"orders": {"parents": {"buyer": "customers"}, "order": "amount"}})
    assert keys.parent_of("orders").column == "buyer" and keys.sorts["orders"] == "amount"
    for schema, why in (
        ({"order": {}}, 'names "order".*"orders"'),
        ({"orders": {"key": "no"}}, 'column "no" of orders'),
        ({"orders": {"parents": {"buyer": "people"}}}, 'table "people"'),
    ):
        with pytest.raises(UserError, match=why):
            find_keys(tables, schema)


def test_rows_that_refer_to_none_are_named():
    tables = shop()
    tables["customers"] = Table(
        name="customers", columns={k: v.take(np.arange(1, 120)) for k, v in tables["customers"].columns.items()}
    )
    with pytest.raises(
        UserError, match=r"orders.customer_id is C000 in row 1, but customers.customer_id never is \(\d+ such rows\)"
    ):
        find_keys(tables)
    with pytest.raises(UserError, match="no column of a, b refers"):
        find_keys({name: Table(name=name, columns={"x": cells_of(["1", "2"])}) for name in "ab"})


def test_a_childs_rows_stand_beside_their_parent_and_the_row_before():
    tables = shop()
    keys = find_keys(tables)
    made, given = joined("orders", tables, keys, 1)
    columns = {name: cells.values() for name, cells in made.columns.items()}
    assert list(given) == ["customers.kind", "customers.age", "before.day", "before.amount"] and "rows of items" in columns
    counts = children("orders", tables, keys)
    starts = np.cumsum(counts)[:-1]
    lacking = np.array([cell is None for cell in columns["before.day"]])
    assert set(np.flatnonzero(lacking)) == {0, *(start for start in starts.tolist() if start < len(lacking))}
    assert all(b is None or b <= d for b, d in zip(columns["before.day"], columns["day"], strict=True))
    naive = {row[0]: row[1] for row in zip(*(c.values() for c in tables["customers"].columns.values()), strict=True)}
    assert sorted(columns["customers.kind"]) == sorted(naive[c] for c in tables["orders"].columns["customer_id"].values())
    assert "customers.kind" in joined("items", tables, keys, 1)[0].columns
    assert list(map(int, joined("customers", tables, keys, 1)[0].columns["rows of orders"].values())) == counts.tolist()


def test_a_folder_of_tables_is_inspected(tmp_path, capsys):
    tables = shop()
    folder = write(tables, tmp_path / "shop")
    assert main(["inspect", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["count"]) == ("tables", sum(map(len, tables.values())))
    assert "customers.kind" in found["columns"] and "orders.amount" in found["columns"]
    counts = children("orders", tables, find_keys(tables))
    rows = f"a row of customers has {counts.min()} to {counts.max()} rows of orders, {counts.mean():.3g} on average; "
    assert f"{rows}{(counts == 0).sum()} of 120 have none" in found["notes"]
    assert {"items.product_id refers to products.product_id", "100% of the references have their row"} <= set(found["notes"])
    assert "would train a model for each part" in found["suggestion"]
    rows = ("100,C000,2020-01-01,3", "101,C001,2020-01-02,4", "102,C999,2020-01-03,5")
    (folder / "orders.csv").write_text("\n".join(["id,customer_id,day,amount", *rows, ""]), "utf-8")
    assert main(["inspect", str(folder), "--kind", "tables"]) == 0
    assert "Nothing can be trained on it yet: orders.customer_id is C999 in row 3" in capsys.readouterr().out


def test_scores_tell_children_at_random_from_real_ones():
    tables = shop(300)
    keys = find_keys(tables)
    one, other = halves(tables, keys)
    assert integrity(one, keys) == integrity(other, keys) == 1 and len(one["customers"]) + len(other["customers"]) == 300
    real, lost = scores(one, other, keys), scores(one, at_random(one, keys), keys)
    assert real["orders by parent"] > lost["orders by parent"] + 0.05 and real["rows of orders"] > lost["rows of orders"] + 0.05
    assert lost["orders shapes"] == 1 and scores(one, one, keys)["items by parent"] == pytest.approx(1)
    cells = one["orders"].columns["customer_id"]
    broken = Table(name="orders", columns={**one["orders"].columns, "customer_id": cells_of(["C999", *cells.values()[1:]])})
    assert integrity({**one, "orders": broken}, keys) < 1


def test_tables_are_judged_where_a_column_is_of_another_type_in_one_of_them(monkeypatch):
    """Remarks repeat among the orders of one side and are all different among those of the other, so that they say nothing there."""
    monkeypatch.setattr(sys.modules[__name__], "RNG", np.random.default_rng(1))
    one, other = halves(tables := shop(200), keys := find_keys(tables))
    remarks = {id(one): lambda i: "now" if i % 2 else "later", id(other): lambda i: f"remark {i}"}
    for side in (one, other):
        said = cells_of([remarks[id(side)](i) for i in range(len(side["orders"]))])
        side["orders"] = Table(name="orders", columns={**side["orders"].columns, "remark": said})
    for real, fake in ((one, other), (other, one)):
        found = scores(real, fake, keys)
        assert found["integrity"] == 1 and 0 < found["orders by parent"] <= 1


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("related")
    write(shop(60), folder / "shop")
    words = [
        "train",
        str(folder / "shop"),
        "--kind",
        "tables",
        "--samples",
        "32",
        "--batch",
        "32",
        "--no-evaluate",
        "--threads",
        "1",
    ]
    words += ["--out", str(folder / "run"), "--gan.width", "16", "--gan.critic-width", "16", "--gan.blocks", "1"]
    assert main(words) == 0
    return folder


def test_a_folder_of_tables_is_trained_and_generated_with_all_references(run, capsys):
    judged = json.loads((run / "run" / "related-scores.json").read_text())
    assert judged["generated"]["integrity"] == 1 and set(judged) == {"generated", "children at random", "half against half"}
    assert main(["generate", str(run / "run"), "-n", "20", "--out", str(run / "made")]) == 0
    made = {path.stem: table_from_csv(path) for path in sorted((run / "made").iterdir())}
    real = {path.stem: table_from_csv(path) for path in sorted((run / "shop").iterdir())}
    keys = find_keys(real)
    assert integrity(made, keys) == 1 and len(made["customers"]) == 20
    assert {name: list(table.columns) for name, table in made.items()} == {
        name: list(table.columns) for name, table in real.items()
    }
    for name, key in (("customers", "customer_id"), ("orders", "id")):
        values = made[name].columns[key].values()
        assert len(set(values)) == len(values) and not set(values) & set(real[name].columns[key].values())
    places = place_of(made["orders"].columns["customer_id"], made["customers"].columns["customer_id"])
    days = made["orders"].columns["day"].values()
    assert all(a <= b for a, b, same in zip(days, days[1:], np.diff(places) == 0, strict=False) if same)
    assert main(["generate", str(run / "run"), "-n", "40", "--out", str(run / "made")]) == 2
    assert "holds files" in capsys.readouterr().err


def test_the_same_seed_makes_the_same_tables(run):
    related = Related.load(run / "run")
    assert related.sample(3, seed=3) == related.sample(3, seed=3) != related.sample(3, seed=4)


def test_few_are_the_beginning_of_many(run):
    """Children too, over every size of block; references to products stay as there are no fewer of them for few customers."""
    related = Related.load(run / "run")
    many = related.sample(17, seed=3)
    for n in (1, 4, 9):
        for name, columns in related.sample(n, seed=3).items():
            rows = list(zip(*columns.values(), strict=True))
            assert rows == list(zip(*many[name].values(), strict=True))[: len(rows)], (n, name)
            assert name != "customers" or len(rows) == n
    assert len(many["products"]["price"]) == 12


def test_more_rows_than_the_limit_are_refused_before_they_are_made(run, monkeypatch):
    related = Related.load(run / "run")
    related.facts["rows"] = {**related.facts["rows"], "products": 10**9}
    with pytest.raises(UserError, match=r"of the table products has 16,666,667 rows.*GANSMITH_LIMITS=related_rows=16666667"):
        related.sample(1)
    monkeypatch.setenv("GANSMITH_LIMITS", "related_rows=20")
    related.facts["rows"] = {**related.facts["rows"], "products": 12}
    with pytest.raises(UserError, match="of the table (orders|items) has"):
        related.sample(20)


def test_numbers_with_more_digits_than_any_data_are_refused(run):
    """Which would fill memory with zeros."""
    facts = json.loads((run / "run" / "related.json").read_text())
    for form in ({"width": 10**9}, {"shapes": [], "width": -1}):
        with pytest.raises(UserError, match="form.width must be from 0 to 10,000"):
            Column.from_json({**facts["forms"]["orders"], "form": {"shapes": [], **form}})
    for about in ({"decimals": 10**9}, {"decimals": 2, "spelling": "999999999"}):
        with pytest.raises(UserError, match="up to 10,000 decimals, but price has"):
            Column(name="price", column_type="numerical", dtype="text", **about)


def test_what_is_given_stays_and_missing_cells_of_it_are_given_too(run):
    related = Related.load(run / "run")
    codec = related.models["orders"].codec
    row = {"customers.kind": "firm", "customers.age": "50", "before.day": None, "before.amount": None}
    condition = condition_of(codec, [row], related.facts["given"]["orders"])
    known = dict(zip((column.name for column in codec.learned), condition["known"][0].tolist(), strict=True))
    assert known["customers.kind"] and known["before.day"] and not known["amount"]


def test_folders_of_one_table_and_of_series_are_no_several_tables(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("day,x\n2020-01-01,1\n2020-01-02,2\n")
    assert tables_in(Source(tmp_path)) == []
    (tmp_path / "b.csv").write_text("day,y\n2020-01-01,1\n")
    assert len(tables_in(Source(tmp_path))) == 2


def test_facts_that_do_not_fit_are_one_sentence(run, tmp_path, monkeypatch):
    """Every field of related.json with values of other types and ranges: each is refused, or changes what is made within its range."""
    facts = json.loads((run / "run" / "related.json").read_text())
    del facts["sha256"]
    models = {name: Model.load(run / "run" / name) for name in facts["keys"]}
    monkeypatch.setattr(Model, "load", lambda folder, **_: models[folder.name])
    values = (None, [], {}, "x", -1, 10**9, 1e308, float("nan"), True, [[[]]])
    for number, where in enumerate(places_in(facts)):
        for value in (values[number % len(values)], values[(number * 3 + 4) % len(values)]):
            changed = json.loads(json.dumps(facts))
            inner = changed
            for key in where[:-1]:
                inner = inner[key]
            inner[where[-1]] = value
            (tmp_path / "related.json").write_text(json.dumps(changed))
            try:
                related = Related.load(tmp_path)
                if number % 3 == 0:
                    related.sample(1)
            except UserError:
                continue
            except Exception as error:
                pytest.fail(f"{where} {value}: {error!r}")


def places_in(value, above=()):
    """The places of all fields, and of the first part of every list."""
    if above:
        yield above
    parts = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    for key, part in parts:
        yield from places_in(part, (*above, key))


def test_names_of_tables_do_not_lead_out_of_their_folders_and_a_kind_is_no_program(run, tmp_path, capsys):
    text = (run / "run" / "related.json").read_text()
    folder = tmp_path / "run"
    folder.mkdir()
    for name in json.loads(text)["keys"]:
        (folder / name).symlink_to(run / "run" / name)
    (folder / "parts.json").write_text('{"kind": "tables"}')
    (folder / "related.json").write_text(text.replace('"customers"', '"../run/customers"'))
    assert main(["generate", str(folder), "-n", "3", "--out", str(tmp_path / "made")]) == 2
    assert "has changed since it was written" in capsys.readouterr().err
    text = re.sub('"sha256": "[0-9a-f]*",', "", text)
    (folder / "related.json").write_text(text.replace('"customers"', '"../run/customers"'))
    assert main(["generate", str(folder), "-n", "3", "--out", str(tmp_path / "made")]) == 2
    assert "without folders" in capsys.readouterr().err and not list(tmp_path.rglob("*.csv"))
    (tmp_path / "evil.py").write_text("from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\n")
    for content in (json.dumps({"kind": str(tmp_path / "evil.py")}), '{"kind": ["tables"]}', "{}", "[]"):
        (folder / "parts.json").write_text(content)
        assert main(["generate", str(folder), "-n", "3", "--out", str(tmp_path / "made")]) == 2
        assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "evil.ran").exists()


def test_tables_of_one_name_and_files_of_others_in_the_place_of_ours_are_refused(tmp_path, capsys):
    write(shop(), tmp_path / "shop")
    (tmp_path / "run" / "data").mkdir(parents=True)
    (tmp_path / "run" / "data" / "customers.csv").write_text("mine\n1\n")
    line = [
        "train",
        str(tmp_path / "shop"),
        "--kind",
        "tables",
        "--samples",
        "64",
        "--no-evaluate",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main(line) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "run" / "data" / "customers.csv").read_text() == "mine\n1\n"
    (tmp_path / "shop" / "items.2.csv").write_text("id\n1\n")
    assert main([*line[:-1], str(tmp_path / "other")]) == 2
    assert "are both named items" in capsys.readouterr().err


def firm(people: int = 200) -> dict[str, Table]:
    """Employees, each but the first under one hired before, a third of whom also help another department; departments whose budget is
    what their people cost."""
    rng = np.random.default_rng(1)
    rows, spent, heads = [], [0.0] * 60, [0] * 60
    for number in range(people):
        level = "boss" if number < 20 else "worker"
        manager = "" if number == 0 else f"E{rng.integers(0, min(number, 20)):03d}"
        place, cost = int(rng.integers(0, 60)) if number >= 60 else number, round(float(rng.gamma(5)), 2)
        spent[place], heads[place] = round(spent[place] + cost, 2), heads[place] + 1
        helps = None if number % 3 else str(int(rng.integers(0, 30)) + 1)
        rows.append([f"E{number:03d}", manager or None, str(place + 1), level, f"{cost:.2f}", helps])
    places = [[str(i + 1), f"{spent[i]:.2f}", str(heads[i]), str(int(rng.integers(0, 9)))] for i in range(60)]
    heads_of = {
        "employees": ["id", "manager_id", "dept_id", "level", "cost", "helped_dept_id"],
        "depts": ["id", "budget", "people", "floor"],
    }
    return {
        name: Table(
            name=name, columns={key: cells_of(cells) for key, cells in zip(heads_of[name], zip(*own, strict=True), strict=True)}
        )
        for name, own in (("employees", rows), ("depts", places))
    }


def test_rows_that_refer_to_their_own_table_are_found():
    keys = find_keys(firm())
    assert [(link.child, link.column, link.parent) for link in keys.selves] == [("employees", "manager_id", "employees")]
    assert "employees.manager_id refers to employees.id" in keys.sentences() and Keys.from_json(keys.to_json()) == keys
    assert find_keys(shop()).selves == ()
    tables = firm()
    people = tables["employees"].columns
    numbered = {
        name: cells_of([str(int(cell[1:])) if cell else None for cell in people[name].values()]) for name in ("id", "manager_id")
    }
    renamed = {"id": numbered["id"], "x": numbered["manager_id"]}
    others = {name: cells for name, cells in people.items() if name not in numbered}
    tables["employees"] = Table(name="employees", columns={**renamed, **others})
    assert find_keys(tables).selves == ()  # numbers may be any numbers
    told = find_keys(tables, {"employees": {"parents": {"x": "employees", "dept_id": "depts"}}})
    assert told.selves[0].column == "x" and told.parent_of("employees").parent == "depts"


def test_a_reference_that_some_rows_lack_is_found_and_missing_ones_stay_missing():
    tables = firm()
    keys = find_keys(tables)
    assert [(link.child, link.column, link.parent) for link in keys.optional] == [("employees", "helped_dept_id", "depts")]
    assert keys.parent_of("employees").column == "dept_id" and keys.references_of("employees") == []
    assert (
        "employees.helped_dept_id refers to depts.id or is missing" in keys.sentences() and Keys.from_json(keys.to_json()) == keys
    )
    learned, given = joined("employees", tables, keys, 1)
    order = np.argsort([int(each) for each in tables["employees"].columns["dept_id"].values()], kind="stable")
    helped = [tables["employees"].columns["helped_dept_id"].values()[place] for place in order]
    floors = dict(zip(tables["depts"].columns["id"].values(), tables["depts"].columns["floor"].values(), strict=True))
    assert learned.columns["helped_dept_id is there"].values() == ["yes" if each else "no" for each in helped]
    assert learned.columns["helped_dept_id.floor"].values() == [floors.get(each) for each in helped]
    assert "helped_dept_id" not in learned.columns and not any("helped" in name for name in given)
    mixed = at_random(tables, keys)["employees"].columns["helped_dept_id"].values()
    assert [each is None for each in mixed] == [number % 3 > 0 for number in range(200)] and integrity({**tables}, keys) == 1
    for half in halves(tables, keys):
        assert integrity(half, keys) == 1
    people = dict(tables["employees"].columns)
    camel = {**people, "helpedDeptId": people["helped_dept_id"], "paiddeptid": people["helped_dept_id"]}
    found = find_keys({**tables, "employees": Table(name="employees", columns=camel)}).optional
    assert [link.column for link in found] == ["helped_dept_id", "helpedDeptId"]  # and no ending of a longer word
    lost = Table(name="depts", columns={name: cells.take(np.arange(59)) for name, cells in tables["depts"].columns.items()})
    with pytest.raises(UserError, match=r"employees.dept_id is 60 in row 60, but depts.id never is"):
        find_keys({**tables, "depts": lost}, {"employees": {"parents": {"dept_id": "depts"}}})


def test_totals_of_children_are_found_and_nothing_else_is():
    tables = firm()
    found = {(total.column, total.child, total.of) for total in find_totals(tables, find_keys(tables))}
    assert found == {("budget", "employees", "cost"), ("people", "employees", None)}
    assert find_totals(shop(), find_keys(shop())) == []


def test_generated_rows_refer_to_their_own_table_without_circles_and_totals_add_up(tmp_path):
    write(firm(), tmp_path / "firm")
    words = [
        "train",
        str(tmp_path / "firm"),
        "--kind",
        "tables",
        "--samples",
        "256",
        "--batch",
        "64",
        "--no-evaluate",
        "--threads",
        "1",
    ]
    words += ["--out", str(tmp_path / "run"), "--gan.width", "16", "--gan.critic-width", "16", "--gan.blocks", "1"]
    assert main(words) == 0
    assert json.loads((tmp_path / "run" / "related-scores.json").read_text())["generated"]["integrity"] == 1
    made = Related.load(tmp_path / "run").sample(50, seed=2)
    people, depts = made["employees"], made["depts"]
    leads = dict(zip(people["id"], people["manager_id"], strict=True))
    assert list(people) == ["id", "manager_id", "dept_id", "level", "cost", "helped_dept_id"] and any(leads.values())
    helped = people["helped_dept_id"]
    assert None in helped and {each for each in helped if each is not None} <= set(depts["id"]) and any(helped)
    for person in leads:
        seen = [person]
        while (above := leads[seen[-1]]) is not None:
            assert above in leads and above not in seen
            seen.append(above)
    for key, budget, count in zip(depts["id"], depts["budget"], depts["people"], strict=True):
        own = [
            float(cost) for cost, dept in zip(people["cost"], people["dept_id"], strict=True) if dept == key and cost is not None
        ]
        assert float(budget) == pytest.approx(sum(own), abs=0.006) and int(count) == list(people["dept_id"]).count(key)
