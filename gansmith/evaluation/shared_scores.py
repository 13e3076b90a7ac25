"""Scores of several runs under equal conditions: taken from their records where they have them in common, else taken anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.runs.folder import RunFolder

Record = Mapping[str, Any]


class Condition(NamedTuple):
    """What must be equal for two values to be comparable, besides the data and the seed."""

    name: str
    """The metric with its feature space."""
    samples: int
    reference_samples: int

    @classmethod
    def of(cls, record: Record) -> Condition:
        return cls(*(record[field] for field in cls._fields))

    @property
    def metric(self) -> str:
        return self.name.partition("[")[0]


def scores_in_common(
    runs: Mapping[str, RunFolder],
    *,
    data: Any,
    metrics: Sequence[str] | None,
    samples: int | None,
    seed: int,
    say: Callable[[str], None],
) -> tuple[dict[str, list[Record]], list[str]]:
    """For every metric the records of all runs in their order; and remarks about what could not be measured.

    Raises UserError for runs of different data without `data`, and if there is no metric that all can be judged by.
    """
    alike = len({run.facts["data"]["fingerprint"] for run in runs.values()}) == 1
    if data is None and not alike:
        trained = ", ".join(f"{title} on {run.facts['data']['name']}" for title, run in runs.items())
        raise UserError(
            f"These runs were not trained on the same data ({trained}), so their scores cannot be compared: name data to judge them all "
            "by with --data."
        )
    stored = {title: _stored(run, samples, seed) if data is None else {} for title, run in runs.items()}
    wanted = list(metrics or dict.fromkeys(condition.metric for own in stored.values() for condition in own))
    missing = [metric for metric in wanted if _shared(stored, metric) is None]
    reasons: dict[str, str] = {}
    for title, run in runs.items():
        had = {condition.metric for condition, record in stored[title].items() if record["asked"] == samples}
        lacking = [metric for metric in missing if metric not in had]
        if wanted and not lacking:
            continue
        say(f"Judging {title} by {', '.join(lacking) or 'what suits its data'} ...")
        judgement = _judged(run, data, alike, lacking or None, samples, seed)
        stored[title] |= {Condition.of(record): record for record in (score.to_json() for score in judgement.scores)}
        reasons |= judgement.skipped
    found: dict[str, list[Record]] = {}
    remarks = []
    for metric in wanted or dict.fromkeys(condition.metric for own in stored.values() for condition in own):
        if (condition := _shared(stored, metric)) is not None:
            found[condition.name] = [own[condition] for own in stored.values()]
        else:
            reason = reasons.get(metric, "it was not measured in the same space, on as many examples, for all.")
            remarks.append(f"{metric} is left out: {reason}")
    if not found:
        raise UserError(f"{', '.join(runs)} have no score in common: {' '.join(remarks)}")
    if not alike:
        remarks.append(
            "The runs were trained on different data and are judged by other data alone: memorisation and whatever else looks for "
            "copies of training examples says nothing here."
        )
    return found, remarks


def _stored(run: RunFolder, samples: int | None, seed: int) -> dict[Condition, Record]:
    """The scores of the model as it is, on the run's own held-out data; of several under one condition the newest."""
    seen = Model.load(run, trust=run.trust).card.get("samples")
    return {
        Condition.of(record): record
        for record in run.records("evaluations.jsonl")
        if (record["samples_seen"], record["seed"]) == (seen, seed)
        and record.get("held_out", "") == run.facts.get("held_out")
        and samples in (None, record["asked"])
    }


def _shared(stored: Mapping[str, Mapping[Condition, Record]], metric: str) -> Condition | None:
    """The condition under which all runs have a score of this metric; of several the one with the most examples."""
    first, *others = stored.values()
    shared = [condition for condition in first if condition.metric == metric and all(condition in own for own in others)]
    return max(shared, key=lambda condition: condition.samples, default=None)


def _judged(run: RunFolder, data: Any, alike: bool, metrics: Sequence[str] | None, samples: int | None, seed: int) -> Any:
    from gansmith import api

    judge = api.evaluate_run if alike else api.evaluate_elsewhere
    return judge(run, data=data, metrics=metrics, samples=samples, seed=seed)
