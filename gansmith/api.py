"""The commands as functions: train, load, evaluate, inspect."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith import gans, kinds
from gansmith.data.codec import Keeps
from gansmith.data.dataset import Dataset
from gansmith.data.programs import named_in, trusting
from gansmith.data.schema import describing
from gansmith.data.suggestions import listed
from gansmith.data.values import (
    Budget,
    Count,
    CountOrNone,
    Examples,
    Minutes,
    Name,
    Names,
    Place,
    Seed,
    Share,
    Somewhere,
    Threads,
    Values,
    checked,
)
from gansmith.errors import UserError
from gansmith.evaluation.evaluate import evaluate, evaluate_elsewhere, evaluate_run, judge_and_report
from gansmith.evaluation.validation import Validation
from gansmith.evaluation.validator import Validator
from gansmith.kinds.opening import read_options
from gansmith.model import Model
from gansmith.planning import plan as planning
from gansmith.planning.looking import inspect
from gansmith.runs.begun import as_begun, facts_of, judged_with
from gansmith.runs.data import open_together, run_data, split
from gansmith.runs.folder import BEST
from gansmith.runs.lock import RunLock
from gansmith.runs.made_here import signed
from gansmith.runs.milestones import in_samples
from gansmith.runs.model_files import copies_beside
from gansmith.runs.recorder import Follower, Recorder
from gansmith.runs.run import Run
from gansmith.runs.warm_start import Origin, as_there, begin_from
from gansmith.runs.warm_start import freeze_critic as frozen_critic
from gansmith.training import distributed
from gansmith.training.devices import choose_device
from gansmith.training.trainer import Interrupted, Trainer
from gansmith.watch.notebook import Notebook, in_notebook

if TYPE_CHECKING:
    from gansmith.evaluation.judgement import Judgement
    from gansmith.watch.watcher import Watcher

__all__ = ["evaluate", "evaluate_elsewhere", "evaluate_run", "inspect", "load", "run_data", "split", "train"]


def load(path: os.PathLike[str] | str, device: str = "cpu", precision: str = "float32", *, trust: bool = False) -> Model:
    """The model of a run, or of its folder, its model/ folder, or a copy of one; `precision` and `trust` as of `Model.load`.

    Raises UserError if there is none.
    """
    return Model.load(path, device, precision, trust=trust)


@checked
def train(
    data: Any = None,
    *,
    gan: Name | None = None,
    preset: Name | None = None,
    options: Values | None = None,
    out: Somewhere | None = None,
    resume: bool | str | Path = False,
    minutes: Minutes | None = None,
    samples: Budget | None = None,
    batch: Count | None = None,
    accumulate: Count = 1,
    seed: Seed = 0,
    device: str = "auto",
    precision: Name = "auto",
    compile: bool = False,
    mirror: bool | None = None,
    threads: Threads | None = None,
    judge_metrics: Names = (),
    judge_samples: Examples = Validation.samples,
    judge_share: Share = Validation.share,
    keep_best: Name | None = None,
    patience: Count | None = None,
    checkpoint_every: int | str | None = None,
    start_from: Somewhere | None = None,
    freeze_critic: CountOrNone = 0,
    evaluate: bool = True,
    watchers: Sequence[Watcher | Callable[[Path], Watcher]] | None = None,
    trust: bool = False,
    **opening: Any,
) -> Run:
    """Trains a GAN on data and returns its run, with model, report and scores.

    `data` is anything `open_dataset` takes, whose options (`resolution`, `crop`, `channels`, `labels`, ...) may be given too.
    `options` are fields of the GAN's Config. Without a budget (`minutes`, `samples`) the preset's is used. `resume=True` continues the
    run in `out` (or the newest run of this data) exactly; `resume="auto"` does so if there is one, and begins otherwise. A resumed run
    keeps its own configuration and refuses another; a budget given with it extends or shortens it, and `threads` changes their number,
    after which sums are rounded differently. Without `threads`, the fastest number is measured on a CPU, and kept. A watcher may be
    given as a function of the run folder; without any, a notebook shows progress. A resumed run that names a Python file as its GAN
    needs it again as `gan`, or `trust`. `checkpoint_every` (samples, or "10epochs") keeps models in the run's milestones/.

    `judge_metrics` are measured during training on `judge_samples` examples a side, in at most `judge_share` of the time. The best model
    by `keep_best` is kept in the run's best/; `patience` ends the training when that metric (or the first) no longer improves clearly.

    `start_from` (a run, a model, or "user/name" on the hub) gives the players the weights that fit, and the GAN and options of that run
    where no others are named; the first `freeze_critic` layers of the critic then stay as they are. A resumed run has its own weights.

    Raises UserError for whatever the user can mend, and Interrupted when stopped by Ctrl-C or SIGTERM after saving.
    """
    if watchers is None:
        watchers = [Notebook()] if in_notebook() else []
    distributed.start()
    folder = _resumed_folder(data, out, resume)
    if folder is not None:
        run = Run(folder, trust)
        if gan is not None and str(gan).endswith(".py") and str(Path(gan).resolve()) != run.facts["gan"]:
            raise UserError(
                f"{folder} was trained with --gan {run.facts['gan']}, but {gan} came: leave it out, or name the same."
            )
        asked = {"preset": preset, "batch": batch, "mirror": mirror, "compile": compile or None}
        asked |= {"gan": None if str(gan).endswith(".py") else gan, "device": device, "precision": precision}
        asked |= {"accumulate": accumulate if accumulate != 1 else None, "seed": seed or None}
        examined = Validation.requested(judge_metrics, judge_samples, judge_share, keep_best, patience)
        _refuse_other(run, asked, options or {}, examined)
        with named_in(folder / "run.json", trust, said=gan, copies=copies_beside(folder / "model")):
            return _continue(run, data, opening, minutes, samples, threads, evaluate, watchers)
    if data is None:
        raise UserError("Training needs data: give a folder, a file, a built-in name such as digits, or a data set from Python.")
    if not isinstance(data, Dataset):
        read_options(data, opening.get("kind"), _without_kind(opening), signature(train).parameters)
        opening = opening_for(data, gan, opening)
    examination = Validation.requested(judge_metrics, judge_samples, judge_share, keep_best, patience)
    origin = None if start_from is None else Origin.read(start_from, trust)
    if origin is not None:
        gan, options = as_there(origin, gan, preset, options or {})
    elif freeze_critic:
        raise UserError("--freeze-critic keeps layers of an earlier training: give that with --from, or leave it out.")
    dataset = open_together(data, opening)
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
    folder = Path(distributed.share_text(str(out if out is not None else Run.next_folder(Path("runs"), dataset.name))))
    _refuse_taken(folder)
    with trusting(trust):
        return _train(
            dataset,
            plan,
            folder,
            _source(data, opening),
            None,
            evaluate,
            watchers,
            examination,
            checkpoint_every=checkpoint_every,
            origin=origin,
            frozen=freeze_critic,
        )


def _refuse_taken(folder: Path) -> None:
    if (folder / "run.json").exists():
        raise UserError(f"{folder} already holds a run: continue it with --resume, or choose another --out.")


def _new_run(folder: Path, facts: Mapping[str, Any]) -> Run:
    _refuse_taken(folder)  # again: another training may have begun and ended while data were read
    return Run.create(folder, facts)


def _resumed_folder(data: Any, out: Path | str | None, resume: bool | str | Path) -> Path | None:
    """The folder of the run to continue, or None to begin a new one."""
    if resume is False:
        return None
    if not isinstance(resume, bool) and resume != "auto":
        folder = Place().of("resume", resume)
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


def _refuse_other(run: Run, asked: Mapping[str, Any], options: Mapping[str, Any], examined: Validation | None) -> None:
    """Raises UserError for the first option that says something else than the run was begun with."""
    facts, settings = run.facts, run.facts["settings"]
    pairs = {name: (value, settings.get(name, facts.get(name))) for name, value in asked.items() if value not in (None, "auto")}
    if "device" in pairs:
        pairs["device"] = (pairs["device"][0].partition(":")[0], settings["device"].partition(":")[0])
    for name, value in options.items():
        pairs[f"gan.{name}"] = (list(value) if isinstance(value, tuple) else value, facts["config"].get(name))
    if examined is not None:
        begun = facts.get("examination") or {}
        for flag, name in (("judge-metrics", "metrics"), *((own, own) for own in ("keep_best", "patience"))):
            value = getattr(examined, name)
            pairs[flag] = (list(value) if isinstance(value, tuple) else value, begun.get(name))
        pairs |= {f"judge-{name}": (getattr(examined, name), begun.get(name)) for name in ("samples", "share")}
    for name, (value, begun) in pairs.items():
        if value != (list(begun) if isinstance(begun, tuple) else begun):
            raise UserError(
                f"{run.folder} was begun with --{name.replace('_', '-')} {begun}, and {value} came, but a resumed run keeps its own "
                "configuration: leave the option out, or begin a new run with another --out."
            )


def _name(data: Any) -> str:
    return Path(data).stem if isinstance(data, str | Path) else "data"


def _source(data: Any, opening: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json remembers about where the data came from; data from Python must be given again to resume."""
    if not isinstance(data, str | Path):
        return {"source": None, "opening": {}}
    path = Path(data).expanduser()
    named = opening.get("kind")
    _, options = read_options(data, named, _without_kind(opening))
    opened = {**({"kind": kinds.absolute(named)} if named else {}), **options.to_json()}
    return signed({"source": str(path.resolve()) if path.exists() else str(data), "opening": opened})


def opening_for(data: Any, gan: str | Path | None, opening: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the data, with those that the GAN asks for by itself. Raises UserError for options that the data do not have."""
    if gan is None or gan == planning.AUTO or not gans.find(gan).opens:
        return dict(opening)
    kind, _ = read_options(data, opening.get("kind"), _without_kind(opening), signature(train).parameters)
    return {**(gans.find(gan).opens if kind.name in gans.find(gan).kinds else {}), **opening}


def _without_kind(opening: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in opening.items() if name != "kind"}


def _continue(
    run: Run,
    data: Any,
    opening: Mapping[str, Any],
    minutes: float | None,
    samples: int | None,
    threads: int | None,
    evaluate: bool,
    watchers: Sequence[Watcher | Callable[[Path], Watcher]],
) -> Run:
    begun = as_begun(run)
    folder, dataset = run.folder, run_data(run, data, opening)
    if dataset.fingerprint != run.facts["data"]["fingerprint"]:
        raise UserError(
            f"The data have changed since {folder} was begun, so it cannot be continued exactly: restore them, or begin a "
            "new run."
        )
    used = threads or begun.settings.threads or run.facts["environment"].get("threads")
    device = choose_device(begun.settings.device.partition(":")[0])
    settings = dataclasses.replace(begun.settings, threads=used, device=device)
    if minutes or samples:
        settings = dataclasses.replace(settings, minutes=minutes, samples=samples)
    plan = planning.Plan(
        gan=run.facts["gan"], preset=run.facts["preset"], config=begun.config, settings=settings, mirror=run.facts["mirror"]
    )
    begun.check_size(plan, dataset)
    if begun.settings.threads != used and distributed.leads():
        run.facts["settings"]["threads"] = used
        run.write_facts()
    return _train(
        dataset, plan, folder, run.facts["data"], run, evaluate, watchers, begun.examination, extended=bool(minutes or samples)
    )


def _train(dataset: Dataset, *arguments: Any, **more: Any) -> Run:
    """Plays the game; whatever was claimed for it is given up at its end."""
    with ExitStack() as at_end:
        return _play(at_end, dataset, *arguments, **more)


def _play(
    at_end: ExitStack,
    dataset: Dataset,
    plan: planning.Plan,
    folder: Path,
    source: Mapping[str, Any],
    resumed: Run | None,
    evaluate: bool,
    watching: Sequence[Watcher | Callable[[Path], Watcher]],
    examination: Validation | None,
    extended: bool = False,
    checkpoint_every: int | str | None = None,
    origin: Origin | None = None,
    frozen: int = 0,
) -> Run:
    training, held_out = split(dataset)
    mirrored = kinds.find(training.codec.spec.kind).mirrored(training) if plan.mirror else training
    plan = planning.settle_threads(plan, mirrored)
    gan = plan.build(dataset)
    beginning = begin_from(gan, origin) if origin else []
    if frozen := resumed.facts.get("freeze_critic", 0) if resumed else frozen:
        beginning.append(frozen_critic(gan, frozen))
    trainer = Trainer(gan, mirrored, plan.settings)
    watchers = [watcher(folder) if callable(watcher) else watcher for watcher in watching] if distributed.leads() else []
    card = {"gan": plan.gan, "data": dataset.name, "examples": len(training), "samples": 0}
    if isinstance(dataset.codec, Keeps):
        card["kept"] = dataset.codec.kept()
    model, validator = Model(gan, dataset.codec, card, held_out), None
    if examination is not None:
        trainer.aside = examination.share
        validator = distributed.in_first(lambda: Validator(examination, model, training, held_out, folder / BEST))
    facts = facts_of(folder.name, dataset, plan, gan, source) | judged_with(held_out, examination)
    if origin is not None:
        facts |= {"start_from": origin.place, "freeze_critic": frozen}
    if checkpoint_every is not None:
        facts["checkpoint_every"] = in_samples(checkpoint_every, len(training))
    if lock := distributed.in_first(lambda: RunLock(folder)):
        at_end.callback(lock.release)
    run = resumed or distributed.in_first(lambda: _new_run(folder, facts)) or Run(folder)
    run.data = dataset
    run.trust = run.trust or resumed is None  # the user has named whatever it runs
    if distributed.leads():
        recorder = Recorder(run, model, training, held_out, watchers, validator)
        trainer.guest = recorder
        if lock is not None and lock.remark:
            recorder.say(lock.remark)
        for watcher in watchers:
            watcher.started(run.facts)
    else:
        trainer.guest = Follower(run)
    if resumed:
        _restore(trainer, run, extended, validator)
    elif distributed.leads():
        for sentence in (*dataset.remarks(), *((plan.because,) if plan.because else ()), *beginning):
            recorder.say(sentence)
        recorder.preview_real(training)
        recorder.preview(0)
    end = "It ended by a fault."
    try:
        trainer.train()
        if distributed.leads() and (known := gan.facts()):
            recorder.say(f"Of this model: {', '.join(f'{name} {value}' for name, value in known.items())}.")
        if validator is not None and (verdict := validator.verdict()):
            recorder.say(verdict)
        if distributed.leads() and evaluate:
            run.judgement = _judged_if_possible(run, recorder, training, held_out, plan.settings.minutes)
        if distributed.leads() and run.judgement is None:
            run.report()
        end = f"Done: {folder}"
    except Interrupted:
        end = f"Stopped and saved at {gan.clock.samples:,} samples: continue with gansmith train --resume {folder}"
        raise
    except KeyboardInterrupt:
        end = f"Stopped at once: continue from what was last saved with gansmith train --resume {folder}"
        raise
    except (UserError, OSError):
        end = "It could not go on."
        raise
    finally:
        if distributed.leads() and gan.values_used() != run.facts.get("used"):
            with suppress(OSError, UserError):
                run.facts["used"] = gan.values_used()
                run.write_facts()
        if distributed.leads() and not end.startswith(("Done", "Stopped at once")):
            with suppress(OSError, UserError):  # what ended it is the news
                run.report()
        for watcher in watchers:
            watcher.finished(end)
    distributed.wait()
    return run


def _judged_if_possible(
    run: Run, recorder: Recorder, training: Dataset, held_out: Dataset, minutes: float | None
) -> Judgement | None:
    """The judgement; what cannot be judged (too few examples) is no reason to fail after a training that went well. Of a training that
    was given minutes it takes about as long again, and half a minute at least."""
    for watcher in recorder.watchers:
        watcher.message(f"Judging it beside {len(held_out):,} held-out examples. The model is saved: Ctrl-C skips this.")
    try:
        seconds = None if minutes is None else max(30.0, 60.0 * minutes)
        found = judge_and_report(run, recorder.model, training, held_out, recorder.watchers, seconds=seconds)
        if left := found.left_out():
            recorder.say(f"Judging took as long as the training; gansmith evaluate {run.folder} also measures {listed(left)}.")
        return found
    except UserError as error:
        recorder.say(f"Not judged: {error}")
        return None
    except KeyboardInterrupt:
        recorder.say(f"Judging was stopped; the model is whole. gansmith evaluate {run.folder} judges it later.")
        return None


def _restore(trainer: Trainer, run: Run, extended: bool, validator: Validator | None) -> None:
    assert trainer.guest is not None
    with describing(run.checkpoints, "newest checkpoint"):
        state = trainer.guest.last_good()
    if state is None:
        trainer.guest.say("There is no checkpoint yet: beginning again from the same seed.")
        return
    with describing(run.checkpoints, "newest checkpoint"):
        trainer.load_state(*state)
    if extended:
        run.facts["settings"] |= {"minutes": trainer.settings.minutes, "samples": trainer.settings.samples}
        if run.facts.get("examination"):
            run.facts["examination"]["schedule"] = None
        run.write_facts()
        trainer.gan.clock.total = None
        trainer.budget.samples = trainer.settings.samples
        if validator is not None:
            validator.begin_anew()
    trainer.guest.say(f"Continuing at {trainer.gan.clock.samples:,} samples.")
    if validator is not None and validator.enough:
        trainer.guest.say(validator.farewell())
