"""Judging a run, another model of a run, or anybody's samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.data.dataset import Dataset
from gansmith.data.programs import trusting
from gansmith.data.values import Examples, JudgeSeed, Names, checked
from gansmith.errors import UserError
from gansmith.evaluation.cache import content_key
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.runs.data import data_at_hand, open_like, run_data, split
from gansmith.runs.folder import BEST, RunFolder
from gansmith.runs.model_files import is_model
from gansmith.training.devices import choose_device

JUDGE_OPTIONS = (
    "metrics",
    "samples",
    "seed",
    "features",
    "inception",
    "resize",
    "fast",
    "segmenter",
    "device",
    "progress",
    "cache",
)
"""The options of `evaluation.judge.judge` that judging takes; all others are of the kind of data."""

if TYPE_CHECKING:
    from gansmith.evaluation.judgement import Judgement
    from gansmith.watch.watcher import Watcher


@checked
def evaluate_run(
    run: RunFolder,
    *,
    data: Any = None,
    metrics: Names | None = None,
    samples: Examples | None = None,
    seed: JudgeSeed = 0,
    watchers: Sequence[Watcher] = (),
    trust: bool = False,
    **how: Any,
) -> Judgement:
    """Judges a run's model, writes evaluations.jsonl and the report anew. `data` may be held-out data of your own; if the run's own came
    from Python in another process, they stand for these too, and nothing is written. Options of the kind of data (`masks` of images) say
    how these data are read. `trust` lets programs run that the run names, or files given here that do not look like programs (see
    docs/security.md).

    `how` are further options of `metrics.judge.judge`: features, inception, resize, fast, segmenter, device, progress.
    """
    opening, how = _parted(run, how)
    how["device"] = choose_device(how.get("device", "auto"))
    with trusting(trust):
        if data is not None and not data_at_hand(run):
            found = evaluate_elsewhere(run, data=data, metrics=metrics, samples=samples, seed=seed)
            return dataclasses.replace(found, notes=(*found.notes, *_elsewhere(run)))
        model = Model.load(run, trust=run.trust)
        training, held_out = split(run_data(run))
        if data is not None:
            held_out = open_like(training, data, opening=opening)
        model.inputs = held_out
        return judge_and_report(run, model, training, held_out, watchers, metrics=metrics, samples=samples, seed=seed, **how)


def evaluate(
    run: RunFolder | Path | str | None = None,
    *,
    real: Any = None,
    fake: Any = None,
    data: Any = None,
    trust: bool = False,
    **options: Any,
) -> Judgement:
    """Judges a run against its data, or anybody's samples: `evaluate("runs/digits-0001")`, `evaluate(real="photos/", fake="made/")`.

    Another model in the run's folder, such as "runs/digits-0001/averaged", is judged against the run's data too; nothing is written.

    `metrics`, `samples` and `seed` choose what is measured and how, `features`, `inception`, `resize`, `fast` and `device` in which
    space (see `metrics.judge.judge`); opening options (`resolution`, ...) apply to both sides of the second form. `trust` as of
    `evaluate_run`. Raises UserError if neither form is given.
    """
    if run is not None and not isinstance(run, RunFolder) and (parent := _run_around(Path(run))):
        with trusting(trust):
            return _evaluate_beside(Model.load(run), parent, data, **options)
    if run is not None:
        return evaluate_run(run if isinstance(run, RunFolder) else RunFolder(run, trust), data=data, trust=trust, **options)
    if data is not None:
        raise UserError(
            "--data are held-out data to judge a run with, and no run is named: give RUN, or --real and --fake alone."
        )
    if real is None or fake is None:
        raise UserError("Judging needs a run folder, or both --real and --fake.")
    with trusting(trust):
        return _evaluate_samples(real, fake, **options)


def _evaluate_samples(real: Any, fake: Any, **options: Any) -> Judgement:
    """Judges anybody's samples."""
    from gansmith.evaluation.judge import judge

    opening = {name: options.pop(name) for name in list(options) if name not in JUDGE_OPTIONS}
    options["device"] = choose_device(options.get("device", "auto"))
    everything = open_dataset(real, **opening, originals=True)
    training, held_out = split(everything)
    everything = dataclasses.replace(everything, held_out=None)
    made = open_like(training, fake, True, opening)
    found = judge(made, training, held_out, everything=everything, **options)
    notes = [f"{side}: {remark}" for side, data in (("real", everything), ("fake", made)) for remark in data.remarks()]
    return dataclasses.replace(found, notes=tuple(notes))


def _parted(run: RunFolder, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(how the run's data were opened, changed by the kind's own options among these; options of the judge)."""
    own = {name: value for name, value in options.items() if name not in JUDGE_OPTIONS}
    return {**run.facts["data"]["opening"], **own}, {name: value for name, value in options.items() if name in JUDGE_OPTIONS}


def _run_around(folder: Path) -> RunFolder | None:
    """The run that this folder of a model lies in, where it is not the run's own last or best one."""
    alone = is_model(folder) and not (folder / "run.json").exists() and folder.name != BEST
    return RunFolder(folder.resolve().parent) if alone and (folder.resolve().parent / "run.json").is_file() else None


def _evaluate_beside(
    model: Model,
    run: RunFolder,
    data: Any,
    **how: Any,
) -> Judgement:
    """Judges a model that is not the run's own by the run's data."""
    opening, how = _parted(run, how)
    how["device"] = choose_device(how.get("device", "auto"))
    given = data is not None and not data_at_hand(run)
    training, held_out = split(run_data(run, data if given else None))
    if data is not None and not given:
        held_out = open_like(training, data, opening=opening)
    model.inputs = held_out
    return _judged(model, training, held_out, **how)[1]


def _elsewhere(run: RunFolder) -> list[str]:
    """Why other data stand for those of the run."""
    named = run.facts["data"]["source"]
    why = f"{run.folder / 'run.json'} was not written on this machine, so the given data stand for the training data too"
    return [] if named is None else [f"{why}, and no scores are kept; --trust opens {named[:200]}"]


@checked
def evaluate_elsewhere(
    run: RunFolder, *, data: Any, metrics: Names | None = None, samples: Examples | None = None, seed: JudgeSeed = 0
) -> Judgement:
    """Judges a run's model by data that it was not trained on, which stand for the training data too; writes nothing."""
    from gansmith.evaluation.judge import MAXIMUM, judge

    model = Model.load(run, trust=run.trust)
    fake = Dataset.of(model.sample(samples or MAXIMUM, seed=seed), model.codec, "generated")
    training, held_out = split(open_like(fake, data))
    return judge(fake, training, held_out, metrics=metrics, samples=samples, seed=seed, model=model)


def judge_and_report(
    run: RunFolder, model: Model, training: Dataset, held_out: Dataset, watchers: Sequence[Watcher], **options: Any
) -> Judgement:
    """The judgement, which goes into the run's files, its report and to the watchers."""
    from gansmith.evaluation.artifacts import write_artifacts

    def on_metrics(metrics: Sequence[str], number: int, total: int) -> None:
        for watcher in watchers:
            watcher.judging(metrics, number, total)

    fake, judgement = _judged(model, training, held_out, overview=True, on_metrics=on_metrics, **options)
    conditions = {"samples_seen": model.card.get("samples"), "asked": options.get("samples"), "held_out": content_key(held_out)}
    records = write_artifacts(judgement, run, fake, training, **conditions)
    for watcher in watchers:
        watcher.evaluation(records)
    return judgement


def _judged(model: Model, training: Dataset, held_out: Dataset, **options: Any) -> tuple[Dataset, Judgement]:
    """As many examples as `judge` takes with these options, and what it finds."""
    from gansmith.evaluation.judge import MAXIMUM, judge, over_all

    count = options.get("samples") or MAXIMUM
    if training.codec.spec.task == "pairs" or not over_all(options.get("metrics")):  # pairs make one of each that is held out
        count = min(count, len(held_out))
    fake = Dataset.of(model.sample(count, seed=options.get("seed") or 0), model.codec, "generated", training.facts)
    return fake, judge(fake, training, held_out, model=model, **options)
