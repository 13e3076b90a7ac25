"""The trainer: plays any GAN's game on any kind of data, and knows neither."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol

import torch
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.dataset import Dataset, Order, choose
from gansmith.data.schema import MismatchError
from gansmith.data.values import Budget as Budgeted
from gansmith.data.values import Count, Minutes, Seed, Threads, check_divides
from gansmith.errors import UserError
from gansmith.game import GAN, Move, Player
from gansmith.penalties import compiled_with
from gansmith.training import distributed, seeds
from gansmith.training.allocator import kept_for_reuse
from gansmith.training.budget import Budget
from gansmith.training.checkpoint import check_facts
from gansmith.training.cpu_threads import Pace, using
from gansmith.training.room import batch_that_fits
from gansmith.training.stopping import Listener, listening
from gansmith.training.term_means import TermMeans

TICKS = 60
"""The fewest ticks in a budget: a line of log each, a preview every other."""
LONGEST_TICK = 50_000
"""The most samples from tick to tick, so that long trainings are seen too."""
MAX_TICKS = 2_000
"""The most ticks in a budget, for which ticks become longer still: a log stays below a few megabytes."""
SAVING_SHARE = 0.05
"""The largest share of the time that checkpoints may take."""
ROLL_BACKS = 3
"""How often a diverged game goes back to the last good state before it is given up."""
SAVE, END, INTERRUPT = 1.0, 2.0, 3.0
"""What may be requested after a round; of several requests the greatest is followed, and each includes saving."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train, whatever is trained."""

    batch: Count
    """Real examples in each draw of all processes and games together."""
    accumulate: Count = 1
    """Games played in lockstep on parts of the batch, to spare memory: one optimiser step for all of them."""
    samples: Budgeted | None = None
    """The budget in samples of real data."""
    minutes: Minutes | None = None
    """The budget in minutes, turned into samples after warm-up."""
    seed: Seed = 0
    """Decides the initial weights, the order of the data and all noise."""
    device: str = "cpu"
    """Where to train: cpu, cuda, mps."""
    precision: str = "float32"
    """float32, or bfloat16 for autocast."""
    compile: bool = False
    """Whether the networks run through torch.compile."""
    threads: Threads | None = None
    """Threads of a CPU; sums are rounded differently with another number, so a resumed run keeps it. None: as torch is set."""


class Guest(Protocol):
    """What the trainer tells the outside; a run folder listens, and tests do."""

    def tick(self, trainer: Trainer, record: dict[str, Any]) -> None: ...
    def progress(self, trainer: Trainer) -> None: ...
    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None: ...
    def last_good(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None: ...
    def enough(self) -> bool: ...
    def say(self, sentence: str) -> None: ...


class Interrupted(Exception):
    """The user or the system asked to stop; everything is saved."""


class Trainer:
    """Drives `gan.play`: back-propagates each move into its player alone, averages over processes, steps, averages weights."""

    def __init__(self, gan: GAN, data: Dataset, settings: Settings, guest: Guest | None = None) -> None:
        if gan.untrainable is not None:
            raise gan.untrainable
        parts = settings.accumulate * distributed.processes()
        check_divides(settings.batch, distributed.processes(), settings.accumulate)
        batch_that_fits(data.codec.spec, settings.batch // settings.accumulate, settings.device)
        self.gan, self.data, self.settings, self.guest = gan, data, settings, guest
        self.device = torch.device(settings.device)
        gan.to(self.device).train()
        self.compiler = compiling(gan) if settings.compile else None
        if gan.poisson and (parts > 1 or settings.batch > len(data)):
            raise UserError(
                "This GAN draws examples at random, in one process, without accumulation, and no more than there are: leave --devices and "
                f"--accumulate out, and give a --batch of at most {len(data)}."
            )
        self.order = Order(len(data), settings.seed, gan.poisson)
        gan.clock.examples, gan.clock.batch, gan.clock.together = len(data), settings.batch // parts, settings.batch
        self.term_means, self.pace = TermMeans(), Pace()
        self.budget = Budget(settings.samples, settings.minutes)
        self.names = {id(player): name for name, player in gan.players.items()}
        self.averages = {name: player.average for name, player in gan.players.items() if player.average is not None}
        self.seconds_before, self.began = 0.0, time.monotonic()
        self.roll_backs, self.diverged_at = 0, 0
        self.dealt = settings.batch
        self.tick_started = (0.0, 0)
        self.saved_at, self.saving_took = time.monotonic(), 0.0
        self.stopping = False
        self.aside = 0.0
        """The share of the minutes that is left to the guest, besides previews and checkpoints."""

    # ---- the game -------------------------------------------------------------------------------------------------------------

    def draw(self) -> Batch:
        """This process's rows of the next part of the batch."""
        count = self.settings.batch // self.settings.accumulate
        rows = self.order.take(count)
        self.dealt += count
        own = count // distributed.processes()
        batch = self.data.batch(rows[distributed.rank() * own : (distributed.rank() + 1) * own])
        if self.device.type == "cuda":  # only from pinned memory is the copy made while the GPU computes
            return {key: tensor.pin_memory().to(self.device, non_blocking=True) for key, tensor in batch.items()}
        return {key: tensor.to(self.device) for key, tensor in batch.items()}

    def look(self, count: int) -> Batch:
        """Up to so many examples, the same for every process; see `GAN.prepare`."""
        rows = choose(len(self.data), min(count, len(self.data)), self.settings.seed)
        return {key: tensor.to(self.device) for key, tensor in self.data.batch(rows).items()}

    def play_round(self, measure: bool = False) -> None:
        """One round of the game; with `measure`, gradient norms go into the ledger too."""
        games = [self.gan.play(self.draw) for _ in range(self.settings.accumulate)]
        self.dealt = 0
        while True:
            moved: tuple[Player, ...] = ()
            for game in games:
                moves = self.next_moves(game)
                for i, move in enumerate(moves):
                    self.back_propagate(move, keep_graph=i + 1 < len(moves))
                    self.log(move)
                moved = tuple(move.player for move in moves)
            if not moved:
                break
            for player in moved:
                self.step(player, measure)
        self.average()
        self.gan.clock.advance(self.dealt)

    def back_propagate(self, move: Move, keep_graph: bool) -> None:
        """Adds the gradients of a move's terms to those of its player's parameters, and to no others."""
        loss = torch.stack([term.float() for term in move.terms.values()]).sum() / self.settings.accumulate
        loss.backward(inputs=move.player.moving(), retain_graph=keep_graph)

    def log(self, move: Move) -> None:
        for term, value in move.terms.items():
            self.term_means.add(f"{self.names[id(move.player)]}/{term}", value)

    def step(self, player: Player, measure: bool) -> None:
        distributed.average_gradients(player.moving())
        if measure:
            self.term_means.add(f"{self.names[id(player)]}|gradient_norm", player.gradient_norm())
        player.step(self.gan.clock)

    def average(self) -> None:
        """Moves the moving averages on."""
        for name, average in self.averages.items():
            average.update(self.gan.players[name].network, self.gan.clock, self.dealt)

    def next_moves(self, game: Iterator[Move | tuple[Move, ...]]) -> tuple[Move, ...]:
        """The next move, or the simultaneous next moves, of a game; none when its round is over."""
        autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16")
        with autocast, compiled_with(self.compiler):
            moves = next(game, ())
        return moves if isinstance(moves, tuple) else (moves,)

    # ---- the training ---------------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Plays until the budget is spent. Raises Interrupted after SIGTERM, SIGHUP or Ctrl-C, with everything saved, and Stopped after a
        second one, or ends the process where none is answered."""
        clock = self.gan.clock
        distributed.broadcast(self.gan)
        self.began = self.budget.began = time.monotonic()
        self.budget.minutes = self._minutes_left()
        self.tick_started = self.seconds(), clock.samples
        with listening(self._ask) as listener, using(self.settings.threads), kept_for_reuse():
            if clock.samples == 0 and clock.total is None:
                self.budget.settle(clock, self.settings.batch)
                self.gan.prepare(self.look)
                self._save()
            self.budget.settle(clock, self.settings.batch)
            request, saved = self._request(listener), False
            while request < END and (clock.total is None or clock.samples < clock.total):
                before = clock.samples
                self.play_round(measure=self._tick_due(before, before + self.dealt))
                self.budget.settle(clock, clock.samples - before)
                if self.guest:
                    self.guest.progress(self)
                if self._tick_due(before, clock.samples):
                    self.tick()
                request = self._request(listener)
                saved = request >= SAVE
                if saved:
                    self._save()
            if not saved:
                self._save()
            if request == INTERRUPT:
                raise Interrupted
        if self.guest and (said := self.budget.sentence(clock, self.seconds())):
            self.guest.say(said)

    def _request(self, listener: Listener) -> float:
        """The greatest request of any process."""
        enough = self.guest is not None and self.guest.enough()
        request = distributed.greatest(max(INTERRUPT * self.stopping, END * enough, SAVE * self.checkpoint_due()))
        if request == INTERRUPT:
            listener.answered()
        return request

    def _minutes_left(self) -> float | None:
        minutes = self.settings.minutes
        return None if minutes is None else max(0.0, minutes - self.seconds_before / 60) * (1 - self.aside)

    def _tick_due(self, before: int, after: int) -> bool:
        total = self.gan.clock.total
        return total is not None and (after >= total or self.tick_number(after) > self.tick_number(before))

    def tick_samples(self) -> int:
        """The samples from tick to tick, if batches are smaller; the total must be known."""
        assert self.gan.clock.total is not None
        total = self.gan.clock.total
        return max(1, min(total // TICKS, LONGEST_TICK), total // MAX_TICKS)

    def tick_number(self, samples: int) -> int:
        """How many ticks have passed at so many samples."""
        return samples // self.tick_samples()

    def seconds(self) -> float:
        """Time trained so far, in all sittings."""
        return self.seconds_before + time.monotonic() - self.began

    def tick(self) -> None:
        """Reads the ledger, rolls back a game that has diverged, tells the guest and saves."""
        means = self.term_means.read()
        if not all(map(_finite, means.values())):
            self.roll_back([name for name, mean in means.items() if not _finite(mean)])
            return
        self.term_means.clear()
        if self.gan.clock.samples > self.diverged_at:
            self.roll_backs = 0  # it got past the place
        clock, seconds = self.gan.clock, self.seconds()
        then, samples = self.tick_started
        record = {
            "samples": clock.samples,
            "seconds": round(seconds, 3),
            "examples_per_second": round((clock.samples - samples) / max(seconds - then, 1e-9), 1),
            "terms": {name: mean for name, mean in means.items() if "|" not in name},
            "gradient_norms": {name.partition("|")[0]: mean for name, mean in means.items() if "|" in name},
            "learning_rates": {
                name: player.learning_rate(clock) * player.learning_rate_scale for name, player in self.gan.players.items()
            },
        }
        if self.settings.compile:
            record["compile_seconds"] = round(compile_seconds(), 1)
        if self.guest:
            self.guest.tick(self, record)
        if self.device.type == "cpu":
            remark = self.pace.remark(record["examples_per_second"], torch.get_num_threads(), seconds - then)
            if remark:
                self._say(remark)
        self.tick_started = self.seconds(), clock.samples

    def checkpoint_due(self) -> bool:
        """Whether saving would take a small enough share of the time. What is saved never depends on when."""
        return distributed.leads() and time.monotonic() - self.saved_at >= max(1.0, self.saving_took / SAVING_SHARE)

    def roll_back(self, culprits: list[str]) -> None:
        """Returns to the last good checkpoint with half the learning rates; gives up after three times without getting further."""
        roll_backs, samples = self.roll_backs + 1, self.gan.clock.samples
        named = ", ".join(sorted({name.replace("|", " ").replace("_", " ") for name in culprits}))
        state = self.guest.last_good() if self.guest else None
        if state is None or roll_backs > ROLL_BACKS:
            raise UserError(
                f"The game diverged at {samples:,} samples (not finite: {named}), also after {roll_backs - 1} returns to the last good "
                "state with halved learning rates: start anew with a lower learning rate, a stronger penalty, or --precision float32."
            )
        scales = {name: player.learning_rate_scale / 2 for name, player in self.gan.players.items()}
        diverged = {name: tensor.clone() for name, tensor in self.gan.state_dict().items()}
        self.load_state(*state)
        self.gan.rolled_back(diverged)
        self.roll_backs, self.diverged_at = roll_backs, samples
        for name, player in self.gan.players.items():
            player.learning_rate_scale = scales[name]
        self._say(
            f"The game diverged at {samples:,} samples (not finite: {named}): back to the last good state at "
            f"{self.gan.clock.samples:,} samples, with half the learning rates (attempt {roll_backs} of {ROLL_BACKS})."
        )

    def _say(self, sentence: str) -> None:
        if self.guest:
            self.guest.say(sentence)

    # ---- state ----------------------------------------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that decides the future: (tensors by name, facts as JSON)."""
        tensors = {f"gan/{name}": tensor for name, tensor in self.gan.state_dict().items()}
        for name, player in self.gan.players.items():
            for index, state in player.optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer/{name}/{index}/{key}": torch.as_tensor(value) for key, value in state.items()}
        tensors |= {f"random/{key}": tensor for key, tensor in seeds.random_state().items()}
        tensors |= {f"ledger/{name}": tensor for name, tensor in self.term_means.sums.items()}
        clock = self.gan.clock
        facts = {
            "clock": {"samples": clock.samples, "rounds": clock.rounds, "total": clock.total},
            "position": self.order.position,
            "dealt": self.dealt,
            "seconds": self.seconds(),
            "ledger": dict(self.term_means.counts),
            "learning_rate_scales": {name: player.learning_rate_scale for name, player in self.gan.players.items()},
            "roll_backs": [self.roll_backs, self.diverged_at],
        }
        return tensors, facts

    def load_state(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Continues from a state exactly: every later number equals that of a training never interrupted."""
        check_facts(facts)
        _check_weights(self.gan.state_dict(), _under("gan/", tensors))
        self.gan.load_state_dict(_under("gan/", tensors))
        for name, player in self.gan.players.items():
            states: dict[int, dict[str, Tensor]] = {}
            for path, tensor in _under(f"optimizer/{name}/", tensors).items():
                index, key = path.split("/")
                states.setdefault(int(index), {})[key] = tensor.clone()  # the optimiser would keep, and change, the original
            _check_states(name, player.optimizer, states)
            player.optimizer.load_state_dict({"state": states, "param_groups": player.optimizer.state_dict()["param_groups"]})
            player.optimizer.zero_grad(set_to_none=True)
            player.learning_rate_scale = facts["learning_rate_scales"][name]
        seeds.restore_random_state(_under("random/", tensors))
        self.term_means.sums = {name: tensor.to(self.device, copy=True) for name, tensor in _under("ledger/", tensors).items()}
        self.term_means.counts = dict(facts["ledger"])
        clock = self.gan.clock
        clock.samples, clock.rounds, clock.total = (facts["clock"][key] for key in ("samples", "rounds", "total"))
        self.order.position, self.dealt = facts["position"], facts["dealt"]
        self.seconds_before, self.began = facts["seconds"], time.monotonic()
        self.roll_backs, self.diverged_at = facts["roll_backs"]
        self.tick_started = self.seconds(), clock.samples

    def _save(self) -> None:
        """Saves the state, unless it has diverged since the last tick: then the checkpoint before stays the newest."""
        began = time.monotonic()
        tensors, facts = self.state()
        floating = [tensor for tensor in tensors.values() if tensor.is_floating_point()]
        if self.guest and all(bool(tensor.isfinite().all()) for tensor in floating):
            self.guest.save(tensors, facts)
        self.saved_at = time.monotonic()
        self.saving_took = self.saved_at - began

    def _ask(self, signal: str) -> None:
        self.stopping = True


def compiling(gan: GAN) -> Callable[[Callable], Callable]:
    """Runs the players' networks through torch.compile, and returns what does the same to a penalty's functions."""
    from torch._functorch import config

    config.donated_buffer = False  # simultaneous moves and penalties go back through a graph twice
    for player in gan.players.values():
        player.compile(dynamic=False)  # a game has few batch sizes, and forward mode takes no others
    return cache(partial(torch.compile, dynamic=False))


def compile_seconds() -> float:
    """Seconds that torch.compile has taken in this process so far."""
    from torch._dynamo.utils import calculate_time_spent

    return calculate_time_spent().get("total_wall_time", 0.0)


def _check_weights(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raises MismatchError for weights of another type or shape, and for numbers that are not finite; names are checked later."""
    for name, tensor in found.items():
        own = expected.get(name, tensor)
        if tensor.shape != own.shape or tensor.dtype != own.dtype:
            raise MismatchError(
                f"gan/{name} is {tensor.dtype} {list(tensor.shape)}, where {own.dtype} {list(own.shape)} is expected"
            )
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise MismatchError(f"gan/{name} holds numbers that are not finite")


def _check_states(name: str, optimizer: torch.optim.Optimizer, states: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Raises MismatchError for states of an optimiser that do not fit its parameters: its kernels would read beyond their ends."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, state in states.items():
        if not 0 <= index < len(parameters):
            raise MismatchError(f"optimizer/{name}/{index} belongs to no parameter")
        if state.keys() != states[min(states)].keys():
            raise MismatchError(
                f"optimizer/{name}/{index} holds {', '.join(state)}, where others hold {', '.join(states[min(states)])}"
            )
        for key, tensor in state.items():
            place, expected = f"optimizer/{name}/{index}/{key}", parameters[index]
            shape = torch.Size() if key == "step" else expected.shape
            if tensor.shape != shape:
                raise MismatchError(f"{place} has the shape {list(tensor.shape)}, where {list(shape)} is expected")
            if tensor.dtype != (torch.float32 if key == "step" else expected.dtype) or not bool(tensor.isfinite().all()):
                raise MismatchError(f"{place} should hold finite numbers of {expected.dtype}")


def _finite(value: float) -> bool:
    return value == value and abs(value) != float("inf")


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
