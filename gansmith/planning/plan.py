"""What will be trained, before anything is: the GAN, its options, the settings, the device; and what it will cost."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gansmith import __version__, gans, kinds
from gansmith.data.dataset import Dataset
from gansmith.data.suggestions import did_you_mean
from gansmith.data.values import Budget, Count, Minutes, Name, Seed, Threads, Values, checked, options_checked
from gansmith.errors import UserError
from gansmith.game import GAN, Preset
from gansmith.training import distributed, seeds
from gansmith.training.allocator import kept_for_reuse
from gansmith.training.cpu_threads import candidates, fastest, using
from gansmith.training.devices import choose_device
from gansmith.training.precision import choose_precision
from gansmith.training.room import networks_that_fit
from gansmith.training.trainer import Settings, Trainer

AUTO = "auto"
"""The name of no GAN: the one that suits the data (see `gansmith.kinds.choice`)."""


_TASKS = {"generation": "examples alone", "pairs": "pairs", "domains": "domains", "replies": "replies"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training that is decided but not begun."""

    gan: str
    """The GAN's name, or the path of its file."""
    preset: str | None
    config: Any
    settings: Settings
    mirror: bool
    because: str | None = None
    """Why this GAN was chosen, where that was left to us."""

    def build(self, data: Dataset) -> GAN:
        """The GAN with its initial weights, which the seed decides."""
        seeds.seed_everything(self.settings.seed)
        with networks_that_fit(self.gan, self.settings.device):
            return gans.find(self.gan)(self.config, data.codec.spec)


@checked
def plan(
    data: Dataset,
    *,
    gan: Name | None = None,
    preset: Name | None = None,
    options: Values | None = None,
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
) -> Plan:
    """Resolves every option: the preset's values, changed by what was asked for.

    Raises UserError for an unknown GAN, preset or option, and for settings that are out of range.
    """
    spec = data.codec.spec
    kind = kinds.find(spec.kind)
    if gan is not None and str(gan).endswith(".py"):
        gan = str(Path(gan).resolve())  # the run will be used from other folders
    choice, because = None, None
    if gan == AUTO:
        choice = kind.choose(data, choose_device(device))
        because = choice.sentence()
    elif gan is None:
        choice = kind.usual(data)
        because = choice.sentence("No GAN is named, so these pairs get") if spec.task == "pairs" else None
    if choice is not None:
        gan, options = choice.gan, {**choice.options, **(options or {})}
    assert gan is not None
    made = gans.find(gan)
    check_fits(made, gan, data)
    device = choose_device(device)
    core_minutes = minutes * (threads or torch.get_num_threads()) if minutes and device == "cpu" else None
    preset = preset or default_preset(made, spec.kind, core_minutes)
    chosen = choose_preset(made, gan, preset)
    config = made_config(made, gan, chosen, options or {})
    if samples is None and minutes is None:
        samples, minutes = chosen.samples, chosen.minutes
    return Plan(
        gan=gan,
        preset=preset,
        config=config,
        settings=Settings(
            batch=batch or chosen.batch,
            accumulate=accumulate,
            samples=samples,
            minutes=minutes,
            seed=seed,
            device=device,
            precision=choose_precision(precision, device, spec, made.half_precision),
            compile=compile,
            threads=threads,
        ),
        mirror=chosen.mirror if mirror is None else mirror,
        because=because,
    )


def check_fits(made: type[GAN], gan: str, data: Dataset) -> None:
    """Raises UserError if a GAN cannot learn this data."""
    spec = data.codec.spec
    usual = kinds.find(spec.kind).usual(data).gan
    if spec.kind not in made.kinds and spec.axes not in made.axes:
        of = f" of {' and '.join(f'{axis}s' for axis in dict.fromkeys(spec.axes))}" if made.axes else ""
        raise UserError(
            f"{gan} learns {made.learned()}, but these data are {spec.kind}{of}: choose --gan {usual}, or other data."
        )
    if made.rewarded and not kinds.find(spec.kind).objectives:
        raise UserError(f"{gan} learns by objectives, of which {spec.kind} have none: choose --gan {usual}, or other data.")
    if spec.task not in made.tasks:
        if made.tasks == ("domains",) and spec.task == "generation":
            raise UserError(f"{gan} makes images of one class in the look of another: pass --kind domains.")
        raise UserError(
            f"{gan} is for {_TASKS[made.tasks[0]]}, but these data are {_TASKS[spec.task]}: choose --gan {usual}, or other data."
        )
    theirs = made.source or made.kinds
    if spec.source is not None and spec.source.kind not in theirs:
        raise UserError(
            f"{gan} makes examples from {' and '.join(theirs)}, but the sources of these data are {spec.source.kind}."
        )
    if spec.source is not None and made.source_axes and spec.source.axes not in made.source_axes:
        taken = " or ".join(", ".join(axes) for axes in made.source_axes)
        raise UserError(
            f"{gan} makes examples from arrays of {taken}, but the sources of these data are arrays of {', '.join(spec.source.axes)}: "
            f"choose --gan {usual}, or other data."
        )


def default_preset(made: type[GAN], kind: str, core_minutes: float | None = None) -> str | None:
    """The name of the first preset made for this kind of data, or for any; for few minutes of a CPU's cores, of one made for those."""
    fitting = {name: preset for name, preset in made.presets.items() if preset.kind in (None, kind)}
    brief = (name for name, preset in fitting.items() if (core_minutes or math.inf) <= (preset.most_minutes or 0))
    return next(brief, next((name for name, preset in fitting.items() if preset.most_minutes is None), None))


def choose_preset(made: type[GAN], gan: str, preset: str | None) -> Preset:
    """The preset of this name; a plain one for a GAN that has none. Raises UserError if it does not exist."""
    if preset is None:
        return Preset(about="", batch=64, minutes=2.5)
    if preset not in made.presets:
        known = list(made.presets)
        raise UserError(f"{gan} has no preset {preset!r}{did_you_mean(preset, known)}: choose one of {', '.join(known)}.")
    return made.presets[preset]


def made_config(made: type[GAN], gan: str, preset: Preset, options: Mapping[str, Any]) -> Any:
    """The GAN's Config with the preset's values and the options."""
    known = [field.name for field in dataclasses.fields(made.Config)]
    for name in options:
        if name not in known:
            raise UserError(f"{gan} has no option {name!r}{did_you_mean(name, known)}: its options are {', '.join(known)}.")
    values = {**preset.config, **options}
    options_checked(made.Config, values)
    return made.Config(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def settle_threads(plan: Plan, data: Dataset) -> Plan:
    """The plan with a number of threads: the asked one, or on a CPU the one that is measured to be fastest.

    The rounds that measure this are thrown away; `Plan.build` seeds everything anew.
    """
    if plan.settings.threads is not None:
        return plan
    numbers = candidates() if plan.settings.device == "cpu" else [torch.get_num_threads()]
    number = numbers[0]
    if len(numbers) > 1:
        trainer = Trainer(plan.build(data), data, replace(plan.settings, minutes=None, samples=None))
        with kept_for_reuse():
            number = fastest(trainer.play_round, numbers)
    return replace(plan, settings=replace(plan.settings, threads=number))


def cpu_model() -> str:
    """The name of the processor, and whether it computes in bfloat16."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    units = [unit for unit in ("amx_bf16", "avx512_bf16") if known.get(unit)]
    return f"{name} ({torch.backends.cpu.get_cpu_capability()}{', ' if units else ''}{', '.join(units)})"


def commit(folder: Path) -> str | None:
    """The commit that a checkout of gansmith stands at, read from git's files; None for an installed package."""
    top = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)
    if top is None or not (top / "gansmith" / "planning").is_dir():  # or a checkout of something else around the package
        return None
    with contextlib.suppress(OSError, ValueError):
        own = top / ".git"
        if own.is_file():  # of a work tree beside the first
            own = (top / own.read_text(encoding="utf-8").partition("gitdir: ")[2].strip()).resolve()
        common = own / "commondir"
        shared = (own / common.read_text(encoding="utf-8").strip()).resolve() if common.is_file() else own
        head = (own / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (shared / name).is_file():
            return (shared / name).read_text(encoding="utf-8").strip()
        packed = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.partition(" ")[0] for line in packed if line.endswith(f" {name}")), None)
    return None


def environment(settings: Settings) -> dict[str, Any]:
    """What a run was made with."""
    return {
        "gansmith": __version__,
        "python": platform.python_version(),
        "commit": commit(Path(__file__).parent),
        "torch": torch.__version__,
        "torch_commit": torch.version.git_version,
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "device": torch.cuda.get_device_name() if settings.device.startswith("cuda") else settings.device,
        "threads": settings.threads,
        "processes": distributed.processes(),
    }


def parameters(gan: GAN) -> dict[str, int]:
    """How many parameters each player moves."""
    return {name: sum(parameter.numel() for parameter in player.moving()) for name, player in gan.players.items()}


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What one round on a small batch, thrown away afterwards, shows about a training."""

    moves: list[str]
    """The players in the order in which they move, with their terms; simultaneous ones joined by "and"."""
    megabytes: float
    """Estimated memory: weights, gradients, optimiser states, averages, and what a round at the full batch keeps."""
    examples_per_second: float
    """Measured at the full batch over a few rounds."""


def rehearse(plan: Plan, data: Dataset, rounds: int = 3) -> Rehearsal:
    """Plays a few rounds to see the moves, the memory and the speed; nothing is kept."""
    with using(plan.settings.threads), kept_for_reuse():
        return _rehearse(plan, data, rounds)


def _rehearse(plan: Plan, data: Dataset, rounds: int) -> Rehearsal:
    gan = plan.build(data)
    trainer = Trainer(gan, data, replace(plan.settings, minutes=None, samples=None))
    moves: list[str] = []
    next_moves = trainer.next_moves

    def listening(game: Any) -> Any:
        found = next_moves(game)
        if found:
            moves.append(" and ".join(f"{trainer.names[id(move.player)]} ({', '.join(move.terms)})" for move in found))
        return found

    trainer.next_moves = listening
    kept = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        return tensor

    try:
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            trainer.play_round()
    except RuntimeError as error:
        if "saved tensor hooks" not in str(error):
            raise
        moves.clear()  # torch.func, as private training uses it, keeps no count: what a round keeps is not known
        trainer.play_round()
    trainer.next_moves = next_moves
    before, seen = time.monotonic(), gan.clock.samples
    for _ in range(rounds):
        trainer.play_round()
    pace = (gan.clock.samples - seen) / max(time.monotonic() - before, 1e-9)
    weights = 4 * sum(parameters(gan).values()) * 4 + 4 * sum(
        p.numel() for a in trainer.averages.values() for p in a.parameters()
    )
    return Rehearsal(
        moves=moves[:: plan.settings.accumulate],
        megabytes=round((weights + kept / max(1, len(moves))) / 2**20, 1),
        examples_per_second=round(pace, 1),
    )
