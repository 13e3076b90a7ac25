"""gansmith train: from data to a trained, judged model."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from tyro.conf import Positional, arg

from gansmith.cli import NEEDS_DATA
from gansmith.cli.config_file import Configured, with_config
from gansmith.cli.data_options import USUAL, Opening, with_data_options, without_gan
from gansmith.cli.options import Flag, parse, takes, value_of, without
from gansmith.cli.output import Output
from gansmith.cli.parts import train_parts
from gansmith.cli.profile import show_profile
from gansmith.cli.rehearsal import rehearse
from gansmith.cli.study import study
from gansmith.data.options import names_in
from gansmith.data.programs import named_in, trusting
from gansmith.data.values import Budget, Count, CountOrNone, Examples, Minutes, Seed, Share, Threads, check_divides
from gansmith.errors import UserError
from gansmith.runs.made_here import allow_data

if TYPE_CHECKING:
    from gansmith.runs.run import Run
    from gansmith.watch.watcher import Watcher

EXAMINATION = ("judge_samples", "judge_share", "keep_best", "patience")
KEPT = (
    "gan",
    "preset",
    "batch",
    "accumulate",
    "seed",
    "device",
    "precision",
    "compile",
    "mirror",
    "no_mirror",
    "judge_metrics",
    "checkpoint_every",
    "start_from",
    "freeze_critic",
    *EXAMINATION,
)
"""What a resumed run keeps as it was begun."""
BARE = {"--resume": "newest"}


@dataclass(frozen=True, kw_only=True)
class Train:
    """Trains a GAN on data, judges it, and leaves a run folder with model, samples, scores and report.html.

    Every GAN has options of its own: gansmith train --gan NAME --help shows them.
    """

    GROUPS: ClassVar = {
        "What is trained": ("gan", "preset", "generator", "critic", "config", "mirror", "no_mirror"),
        "How long": ("minutes", "samples", "patience"),
        "The run": ("out", "resume", "start_from", "freeze_critic", "seed", "seeds", "checkpoint_every", "trust"),
        "Speed and memory": ("batch", "accumulate", "device", "devices", "threads", "precision", "compile"),
        "Judging": ("no_evaluate", "judge_metrics", "judge_samples", "judge_share", "keep_best"),
        "Output": ("dry_run", "profile", "track", "json"),
    }

    data: Annotated[Positional[str | None], takes("DATA")] = None
    """A folder, zip, npz, npy, csv or Parquet file, a built-in name (gansmith list data), or a hub name user/name."""
    gan: Annotated[str | None, takes("NAME", "r3gan")] = None
    """A GAN (gansmith list gans), the path of a .py file that defines one, or auto: one that suits data and machine."""
    generator: Annotated[str | None, takes("FILE.py:FUNCTION")] = None
    """A generator of your own, a PyTorch module or Keras model that this function returns; with --critic (gansmith list gans: own)."""
    critic: Annotated[str | None, takes("FILE.py:FUNCTION")] = None
    """A critic of your own, likewise."""
    preset: Annotated[str | None, takes("NAME", "the GAN's first")] = None
    """Settings that belong together (gansmith list presets)."""
    out: Annotated[Path | None, takes("DIR", "runs/DATA-0001, -0002, ...")] = None
    """The run folder."""
    config: Annotated[str | None, takes("FILE")] = None
    """Options from a run.json, or from a .json or .toml file of your own; those on the command line win."""
    resume: Annotated[str | None, takes("[auto|RUN]")] = None
    """Continue exactly: the run in --out, or the newest of this data; RUN: that one; auto: if there is one."""
    start_from: Annotated[str | None, takes("RUN|MODEL|HUB", name="from")] = None
    """Begin with the weights of another run or model, as far as they fit; GAN and options are that run's where no others are named."""
    freeze_critic: Annotated[CountOrNone, takes("K", "0")] = 0
    """With --from: keep the first K layers of the critic as they are, which helps with few examples."""
    minutes: Annotated[Minutes | None, takes("M", "the preset's")] = None
    """How long to train."""
    samples: Annotated[Budget | None, takes("N", "the preset's")] = None
    """How many examples of real data to train on, counted with repetitions; with --minutes, whichever ends first."""
    batch: Annotated[Count | None, takes("B", "the preset's")] = None
    """Real examples in a batch, of all processes together."""
    accumulate: Annotated[Count, takes("K", "1")] = 1
    """Compute each batch in K parts, to spare memory."""
    seed: Annotated[Seed, takes("S", "0")] = 0
    """Decides the initial weights, the order of the data and all noise."""
    seeds: Annotated[str | None, takes("1-5")] = None
    """Train once with each of these seeds, in one folder, and compare: what luck alone does."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    devices: Annotated[Count, takes("N", "1")] = 1
    """Train in N processes, through torchrun."""
    precision: Annotated[Literal["auto", "float32", "bfloat16"], takes("{auto,float32,bfloat16}", "auto")] = "auto"
    """auto takes bfloat16 for images where the hardware computes in it."""
    compile: Flag = False
    """Run the networks through torch.compile: minutes of preparation, worth it in long trainings on GPUs."""
    threads: Annotated[Threads | None, takes("N", "the fastest, measured")] = None
    """Threads of a CPU; given with --resume, the run goes on with so many, rounding differently."""
    mirror: Flag = False
    """Double the data by horizontal flips; else as the preset says."""
    no_mirror: Flag = False
    """Do not double the data, whatever the preset says."""
    opening: Annotated[Opening, arg(name="")] = field(default_factory=Opening)
    judge_metrics: Annotated[str | None, takes("A,B,..")] = None
    """Metrics to measure during training (gansmith list metrics)."""
    judge_samples: Annotated[Examples, takes("N", "2000")] = 2000
    """Examples to judge on each side during training."""
    judge_share: Annotated[Share, takes("S", "0.05")] = 0.05
    """The largest share of the time that judging during training may take."""
    keep_best: Annotated[str | None, takes("METRIC")] = None
    """Keep the best model by this metric in RUN/best/."""
    patience: Annotated[Count | None, takes("N")] = None
    """Stop when --keep-best's metric (or the first of --judge-metrics) has not left its interval for the better N times."""
    checkpoint_every: Annotated[str | None, takes("N|Kepochs")] = None
    """Keep the model of every N samples, or K passes over the data, in RUN/milestones/."""
    trust: Flag = False
    """Let programs run that a resumed run names, and feature networks in FILE.pt, which are programs too."""
    no_evaluate: Flag = False
    """Do not judge the result."""
    track: Annotated[Literal["tensorboard", "wandb"] | None, takes("{tensorboard,wandb}")] = None
    """Show the training there, too."""
    dry_run: Flag = False
    """Show what would be trained, its parameters, memory and moves, and write no run."""
    profile: Flag = False
    """Show where the time of a step goes and how near to this machine's peak it is, and write no run."""
    json: Flag = False
    """Print the result as JSON."""

    def arguments(self, argv: Sequence[str]) -> dict[str, Any]:
        """The arguments that `planning.plan` and `gansmith.train` share; `argv` tells which of the GAN's own were given."""
        if self.mirror and self.no_mirror:
            raise UserError("--mirror and --no-mirror contradict each other: leave one out.")
        names = (
            "gan",
            "preset",
            "minutes",
            "samples",
            "batch",
            "accumulate",
            "seed",
            "device",
            "precision",
            "compile",
            "threads",
        )
        mirror = True if self.mirror else False if self.no_mirror else None
        own, given = getattr(self, "options", None), _own(argv)
        options = {name: value for name, value in vars(own).items() if {name, f"no_{name}"} & given} if own else {}
        return {name: getattr(self, name) for name in names} | {"mirror": mirror, "options": options}

    def examination(self) -> dict[str, Any]:
        """The arguments of `gansmith.train` for what is measured during training."""
        return {name: getattr(self, name) for name in EXAMINATION} | {
            "judge_metrics": names_in(self.judge_metrics, "--judge-metrics")
        }


def run(argv: list[str]) -> int:
    configured = with_config(argv)
    if configured.place is None:
        return _run(configured.argv, None, argv)
    with named_in(configured.place, configured.trust, said=configured.said):
        return _run(configured.argv, configured.data, argv, configured)


def _run(argv: list[str], data: str | None, given: list[str], configured: Configured | None = None) -> int:
    """The command whose words, with those of --config, are `argv`; `given` are those of the command line itself."""
    argv = _with_own_players(argv)
    options = parse(_shape(argv), argv, "gansmith train", BARE)
    if configured is not None and configured.source is not None and configured.place is not None:
        named = {word.partition("=")[0].removeprefix("--").replace("-", "_") for word in given}
        allow_data(configured.place, configured.source, named, other=options.data is not None)
    if options.data is None and options.resume is None and data is not None:
        options, argv = dataclasses.replace(options, data=data), [data, *argv]
    if options.data is None and options.resume is None and not (options.dry_run or options.profile):
        raise UserError(NEEDS_DATA)
    if options.seeds is not None:
        return study(options, argv, run)
    if (status := train_parts(options, argv, run)) is not None:
        return status
    if options.dry_run or options.profile:
        with trusting(options.trust):
            return rehearse(options, argv) if options.dry_run else show_profile(options, argv)
    if options.devices > 1 and "RANK" not in os.environ:
        if options.batch is not None:  # before torch is loaded in every process
            check_divides(options.batch, options.devices, options.accumulate)
        from gansmith.training import distributed

        try:
            return distributed.launch(options.devices, ["train", *without("--devices", given)])
        except distributed.LostError as error:
            print(f"gansmith: {error}", file=sys.stderr)
            return 1
    return _train(options, argv)


def _with_own_players(argv: list[str]) -> list[str]:
    """The command line with --generator and --critic as options of the game between players of one's own."""
    words = [word.partition("=") for word in argv]
    if not {"--generator", "--critic"} & {name for name, *_ in words}:
        return argv
    if (gan := value_of("--gan", argv)) not in (None, "own"):
        raise UserError(
            f"--generator and --critic play the game of --gan own, not of {gan}: leave --gan out, and choose a loss with --gan.loss."
        )
    spelled = [
        f"--gan.{name[2:]}{sign}{value}" if name in ("--generator", "--critic") else name + sign + value
        for name, sign, value in words
    ]
    return [*spelled, *([] if gan else ["--gan", "own"])]


def _shape(argv: Sequence[str]) -> type[Train]:
    """The options of the command with those of the kind of data; those of the GAN too, which cost importing it, if it is named or they
    are used."""
    gan = value_of("--gan", argv)
    if gan not in (None, "auto") and {"-h", "--help"} & set(argv) and value_of("--kind", argv) is None:
        return _shape_with(OneGan, gan, argv)  # pyright: ignore[reportArgumentType], it is printed and not used
    command = with_data_options(Train, argv)
    if gan in (None, "auto") and not _own(argv):
        return command
    return _shape_with(command, _usual_gan(command, argv) if gan in (None, "auto") else gan, argv)


@dataclass(frozen=True, kw_only=True)
class OneGan:
    """Trains this GAN on data. These are its own options: gansmith train --help shows those of training and of images, and gansmith
    train --kind KIND --help those of other data.
    """

    is_excerpt: ClassVar[bool] = True

    data: Annotated[Positional[str | None], takes("DATA")] = None
    """A folder, a file, a built-in name (gansmith list data), or a hub name user/name."""
    gan: Annotated[str | None, takes("NAME")] = None
    """This GAN."""
    preset: Annotated[str | None, takes("NAME", "the GAN's first")] = None
    """Settings that belong together (gansmith list presets)."""


def _shape_with(command: type[Train], gan: str, argv: Sequence[str]) -> type[Train]:
    """The options of the command and of this GAN, shown with the values that they have for this kind of data.

    Values of one option that do not suit others are found when the data are known, whose preset decides those.
    """
    from gansmith import gans, kinds
    from gansmith.planning import plan as planning

    made, kind = gans.find(gan), value_of("--kind", argv)
    preset = value_of("--preset", argv) or planning.default_preset(
        made, kinds.find(kind).name if kind else next(iter(made.kinds), "")
    )
    values = planning.choose_preset(made, gan, preset).config
    unchecked: Any = type(made.Config.__name__, (made.Config,), {"__post_init__": lambda _: None, "__doc__": made.Config.__doc__})
    options = ("options", Annotated[unchecked, arg(name="gan")], field(default=unchecked(**values)))
    shape = dataclasses.make_dataclass("Train", [options], bases=(command,), frozen=True, kw_only=True)
    shape.__doc__ = command.__doc__
    return shape


def _usual_gan(command: type[Train], argv: Sequence[str]) -> str:
    """The GAN whose options are given where none is named: the usual one for the data, as far as they tell."""
    from gansmith import kinds
    from gansmith.data.source import Source
    from gansmith.kinds.opening import read_options

    words = [word for word in without_gan(command, argv) if word not in ("-h", "--help")]
    options = parse(command, words, "gansmith train", BARE)
    opening = options.opening.opening()
    kind = opening.pop("kind", None)
    try:
        found, own = read_options(options.data, kind, opening) if options.data else _without_data(kind, opening)
    except UserError:  # said when the data are opened
        return kinds.find(USUAL).gan
    return found.usual_gan(Source(options.data), own)


def _without_data(kind: str | None, opening: Mapping[str, Any]) -> tuple[Any, Any]:
    """The kind and its options where only help is asked for."""
    from gansmith import kinds

    found = kinds.find(kind or USUAL)
    return found, found.Options(**{**(kinds.spelled(kind) if kind else {}), **opening})


def _own(argv: Sequence[str]) -> set[str]:
    """The names of the GAN's own options in a command line; the preset decides the others."""
    return {word.partition("=")[0].removeprefix("--gan.").replace("-", "_") for word in argv if word.startswith("--gan.")}


def _train(options: Train, argv: Sequence[str]) -> int:
    from gansmith import api
    from gansmith.training import distributed
    from gansmith.training.trainer import Interrupted
    from gansmith.watch.live import Live

    class Watching(Live):
        """The live line begins with the newest scores taken during training; those of the end are shown in a table."""

        scores: Mapping[str, float] = {}

        def tick(self, record: Mapping[str, Any]) -> None:
            super().tick({**record, "terms": {**self.scores, **record["terms"]}})

        def evaluation(self, scores: Sequence[Mapping[str, Any]]) -> None:
            self.scores = {score["name"]: score["value"] for score in scores if "tick" in score} or self.scores
            self.moment.terms = {**self.scores, **self.moment.terms}

    _check_resume(options, argv)
    try:
        run = api.train(
            options.data,
            **options.arguments(argv),
            out=options.out,
            resume=True if options.resume == BARE["--resume"] else options.resume or False,
            **options.examination(),
            checkpoint_every=options.checkpoint_every,
            start_from=options.start_from,
            freeze_critic=options.freeze_critic,
            evaluate=not options.no_evaluate,
            trust=options.trust,
            watchers=[Watching(), *([partial(_board, options.track)] if options.track else [])],
            **options.opening.opening(),
        )
    except Interrupted:
        distributed.stop()
        return 130
    if distributed.leads():
        _report(options, run)
    distributed.stop()
    return 0


def _board(name: str, folder: Path) -> Watcher:
    """The board that --track names, for a run in this folder."""
    if name == "wandb":
        from gansmith.watch.wandb import WandB

        return WandB(folder)
    from gansmith.training.checkpoint import checkpoints
    from gansmith.watch.tensorboard import TensorBoard

    saved = checkpoints(folder / "checkpoints")
    return TensorBoard(folder / "tensorboard", resumed_at=int(saved[-1].stem) if saved else None)


def _check_resume(options: Train, argv: Sequence[str]) -> None:
    if options.resume in (None, "auto"):
        return
    usual = Train()
    changed = [name for name in KEPT if getattr(options, name) != getattr(usual, name)]
    if (options.gan or "").endswith(".py"):  # the user's word that this file may run, if it is the run's own
        changed.remove("gan")
    given = [name.replace("_", "-").replace("start-from", "from") for name in changed]
    given += [f"gan.{name.replace('_', '-')}" for name in sorted(_own(argv))]
    if given:
        flags = ", ".join(f"--{name}" for name in given)
        raise UserError(f"A resumed run keeps its own configuration: leave {flags} out, or begin a new run without --resume.")


def _report(options: Train, run: Run) -> None:
    from gansmith.report.verdict import use_command

    output = Output(options.json)
    report = run.folder / "report.html"
    if run.judgement is not None:
        output.show(run.judgement.table())
    verdict = run.verdict
    output.say(f"{verdict}")
    if verdict.command:
        output.say(f"Best now: {verdict.command}")
    output.say(f"Report:   {report}")
    use = use_command(run.folder, run.facts["data"])
    if verdict.command != use:
        output.say(f"Use it:   {use}")
    output.say(f"          gansmith export {run.folder} --to onnx")
    output.result(
        {
            "run": run.folder,
            "model": run.model_folder,
            "report": report,
            "verdict": dataclasses.asdict(verdict),
            "evaluation": run.judgement.to_json() if run.judgement is not None else None,
        }
    )
