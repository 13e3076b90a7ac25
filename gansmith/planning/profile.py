"""Where the time of a step goes, for any GAN, and how near that is to what the machine can do.

The parts of a round are timed by a trainer that looks at the clock between them; the trainer that trains is not touched.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import wraps
from types import FunctionType
from typing import Any

import torch
from torch.nn.functional import conv2d
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from gansmith.data.codec import Batch
from gansmith.data.dataset import Dataset
from gansmith.game import Move, Player
from gansmith.planning.plan import Plan
from gansmith.training.allocator import kept_for_reuse
from gansmith.training.cpu_threads import using
from gansmith.training.trainer import Trainer

SECONDS = 4.0
"""How long rounds are timed, once plainly and once part by part."""
CYCLE = 16
"""Rounds are timed and counted in multiples of this, so that lazy regularisation is in its proportion."""
PATIENCE = 30.0
"""A game whose cycle would take longer than this many seconds is judged by single rounds."""
PEAK_SECONDS = 0.5
"""How long each of the two operations is timed that show the machine's peak."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a round."""

    who: str
    """The player, or "game" for what belongs to none."""
    what: str
    milliseconds: float
    """A round, on average."""
    share: float
    """Of the round."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Where the time goes."""

    parts: list[Part]
    milliseconds: float
    """A round without the stopwatch, on average."""
    examples_per_second: float
    flops_per_example: float
    """Floating point operations of convolutions and matrix products, for each real example; a multiply-add counts as two."""
    flops_per_second: float
    peak_flops_per_second: float
    """The faster of a matrix product and a convolution, measured here in the precision of the training."""
    fraction_of_peak: float
    device: str
    precision: str
    threads: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


PENALTY = ("game", "penalty")


class Stopwatch:
    """Time by part; of parts within each other, the innermost one counts."""

    def __init__(self, device: torch.device) -> None:
        self.spent: dict[tuple[str, str], float] = defaultdict(float)
        self.open: list[tuple[str, str]] = []
        self._synchronize = torch.cuda.synchronize if device.type == "cuda" else lambda: None
        self._since = 0.0

    def enter(self, who: str, what: str) -> None:
        self._switch()
        self.open.append((who, what))

    def leave(self) -> None:
        self._switch()
        self.open.pop()

    def _switch(self) -> None:
        self._synchronize()
        now = time.perf_counter()
        if self.open:
            self.spent[self.open[-1]] += now - self._since
        self._since = now

    @contextmanager
    def over(self, who: str, what: str) -> Iterator[None]:
        self.enter(who, what)
        try:
            yield
        finally:
            self.leave()


class TimedTrainer(Trainer):
    """A trainer with a stopwatch."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.watch = Stopwatch(self.device)

    def play_round(self, measure: bool = False) -> None:
        with self.watch.over("game", "loop"):
            super().play_round(measure)

    def draw(self) -> Batch:
        with self.watch.over("game", "data"):
            return super().draw()

    def next_moves(self, game: Iterator[Move | tuple[Move, ...]]) -> tuple[Move, ...]:
        with self.watch.over("game", "noise, losses, augmentation"):
            moves = super().next_moves(game)
        penalty = self.watch.spent.pop(PENALTY, None)
        if penalty is not None:  # it belongs to the player whose move it was for
            owner = self.names[id(moves[0].player)] if moves else "game"
            self.watch.spent[owner, "penalty"] += penalty
        return moves

    def back_propagate(self, move: Move, keep_graph: bool) -> None:
        with self.watch.over(self.names[id(move.player)], "backward"):
            super().back_propagate(move, keep_graph)

    def log(self, move: Move) -> None:
        with self.watch.over("game", "log"):
            super().log(move)

    def step(self, player: Player, measure: bool) -> None:
        with self.watch.over(self.names[id(player)], "optimiser"):
            super().step(player, measure)

    def average(self) -> None:
        with self.watch.over("game", "moving averages"):
            super().average()


class Operations(TorchDispatchMode):
    """Counts the operations of convolutions and matrix products, forward and backward, by torch's own formulas.

    (torch's FlopCounterMode also follows modules, by hooks that do not allow gradients of gradients.)
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func.overloadpacket):
            self.total += formula(*args, **(kwargs or {}), out_val=made)
        return made


def profile(plan: Plan, data: Dataset, seconds: float = SECONDS) -> Profile:
    """Plays rounds of a game that is thrown away: plainly, with the stopwatch, and counting operations."""
    with using(plan.settings.threads), kept_for_reuse():
        trainer = TimedTrainer(plan.build(data), data, replace(plan.settings, minutes=None, samples=None))
        Trainer.play_round(trainer)  # kernels are chosen, memory is allocated
        began = time.perf_counter()
        Trainer.play_round(trainer)
        cycle = CYCLE if (time.perf_counter() - began) * CYCLE < PATIENCE else 1
        trainer.watch = Stopwatch(trainer.device)  # parts above were timed in passing

        plain, speed = _plain(trainer, plan, data, seconds, cycle)
        with _hooked(trainer):
            rounds, began = 0, time.perf_counter()
            while rounds == 0 or time.perf_counter() - began < seconds:
                for _ in range(cycle):
                    trainer.play_round()
                rounds += cycle
        spent = {part: total / rounds for part, total in trainer.watch.spent.items()}
        with Operations() as counted:
            before = trainer.gan.clock.samples
            for _ in range(cycle):
                Trainer.play_round(trainer)
        flops = counted.total / (trainer.gan.clock.samples - before)
        peak = peak_flops(trainer.device, plan.settings.precision)
        number = torch.get_num_threads()
    whole = sum(spent.values())
    return Profile(
        parts=[Part(who=who, what=what, milliseconds=1e3 * s, share=s / whole) for (who, what), s in _ordered(trainer, spent)],
        milliseconds=1e3 * plain,
        examples_per_second=speed,
        flops_per_example=flops,
        flops_per_second=flops * speed,
        peak_flops_per_second=peak,
        fraction_of_peak=flops * speed / peak,
        device=plan.settings.device,
        precision=plan.settings.precision,
        threads=number,
    )


def _plain(timed: Trainer, plan: Plan, data: Dataset, seconds: float, cycle: int) -> tuple[float, float]:
    """(seconds a round, real examples a second) of the trainer as it trains."""
    trainer = Trainer(timed.gan, data, replace(plan.settings, minutes=None, samples=None))
    synchronize = Stopwatch(trainer.device)._synchronize
    synchronize()
    samples, rounds, began = trainer.gan.clock.samples, 0, time.perf_counter()
    while rounds == 0 or time.perf_counter() - began < seconds:
        for _ in range(cycle):
            trainer.play_round()
        synchronize()
        rounds += cycle
    took = time.perf_counter() - began
    return took / rounds, (trainer.gan.clock.samples - samples) / took


def _ordered(trainer: Trainer, spent: dict[tuple[str, str], float]) -> list[tuple[tuple[str, str], float]]:
    """Players in the order in which they are defined, the game at the end; each one's parts by time."""
    rank = {name: number for number, name in enumerate(trainer.gan.players)}
    return sorted(spent.items(), key=lambda item: (rank.get(item[0][0], len(rank)), -item[1]))


@contextmanager
def _hooked(trainer: TimedTrainer) -> Iterator[None]:
    """Lets the stopwatch see the players' forward passes and the penalties, both called from within `play`."""
    watch, players = trainer.watch, trainer.gan.players
    calls = {name: player._compiled_call_impl for name, player in players.items()}

    def passing(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def inside(*given: Any, **named: Any) -> Any:
            # a penalty's own passes through the critic are part of what it costs
            with watch.over(*(PENALTY if PENALTY in watch.open else (name, "forward"))):
                return call(*given, **named)

        return inside

    for name, player in players.items():  # outside of what torch.compile sees, where a hook would be inside
        player._compiled_call_impl = passing(name, calls[name] or player._call_impl)

    def timed(penalty: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(penalty)
        def inside(*given: Any, **named: Any) -> Any:
            with watch.over(*PENALTY):
                return penalty(*given, **named)

        return inside

    own = {type(trainer.gan).__module__}
    modules = [
        module for name, module in sys.modules.items() if name.startswith(("gansmith.gans.", "gansmith.terms.")) or name in own
    ]
    replaced = [(module, name, value) for module in modules for name, value in _penalties_in(module)]
    for module, name, value in replaced:
        setattr(module, name, timed(value))
    try:
        yield
    finally:
        for module, name, value in replaced:
            setattr(module, name, value)
        for name, player in players.items():
            player._compiled_call_impl = calls[name]


def _penalties_in(module: Any) -> list[tuple[str, Any]]:
    """The functions of gansmith's modules of penalties that a module has imported by name."""
    found = [(name, value) for name, value in vars(module).items() if isinstance(value, FunctionType)]
    return [
        (name, value)
        for name, value in found
        if value.__module__ != module.__name__ and value.__module__.startswith("gansmith.") and "penalt" in value.__module__
    ]


def peak_flops(device: torch.device, precision: str, seconds: float = PEAK_SECONDS) -> float:
    """Operations a second of a large matrix product or of a 3x3 convolution, whichever are more."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    side, batch = (8192, 256) if device.type == "cuda" else (1024, 16)
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    x = torch.randn(batch, 128, 32, 32, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
    w = torch.randn(128, 128, 3, 3, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
    synchronize = Stopwatch(device)._synchronize
    operations: list[tuple[Callable[[], object], float]] = [
        (lambda: a @ b, 2 * side**3),
        (lambda: conv2d(x, w, padding=1), 2 * batch * 32 * 32 * 128 * 128 * 9),
    ]
    best = 0.0
    with torch.no_grad():
        for operate, flops in operations:
            operate()
            synchronize()
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                began = time.perf_counter()
                operate()
                synchronize()
                best = max(best, flops / (time.perf_counter() - began))
    return best
