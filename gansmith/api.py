"""The commands as functions: train, load, evaluate, inspect."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith import distributed, planning
from gansmith.claim import Claim
from gansmith.data.dataset import Dataset
from gansmith.data.inspection import Inspection, inspect_dataset
from gansmith.data.mirrored import mirrored
from gansmith.data.sources import open_dataset
from gansmith.errors import UserError
from gansmith.examination import Examination
from gansmith.examiner import Examiner
from gansmith.metrics.cache import content_key
from gansmith.model import Model
from gansmith.opening import OPENING, open_like, split
from gansmith.recorder import Follower, Recorder
from gansmith.run import BEST, Run
from gansmith.trainer import Interrupted, Settings, Trainer

if TYPE_CHECKING:
    from gansmith.metrics.judgement import Judgement
    from gansmith.watch.watcher import Watcher


def load(path: os.PathLike[str] | str, device: str = "cpu", precision: str = "float32") -> Model:
    """The model of a run, or of its folder, its model/ folder, or a copy of one; `precision` as of `Model.load`.

    Raises UserError if there is none.
    """
    return Model.load(path, device, precision)


def train(
    data: Any = None,
    *,
    gan: str | None = None,
    preset: str | None = None,
    options: Mapping[str, Any] | None = None,
    out: Path | str | None = None,
    resume: bool | str = False,
    minutes: float | None = None,
    samples: int | None = None,
    batch: int | None = None,
    accumulate: int = 1,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    compile: bool = False,
    mirror: bool | None = None,
    threads: int | None = None,
    judge_metrics: Sequence[str] = (),
    judge_samples: int = Examination.samples,
    judge_share: float = Examination.share,
    keep_best: str | None = None,
    patience: int | None = None,
    evaluate: bool = True,
    watchers: Sequence[Watcher | Callable[[Path], Watcher]] = (),
    **opening: Any,
) -> Run:
    """Trains a GAN on data and returns its run, with model, report and scores.

    `data` is anything `open_dataset` takes, whose options (`resolution`, `crop`, `channels`, `labels`, ...) may be given too.
    `options` are fields of the GAN's Config. Without a budget (`minutes`, `samples`) the preset's is used. `resume=True` continues the
    run in `out` (or the newest run of this data) exactly; `resume="auto"` does so if there is one, and begins otherwise. A resumed run
    keeps its own configuration; a budget given with it extends or shortens it, and `threads` changes their number, after which sums are
    rounded differently. Without `threads`, the number that is measured to be fastest is used on a CPU, and kept. A watcher may be given
    as a function of the run folder.

    `judge_metrics` are measured on the way, on `judge_samples` examples a side, in at most `judge_share` of the time. `keep_best` names
    the metric by which the best model is kept in the run's best/; `patience` ends the training when that metric (or else the first of
    `judge_metrics`) has not left its 95% interval for the better in so many judgements.

    Raises UserError for whatever the user can mend, and Interrupted when stopped by Ctrl-C or SIGTERM after saving.
    """
    distributed.start()
    folder = _resumed_folder(data, out, resume)
    if folder is not None:
        return _continue(folder, data, opening, minutes, samples, threads, evaluate, watchers)
    if data is None:
        raise UserError(
            "Training needs data: name a folder, a file, a hub data set or a built-in one, e.g. gansmith train digits."
        )
    examination = Examination.wished(judge_metrics, judge_samples, judge_share, keep_best, patience)
    dataset = _open_together(data, opening)
    plan = planning.plan(
        dataset,
        gan=gan,
        preset=preset,
        options=options,
        minutes=minutes,
        samples=samples,
        batch=batch,
        accumulate=accumulate,
        seed=seed,
        device=device,
        precision=precision,
        compile=compile,
        mirror=mirror,
        threads=threads,
    )
    folder = Path(out) if out is not None else Run.next_folder(Path("runs"), dataset.name)
    folder = Path(distributed.share_text(str(folder)))
    _refuse_taken(folder)
    return _train(dataset, plan, folder, _source(data, opening), None, evaluate, watchers, examination)


def _refuse_taken(folder: Path) -> None:
    if (folder / "run.json").exists():
        raise UserError(f"{folder} already holds a run: continue it with --resume, or choose another --out.")


def _new_run(folder: Path, facts: Mapping[str, Any]) -> Run:
    _refuse_taken(folder)  # again: another training may have begun and ended while data were read
    return Run.create(folder, facts)


def _resumed_folder(data: Any, out: Path | str | None, resume: bool | str) -> Path | None:
    """The folder of the run to continue, or None to begin a new one."""
    if resume is False:
        return None
    if isinstance(resume, str) and resume != "auto":
        folder = Path(resume)
    elif out is not None:
        folder = Path(out)
    else:
        folder = Run.newest(Path("runs"), _name(data))
    if folder is not None and (folder / "run.json").is_file():
        return folder
    if resume == "auto":
        return None
    raise UserError(
        f"There is no run to continue in {folder or 'runs/'}: give --out or --resume the folder of one, or leave --resume out."
    )


def _name(data: Any) -> str:
    return Path(data).stem if isinstance(data, str | Path) else "data"


def _open_together(data: Any, opening: Mapping[str, Any]) -> Dataset:
    """Opens the data in the first process before the others, which then find it in the cache."""
    dataset = distributed.in_first(lambda: open_dataset(data, **opening))
    return dataset if dataset is not None else open_dataset(data, **opening)


def _source(data: Any, opening: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json remembers of where the data came from; data from Python must be given again to resume."""
    if not isinstance(data, str | Path):
        return {"source": None, "opening": {}}
    path = Path(data)
    return {"source": str(path.resolve()) if path.exists() else str(data), "opening": dict(opening)}


def _continue(
    folder: Path,
    data: Any,
    opening: Mapping[str, Any],
    minutes: float | None,
    samples: int | None,
    threads: int | None,
    evaluate: bool,
    watchers: Sequence[Watcher | Callable[[Path], Watcher]],
) -> Run:
    run = Run(folder)
    dataset = run_data(run, data, opening)
    if dataset.fingerprint != run.facts["data"]["fingerprint"]:
        raise UserError(
            f"The data have changed since {folder} was begun, so it cannot be continued exactly: restore them, or begin a "
            "new run."
        )
    settings = run.facts["settings"] | ({"minutes": minutes, "samples": samples} if minutes or samples else {})
    planning.check_positive(threads=threads)
    used = threads or settings.get("threads") or run.facts["environment"].get("threads")
    if settings.get("threads") != used and distributed.leads():
        run.facts["settings"]["threads"] = used
        run.write_facts()
    settings |= {"threads": used, "device": planning.choose_device(settings["device"].partition(":")[0])}
    plan = planning.Plan(
        gan=run.facts["gan"],
        preset=run.facts["preset"],
        config=planning.made_config(_gan_class(run), run.facts["gan"], planning.Preset(about="", batch=1), run.facts["config"]),
        settings=Settings(**settings),
        mirror=run.facts["mirror"],
    )
    examined = run.facts.get("examination")
    examination = Examination.from_json(examined) if examined else None
    return _train(
        dataset, plan, folder, run.facts["data"], run, evaluate, watchers, examination, extended=bool(minutes or samples)
    )


def _gan_class(run: Run) -> Any:
    from gansmith import gans

    return gans.find(run.facts["gan"])


def run_data(run: Run, data: Any = None, opening: Mapping[str, Any] | None = None) -> Dataset:
    """The data a run was trained on, opened as they were, or `data` in their stead."""
    facts = run.facts["data"]
    if data is None and facts["source"] is None and run.data is not None:
        return run.data
    if data is None and facts["source"] is None:
        raise UserError(f"The data of {run.folder} came from Python and are not on disk: give them again.")
    return _open_together(facts["source"] if data is None else data, {**facts["opening"], **(opening or {})})


def _train(dataset: Dataset, plan: planning.Plan, folder: Path, *others: Any, **more: Any) -> Run:
    """Plays the game while no other training may write to the folder."""
    claim = distributed.in_first(lambda: Claim(folder))
    try:
        return _play(dataset, plan, folder, *others, **more)
    finally:
        if claim is not None:
            claim.give_up()


def _play(
    dataset: Dataset,
    plan: planning.Plan,
    folder: Path,
    source: Mapping[str, Any],
    resumed: Run | None,
    evaluate: bool,
    watching: Sequence[Watcher | Callable[[Path], Watcher]],
    examination: Examination | None,
    extended: bool = False,
) -> Run:
    training, held_out = split(dataset)
    played = mirrored(training) if plan.mirror else training
    plan = planning.settle_threads(plan, played)
    gan = plan.build(dataset)
    trainer = Trainer(gan, played, plan.settings)
    watchers = [watcher(folder) if callable(watcher) else watcher for watcher in watching] if distributed.leads() else []
    card = {"gan": plan.gan, "data": dataset.name, "examples": len(training), "samples": 0}
    model, examiner = Model(gan, dataset.codec, card, held_out), None
    if examination is not None:
        trainer.aside = examination.share
        examiner = distributed.in_first(lambda: Examiner(examination, model, training, held_out, folder / BEST))
    facts = _facts(folder, dataset, plan, gan, source) | _judged_with(held_out, examination)
    run = resumed or distributed.in_first(lambda: _new_run(folder, facts)) or Run(folder)
    run.data = dataset
    if distributed.leads():
        recorder = Recorder(run, model, training, held_out, watchers, examiner)
        trainer.guest = recorder
        for watcher in watchers:
            watcher.started(run.facts)
    else:
        trainer.guest = Follower(run)
    if resumed:
        _restore(trainer, run, extended, examiner)
    elif distributed.leads():
        for sentence in (*dataset.remarks(), *((plan.because,) if plan.because else ())):
            recorder.say(sentence)
        recorder.preview_real(training)
        recorder.preview(0)
    end = "It ended by a fault."
    try:
        trainer.train()
        if distributed.leads() and (known := gan.facts()):
            recorder.say(f"Of this model: {', '.join(f'{name} {value}' for name, value in known.items())}.")
        if examiner is not None and (verdict := examiner.verdict()):
            recorder.say(verdict)
        if distributed.leads() and evaluate:
            run.judgement = _judged_if_possible(run, recorder, training, held_out)
        end = f"Done: {folder}"
    except Interrupted:
        end = f"Stopped and saved at {gan.clock.samples:,} samples: continue with gansmith train --resume {folder}"
        raise
    except UserError:
        end = "It could not go on."
        raise
    finally:
        if distributed.leads() and run.judgement is None:
            run.report()
        for watcher in watchers:
            watcher.finished(end)
    distributed.wait()
    return run


def _judged_if_possible(run: Run, recorder: Recorder, training: Dataset, held_out: Dataset) -> Judgement | None:
    """The judgement; what cannot be judged (too few examples) is no reason to fail after a training that went well."""
    for watcher in recorder.watchers:
        watcher.message(f"Judging it beside {len(held_out):,} held-out examples.")
    try:
        return _judge_and_report(run, recorder.model, training, held_out, recorder.watchers)
    except UserError as error:
        recorder.say(f"Not judged: {error}")
        return None


def _facts(folder: Path, dataset: Dataset, plan: planning.Plan, gan: Any, source: Mapping[str, Any]) -> dict[str, Any]:
    spec = dataset.codec.spec
    return {
        "name": folder.name,
        "gan": str(Path(plan.gan).resolve()) if plan.gan.endswith(".py") else plan.gan,
        "preset": plan.preset,
        "config": dataclasses.asdict(plan.config),
        "settings": dataclasses.asdict(plan.settings),
        "mirror": plan.mirror,
        "data": {
            **source,
            "name": dataset.name,
            "kind": spec.kind,
            "fingerprint": dataset.fingerprint,
            "examples": len(dataset),
            "classes": list(spec.classes),
            "shape": list(spec.shape),
        },
        "parameters": planning.parameters(gan),
        "environment": planning.environment(plan.settings),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _judged_with(held_out: Dataset, examination: Examination | None) -> dict[str, Any]:
    """What run.json remembers of how scores are taken: which examples are held out, and what is measured on the way."""
    return {"held_out": content_key(held_out), "examination": examination.to_json() if examination else None}


def _restore(trainer: Trainer, run: Run, extended: bool, examiner: Examiner | None) -> None:
    assert trainer.guest is not None
    state = trainer.guest.last_good()
    if state is None:
        trainer.guest.say("There is no checkpoint yet: beginning again from the same seed.")
        return
    trainer.load_state(*state)
    if extended:
        run.facts["settings"] |= {"minutes": trainer.settings.minutes, "samples": trainer.settings.samples}
        if run.facts.get("examination"):
            run.facts["examination"]["schedule"] = None
        run.write_facts()
        trainer.gan.clock.total = None
        trainer.budget.samples = trainer.settings.samples
        if examiner is not None:
            examiner.begin_anew()
    trainer.guest.say(f"Continuing at {trainer.gan.clock.samples:,} samples.")
    if examiner is not None and examiner.enough:
        trainer.guest.say(examiner.farewell())


# ---- judging ------------------------------------------------------------------------------------------------------------------


def evaluate_run(
    run: Run,
    *,
    data: Any = None,
    metrics: Sequence[str] | None = None,
    samples: int | None = None,
    seed: int = 0,
    watchers: Sequence[Watcher] = (),
    **how: Any,
) -> Judgement:
    """Judges a run's model, writes evaluations.jsonl and the report anew. `data` may be held-out data of your own; if the run's own came
    from Python in another process, they stand for these too, and nothing is written.

    `how` are further options of `metrics.judge.judge`: features, inception, resize, fast, segmenter, device, progress.
    """
    how["device"] = planning.choose_device(how.get("device") or "auto")
    if run.facts["data"]["source"] is None and run.data is None and data is not None:
        return evaluate_elsewhere(run, data=data, metrics=metrics, samples=samples, seed=seed)
    training, held_out = split(run_data(run))
    if data is not None:
        held_out = open_like(training, data, opening=run.facts["data"]["opening"])
    model = run.model()
    model.inputs = held_out
    return _judge_and_report(run, model, training, held_out, watchers, metrics=metrics, samples=samples, seed=seed, **how)


def evaluate(
    run: Run | Path | str | None = None, *, real: Any = None, fake: Any = None, data: Any = None, **options: Any
) -> Judgement:
    """Judges a run against its data, or anybody's samples: `evaluate("runs/digits-0001")`, `evaluate(real="photos/", fake="made/")`.

    Another model in the run's folder, such as "runs/digits-0001/averaged", is judged against the run's data too; nothing is written.

    `metrics`, `samples` and `seed` choose what is measured and how, `features`, `inception`, `resize`, `fast` and `device` in which
    space (see `metrics.judge.judge`); opening options (`resolution`, ...) apply to both sides of the second form. Raises UserError if
    neither form is given.
    """
    from gansmith.metrics.judge import judge

    if run is not None and not isinstance(run, Run) and (parent := _run_around(Path(run))):
        return _evaluate_beside(Model.load(run), parent, data, **options)
    if run is not None:
        return evaluate_run(run if isinstance(run, Run) else Run(run), data=data, **options)
    if real is None or fake is None:
        raise UserError("Judging needs a run folder, or both --real and --fake.")
    opening = {name: options.pop(name) for name in OPENING if name in options}
    options["device"] = planning.choose_device(options.get("device") or "auto")
    originals = not {"resolution", "crop"} & {name for name, value in opening.items() if value is not None}
    everything = open_dataset(real, **opening, originals=originals)
    training, held_out = split(everything)
    everything = dataclasses.replace(everything, held_out=None)
    return judge(open_like(training, fake, originals), training, held_out, everything=everything, **options)


def _run_around(folder: Path) -> Run | None:
    """The run that this folder of a model lies in, where it is not the run's own last or best one."""
    alone = (folder / "model.json").is_file() and not (folder / "run.json").exists() and folder.name != BEST
    return Run(folder.resolve().parent) if alone and (folder.resolve().parent / "run.json").is_file() else None


def _evaluate_beside(
    model: Model,
    run: Run,
    data: Any,
    *,
    metrics: Sequence[str] | None = None,
    samples: int | None = None,
    seed: int = 0,
    **how: Any,
) -> Judgement:
    """Judges a model that is not the run's own by the run's data."""
    from gansmith.metrics.judge import MOST, judge, over_all

    how["device"] = planning.choose_device(how.get("device") or "auto")
    given = run.facts["data"]["source"] is None and run.data is None
    training, held_out = split(run_data(run, data if given else None))
    if data is not None and not given:
        held_out = open_like(training, data, opening=run.facts["data"]["opening"])
    model.inputs = held_out
    count = samples or MOST
    count = count if over_all(metrics) else min(count, len(held_out))
    fake = Dataset.of(model.sample(count, seed=seed), model.codec, "generated", training.facts)
    return judge(fake, training, held_out, model=model, metrics=metrics, samples=samples, seed=seed, **how)


def evaluate_elsewhere(
    run: Run, *, data: Any, metrics: Sequence[str] | None = None, samples: int | None = None, seed: int = 0
) -> Judgement:
    """Judges a run's model by data that it was not trained on, which stand for the training data too; writes nothing."""
    from gansmith.metrics.judge import MOST, judge

    model = run.model()
    fake = Dataset.of(model.sample(samples or MOST, seed=seed), model.codec, "generated")
    training, held_out = split(open_like(fake, data))
    return judge(fake, training, held_out, metrics=metrics, samples=samples, seed=seed, model=model)


def _judge_and_report(
    run: Run, model: Model, training: Dataset, held_out: Dataset, watchers: Sequence[Watcher], **options: Any
) -> Judgement:
    from gansmith.judged import leave
    from gansmith.metrics.judge import MOST, judge, over_all

    count = options.get("samples") or MOST
    if not over_all(options.get("metrics")):
        count = min(count, len(held_out))
    fake = Dataset.of(model.sample(count, seed=options.get("seed") or 0), model.codec, "generated", training.facts)
    judgement = judge(fake, training, held_out, model=model, portrait=True, **options)
    conditions = {"samples_seen": model.card["samples"], "asked": options.get("samples"), "held_out": content_key(held_out)}
    records = leave(judgement, run, fake, training, **conditions)
    for watcher in watchers:
        watcher.evaluation(records)
    return judgement


# ---- looking ------------------------------------------------------------------------------------------------------------------


def inspect(data: Any, **opening: Any) -> Inspection:
    """What is in the data, what is wrong with it, what we would train and how long that would take here."""
    inspection = inspect_dataset(data, **opening)
    try:
        dataset = open_dataset(data, **{**opening, "skip_unreadable": True})
        plan = planning.settle_threads(planning.plan(dataset), dataset)
        rehearsal = planning.rehearse(plan, dataset)
    except UserError as error:
        inspection.suggestion = f"Nothing can be trained on it yet: {error}"
        return inspection
    needed = max(200_000, 40 * len(dataset))
    hours = needed / rehearsal.images_per_second / 3600
    time = f"{hours * 60:.0f} minutes" if hours < 2 else f"{hours:.0f} hours"
    inspection.suggestion = (
        f"gansmith train {data if isinstance(data, str | Path) else 'DATA'} would train {plan.gan} (preset {plan.preset}) "
        "at about "
        f"{rehearsal.images_per_second:,.0f} samples a second on this {plan.settings.device}: about {time} for the "
        f"{needed:,} samples that "
        "usually give a first good result."
    )
    return inspection
