"""A folder of several tables: one training for each, and what joins them again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gansmith.data.atomic import write_atomically
from gansmith.data.json_files import sealed_json
from gansmith.data.outputs import refuse_overwriting
from gansmith.data.readers.text import opened_lines
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.tables.cells import Table
from gansmith.kinds.tables.files import table_from_csv
from gansmith.kinds.tables.options import Options
from gansmith.kinds.tables.related.joined import joined, write_csv
from gansmith.kinds.tables.related.judging import at_random, halves, scores
from gansmith.kinds.tables.related.keys import find_keys
from gansmith.kinds.tables.related.making import FACTS, Related, facts_of
from gansmith.kinds.tables.related.totals import find_totals

SCORES = "related-scores.json"


def tables_in(source: Source) -> list[Path]:
    """The CSV files of a folder of several tables, whose columns differ; none of any other source."""
    if not source.is_folder or source.path is None:
        return []
    paths = sorted(path for path in source.path.iterdir() if path.name.lower().endswith((".csv", ".csv.gz")))
    if len(paths) < 2 or any(path.name.startswith("rows") for path in paths):
        return []
    heads = set()
    for path in paths:
        try:
            with opened_lines(path, any_encoding=True) as lines:
                heads.add(lines.first)
        except UserError:
            return []
    return paths if len(heads) > 1 else []


def tables_of(source: Source, options: Options) -> tuple[dict[str, Table], list[Path]]:
    """The tables of a folder by their names, and their files. Raises UserError for two of one name, and for what cannot be read."""
    paths: dict[str, Path] = {}
    for path in tables_in(source):
        other = paths.setdefault(name := path.name.split(".")[0], path)
        if other != path:
            raise UserError(
                f"{other} and {path} are both named {name}, as tables are by what stands before the first dot: rename one."
            )
    tables = {name: table_from_csv(path, options.header, options.missing, options.encoding) for name, path in paths.items()}
    return tables, list(paths.values())


def train_parts(
    source: Source, options: Options, folder: Path, train: Callable[[Sequence[str]], int], say: Callable[[str], None]
) -> int:
    """Trains a model for each table in a folder of its name by the command `train`, which takes words, and judges them together.

    Raises UserError where no table refers to another, and for a folder that holds a run.
    """
    if (folder / "run.json").exists():
        raise UserError(f"{folder} is the folder of one run: choose another --out for these tables.")
    tables, paths = tables_of(source, options)
    related = options.related() or {}
    keys = find_keys(tables, related)
    for sentence in [*keys.sentences(), *(total.sentence() for total in find_totals(tables, keys))]:
        say(f"{sentence}.")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    given = {}
    for name in keys.order():
        table, given[name] = joined(name, tables, keys, options.min_count)
        path = folder / "data" / f"{name}.csv"
        if not (folder / name / "run.json").exists():
            refuse_overwriting([path], paths, overwrite=_is_ours(path, table))
        write_csv(table, path)
        types = json.dumps(related.get(name, {}).get("types", {}))
        if (folder / name / "model" / "model.json").exists():
            say(f"{folder / name} is trained already.")
            continue
        words = [
            str(path),
            "--kind",
            "tables",
            "--out",
            str(folder / name),
            "--header",
            "yes",
            "--missing",
            "",
            "--resume",
            "auto",
        ]
        if status := train([*words, *(["--schema", types] if types != "{}" else []), "--min-count", str(options.min_count)]):
            return status
    write_atomically(folder / FACTS, sealed_json(facts_of(tables, keys, given, options.min_count)))
    judged = judge(tables, Related.load(folder))
    write_atomically(folder / SCORES, json.dumps(judged, indent=1).encode())
    for line in table_of_scores(judged):
        say(line)
    return 0


def _is_ours(path: Path, table: Table) -> bool:
    """Whether a file holds this table already, from a training that was stopped before its run began."""
    if not path.is_file():
        return False
    with tempfile.TemporaryDirectory() as folder:
        write_csv(table, Path(folder) / "table.csv")
        return (Path(folder) / "table.csv").read_bytes() == path.read_bytes()


def judge(tables: dict[str, Table], related: Related, seed: int = 0) -> dict[str, dict[str, float]]:
    """The scores of generated tables as large as the real ones, of children drawn at random, and of one half of the parents against the
    other."""
    keys = related.keys
    roots = [name for name in keys.order() if keys.parent_of(name) is None]
    first = max(roots, key=lambda name: len(keys.children_of(name)))
    made = related.sample(len(tables[first]), seed=seed + 1)
    one, other = halves(tables, keys, seed)
    return {
        "generated": scores(tables, as_tables(made), keys),
        "children at random": scores(tables, at_random(tables, keys, seed), keys),
        "half against half": scores(one, other, keys),
    }


def as_tables(made: dict[str, dict[str, list[Any]]]) -> dict[str, Table]:
    """Columns of values as tables."""
    from gansmith.kinds.tables.cells import cells_of

    return {
        name: Table(name=name, columns={key: cells_of(values) for key, values in columns.items()})
        for name, columns in made.items()
    }


def table_of_scores(judged: dict[str, dict[str, float]]) -> list[str]:
    """The scores beside each other, a line each."""
    names, sides = list(judged["generated"]), list(judged)
    width = max(map(len, names))
    lines = [f"{'':<{width}}  {'  '.join(f'{side:>18}' for side in sides)}"]
    return lines + [f"{name:<{width}}  {'  '.join(_cell(judged[side], name) for side in sides)}" for name in names]


def _cell(scores: dict[str, float], name: str) -> str:
    return f"{scores.get(name, float('nan')):>18.3f}"
