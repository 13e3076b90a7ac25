"""Runs beside each other: every metric under equal conditions, and which of the differences are real."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gansmith.data.spreadsheets import Writer
from gansmith.data.values import PLACE, Examples, JudgeSeed, Names, checked
from gansmith.errors import UserError
from gansmith.evaluation.shared_scores import Record, scores_in_common
from gansmith.evaluation.significance import Estimate, holm, p_value
from gansmith.report.numbers import finite, significant
from gansmith.runs.folder import BEST, RunFolder

if TYPE_CHECKING:
    from rich.table import Table

REAL = 0.05
"""A difference is called real where its corrected p is below this."""
LUCK = (
    "Intervals of single runs know only the noise of the examples that were judged, not the luck of the seed: train each with other "
    "--seed values too, and compare them all."
)
"""Said where a run stands alone."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two columns in one metric."""

    a: str
    b: str
    test: str
    p: float
    corrected: float
    """Holm's correction over all pairs of the metric."""
    better: str | None
    """The better one, where the difference is real."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric of all columns."""

    name: str
    better: Literal["lower", "higher"]
    samples: int
    reference_samples: int
    seed: int
    baseline: float | None
    ceiling: float | None
    estimates: Mapping[str, Estimate]
    """By the title of the column."""
    differences: Sequence[Difference]

    def sentence(self) -> str:
        """What can be said about the differences."""
        real = [difference for difference in self.differences if difference.better]
        if not real:
            return f"{self.name}: no difference is certain."
        found = []
        for one in real:
            other = one.b if one.better == one.a else one.a
            found.append(f"{one.better} is better than {other} ({_in_words(one.corrected)})")
        rest = "" if len(real) == len(self.differences) else "; between the others no difference is certain"
        return f"{self.name}: {', '.join(found)}{rest}."


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs beside each other. Runs that differ in their seed alone share a column."""

    columns: Mapping[str, Sequence[str]]
    """The runs of every column, by its title."""
    rows: Sequence[Row]
    remarks: Sequence[str]

    def __getitem__(self, metric: str) -> Row:
        """The row of a metric, named without its feature space: comparison["frechet"]."""
        return next(row for row in self.rows if row.name.partition("[")[0] == metric)

    def sentences(self) -> list[str]:
        return [*(row.sentence() for row in self.rows), *self.remarks]

    def to_json(self) -> dict[str, Any]:
        rows = []
        for row in self.rows:
            columns = {title: {"value": one.value, **asdict(one)} for title, one in row.estimates.items()}
            differences = [asdict(difference) for difference in row.differences]
            rows.append({**vars(row), "estimates": columns, "differences": differences, "sentence": row.sentence()})
        return {"columns": dict(self.columns), "metrics": rows, "remarks": list(self.remarks)}

    def csv(self) -> str:
        """A line for each metric and column: metric, column, value, low, high, runs, baseline, ceiling, better."""
        import io

        file = io.StringIO()
        writer = Writer(file, lineterminator="\n")
        writer.writerow(["metric", "column", "value", "low", "high", "runs", "baseline", "ceiling", "better"])
        for row in self.rows:
            for title, one in row.estimates.items():
                known = (row.name, title, one.value, one.low, one.high, len(self.columns[title]))
                writer.writerow([*known, row.baseline, row.ceiling, row.better])
        return file.getvalue()

    def latex(self) -> str:
        """A table in the form of the package booktabs, each score with its 95% interval below it."""
        heads = ["metric", *self.columns, "baseline", "ceiling"]
        lines = [
            f"\\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
            "\\toprule",
            f"{' & '.join(map(_in_latex, heads))} \\\\",
            "\\midrule",
        ]
        for row in self.rows:
            arrow = "$\\downarrow$" if row.better == "lower" else "$\\uparrow$"
            scores = [significant(one.value).replace("−", "$-$") for one in row.estimates.values()]
            others = ["--" if number is None else significant(number) for number in (row.baseline, row.ceiling)]
            lines.append(f"{' & '.join([f'{_in_latex(row.name)} {arrow}', *scores, *others])} \\\\")
            between = [
                f"\\scriptsize {significant(one.low)} to {significant(one.high)}".replace("−", "$-$")
                for one in row.estimates.values()
            ]
            lines.append(f"{' & '.join(['', *between, '', ''])} \\\\")
        return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])

    def table(self) -> Table:
        """The scores for a terminal, each above its 95% interval."""
        from rich import box
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("metric", no_wrap=True)
        for title in (*self.columns, "baseline", "ceiling"):
            table.add_column(escape(title), justify="right")
        for row in self.rows:
            shown = (
                f"{significant(one.value)}\n{significant(one.low)} to {significant(one.high)}" for one in row.estimates.values()
            )
            companions = ("–" if number is None else significant(number) for number in (row.baseline, row.ceiling))
            table.add_row(f"{escape(row.name)} {'↓' if row.better == 'lower' else '↑'}", *shown, *companions)
        return table


@checked
def compare(
    runs: Sequence[RunFolder | Path | str],
    *,
    data: Any = None,
    metrics: Names | None = None,
    samples: Examples | None = None,
    seed: JudgeSeed = 0,
    say: Callable[[str], None] = lambda _: None,
    trust: bool = False,
) -> Comparison:
    """Puts runs beside each other and tests which differences are real.

    Scores that the runs have in common (of their models as they are, with this `seed`, on the same examples, `samples` of them if it is
    given) are taken from their records; for the others the runs are judged anew, which `say` hears. With `data` all are judged anew
    by these held-out data; runs of different data sets can only be compared so, and then these data alone stand for the real ones.
    Without `metrics` they are all that any of the runs was judged by. RUN/best stands for a run's best model.

    The folder of a study (`gansmith train --seeds`) stands for the runs in it. Runs that differ in their seed alone are replicates: one
    column, with the interval over trainings. With `trust` the Python files that runs may name as their GANs run.

    Raises UserError for fewer than two runs, and for runs that cannot be compared.
    """
    if isinstance(runs, str | os.PathLike) or not isinstance(runs, Iterable):
        raise UserError(f"comparing takes a list of runs, but it is {runs!r:.80}: give two or more in brackets.")
    runs = [member for run in runs for member in _members(run)]
    named = _titled([run if isinstance(run, RunFolder) else RunFolder(run, trust) for run in runs])
    if len(named) < max(2, len(runs)):
        raise UserError(
            f"Comparing needs two or more runs, each named once, but was given {', '.join(map(str, runs)) or 'none'}."
        )
    found, remarks = scores_in_common(named, data=data, metrics=metrics, samples=samples, seed=seed, say=say)
    columns = _columns(named)
    for title, members in columns.items():
        if len(members) > 1:
            remarks.append(
                f"{title}: {', '.join(members)}, which differ in their seed alone; the interval is over these trainings."
            )
    if any(len(members) == 1 for members in columns.values()):
        remarks.append(LUCK)
    rows = [_row(dict(zip(named, records, strict=True)), columns) for records in found.values()]
    return Comparison(columns=columns, rows=rows, remarks=remarks)


def _members(run: RunFolder | Path | str) -> list[RunFolder | Path | str]:
    """The runs in the folder of a study (`gansmith train --seeds`); any other run itself."""
    if isinstance(run, RunFolder) or (folder := PLACE.of("a run", run)).name == BEST or (folder / "run.json").exists():
        return [run]
    found = sorted(path.parent for path in folder.glob("*/run.json"))
    return [*found] or [run]


def _titled(runs: Sequence[RunFolder]) -> dict[str, RunFolder]:
    """The runs by the names of their folders, or by their paths where names are equal; one that comes twice is there once."""
    places = {run.model_folder.resolve(): run for run in runs}
    names = Counter(run.folder.resolve().name for run in places.values() if not run.takes_best)
    titled = {}
    for run in places.values():
        name = run.folder.resolve().name
        titled[f"{name if names[name] < 2 else run.folder}{f'/{BEST}' if run.takes_best else ''}"] = run
    return titled


def _columns(runs: Mapping[str, RunFolder]) -> dict[str, list[str]]:
    """The titles of runs that share a column, by its title: replicates, which differ in their seed alone."""
    groups: list[tuple[str, dict[int, str]]] = []
    for title, run in runs.items():
        recipe, seed = _recipe(run), run.facts["settings"]["seed"]
        for known, members in groups:
            if known == recipe and seed not in members:
                members[seed] = title
                break
        else:
            groups.append((recipe, {seed: title}))
    lists = [list(members.values()) for _, members in groups]
    studies = [_study([runs[title] for title in members]) for members in lists]
    names = Counter(study.name for study in studies if study)
    titles = [
        members[0] if study is None else study.name if names[study.name] < 2 else str(study)
        for members, study in zip(lists, studies, strict=True)
    ]
    return {
        title if len(members) == 1 else f"{title} ({len(members)} seeds)": members
        for title, members in zip(titles, lists, strict=True)
    }


def _study(runs: Sequence[RunFolder]) -> Path | None:
    """The folder of the study that these runs are (`gansmith train --seeds`): its name says more than that of its first run."""
    folders = {run.folder.resolve().parent for run in runs}
    of_seeds = all(re.fullmatch(r"seed-\d+", run.folder.name) and not run.takes_best for run in runs)
    return folders.pop() if of_seeds and len(runs) > 1 and len(folders) == 1 else None


def _recipe(run: RunFolder) -> str:
    """All that decides a training but its seed."""
    facts, settings = run.facts, dict(run.facts["settings"])
    del settings["seed"]
    settings["device"] = settings["device"].partition(":")[0]
    examination = dict(facts.get("examination") or {})
    examination.pop("schedule", None)
    if not (run.takes_best or examination.get("patience")):
        examination = {}  # it only looked on
    decided = [
        facts["gan"],
        facts["config"],
        settings,
        facts["mirror"],
        facts["data"]["fingerprint"],
        run.takes_best,
        examination,
    ]
    return json.dumps(decided, sort_keys=True)


def _row(records: Mapping[str, Record], columns: Mapping[str, Sequence[str]]) -> Row:
    first = next(iter(records.values()))
    estimates = {}
    for title, members in columns.items():
        values = [float(records[member]["value"]) for member in members]
        estimates[title] = Estimate.of(values, records[members[0]]["low"], records[members[0]]["high"])
    pairs = list(combinations(estimates, 2))
    tests = [p_value(estimates[a], estimates[b]) for a, b in pairs]
    differences = []
    for (a, b), (test, p), corrected in zip(pairs, tests, holm([p for _, p in tests]), strict=True):
        higher, lower = (a, b) if estimates[a].value > estimates[b].value else (b, a)
        winner = (lower if first["better"] == "lower" else higher) if corrected < REAL else None
        differences.append(Difference(a=a, b=b, test=test, p=p, corrected=corrected, better=winner))
    return Row(
        name=first["name"],
        better=first["better"],
        samples=first["samples"],
        reference_samples=first["reference_samples"],
        seed=first["seed"],
        baseline=finite(first.get("baseline")),
        ceiling=finite(first.get("ceiling")),
        estimates=estimates,
        differences=differences,
    )


def _in_latex(text: str) -> str:
    """A name with the characters that mean something to LaTeX escaped."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(letter, f"\\{letter}" if letter in "&%$#_{}" else letter) for letter in text)


def _in_words(p: float) -> str:
    """p = .003, as journals write it."""
    return "p < .001" if p < 0.0005 else f"p = {p:.3f}".replace("0.", ".")
