"""The validator: takes scores of a model while it trains, within a share of the time, keeps the best one and says when to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.cache import content_key
from gansmith.evaluation.judge import judge
from gansmith.evaluation.score import Score
from gansmith.evaluation.validation import Schedule, Validation
from gansmith.model import Model
from gansmith.report.numbers import count, significant
from gansmith.runs.model_files import read_model, write_model
from gansmith.training import seeds

SETTLED = 2
"""The tick after which the speed is measured: the first one holds allocation and the choice of kernels."""
SEED = 0
"""Decides the noise: equal at every examination, so that what changes is the model."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The chosen score of one examination."""

    samples_seen: int
    name: str
    value: float
    low: float
    high: float
    better: Literal["lower", "higher"]

    @classmethod
    def of(cls, score: Score, samples_seen: int) -> Mark:
        return cls(samples_seen=samples_seen, **{key: getattr(score, key) for key in ("name", "value", "low", "high", "better")})

    def beats(self, other: Mark) -> bool:
        """Whether its value is better at all."""
        return self.value < other.value if self.better == "lower" else self.value > other.value

    def clearly_beats(self, other: Mark) -> bool:
        """Whether its value lies beyond the other's 95% interval on the better side."""
        return self.value < other.low if self.better == "lower" else self.value > other.high

    def __str__(self) -> str:
        return f"{significant(self.value)} at {count(self.samples_seen)} samples"


class Validator:
    """Scores a model in training. All noise is its own, so the training is the same with and without it."""

    def __init__(self, examination: Validation, model: Model, training: Dataset, held_out: Dataset, folder: Path) -> None:
        """Scores the model twice: the first time makes what depends on the real data alone, the second tells the cost.

        `folder` is where the best model is kept. Raises UserError if the data cannot be judged so.
        """
        self.examination, self.model, self.folder = examination, model, folder
        self.training, self.held_out = training, held_out
        self.held_out_key = content_key(held_out)
        self.best: Mark | None = None
        """The best model so far: what is kept."""
        self.mark: Mark | None = None
        """The last clear improvement: what patience waits to see beaten."""
        self.last: Mark | None = None
        self.kept: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        """What lies in `folder`."""
        self.waited, self.due_at = 0, 0
        self._scores()
        began = time.monotonic()
        _, self.skipped = self._scores()
        self.cost = time.monotonic() - began
        if examination.chosen in self.skipped:
            raise UserError(f"{examination.chosen} cannot be judged on this data: {self.skipped[examination.chosen]}")

    # ---- when -----------------------------------------------------------------------------------------------------------------

    def settle(self, tick: int, tick_seconds: float) -> str | None:
        """Decides the schedule, at the first tick at which the speed is known, and says it."""
        if self.examination.schedule is not None or tick < SETTLED:
            return None
        share = self.examination.share
        every = max(1, math.ceil(self.cost * (1 - share) / (share * tick_seconds)))
        self.examination = replace(self.examination, schedule=Schedule(first=max(tick, tick - SETTLED + every), every=every))
        names = ", ".join(name for name in self.examination.metrics if name not in self.skipped)
        ticks = "every tick" if every == 1 else f"every {every} ticks"
        reasons = "".join(f" {name} is skipped: {reason}" for name, reason in self.skipped.items())
        return f"Judging {names} takes {significant(self.cost)} s: {ticks}, to keep within {share:.0%} of the time.{reasons}"

    def due(self, tick: int, final: bool) -> bool:
        """Whether to examine at this tick; what was kept is held against the final model in any case."""
        schedule = self.examination.schedule
        return (schedule is not None and tick >= max(schedule.first, self.due_at)) or (
            final and self.examination.keep_best is not None
        )

    @property
    def enough(self) -> bool:
        """Whether patience is at its end."""
        return self.examination.patience is not None and self.waited >= self.examination.patience

    def begin_anew(self) -> None:
        """For a new budget: its ticks are others, and it was given to be used."""
        self.examination = replace(self.examination, schedule=None)
        self.waited, self.due_at = 0, 0

    # ---- what -----------------------------------------------------------------------------------------------------------------

    def examine(self, tick: int, samples_seen: int) -> list[Score]:
        """The scores of the model as it is now; keeps it if it is the best so far, and counts what patience counts.

        Raises UserError if it cannot be judged, because it makes numbers that are not finite.
        """
        if self.examination.schedule is not None:
            self.due_at = tick + self.examination.schedule.every
        scores, _ = self._scores()
        chosen = next(score for score in scores if score.metric == self.examination.chosen)
        if not math.isfinite(chosen.value):
            raise UserError(f"{chosen.name} is {chosen.value}.")
        self.last = Mark.of(chosen, samples_seen)
        if self.best is None or self.last.beats(self.best):
            self.best = self.last
            if self.examination.keep_best:
                told = {name: value for name, value in chosen.to_json().items() if name != "seconds"}
                self._keep({**self.model.card, "samples": samples_seen, "score": told})
        if self.mark is None or self.last.clearly_beats(self.mark):
            self.mark, self.waited = self.last, 0
        else:
            self.waited += 1
        return scores

    def _scores(self) -> tuple[list[Score], dict[str, str]]:
        with _undisturbed():
            number = min(self.examination.samples, len(self.held_out))
            fake = Dataset.of(self.model.sample(number, seed=SEED), self.model.codec, "generated", self.training.facts)
            judgement = judge(
                fake,
                self.training,
                self.held_out,
                metrics=self.examination.metrics,
                samples=self.examination.samples,
                seed=SEED,
                model=self.model,
            )
        return judgement.scores, judgement.skipped

    def _keep(self, card: Mapping[str, Any]) -> None:
        Model(self.model.gan, self.model.learned_from, card).save(self.folder)
        self.kept = read_model(self.folder)

    # ---- in words -------------------------------------------------------------------------------------------------------------

    def farewell(self) -> str:
        """Why the training stops early."""
        assert self.mark is not None and self.last is not None
        return (
            f"Stopped early: {self.mark.name} has not left the 95% interval of its value {self.mark} for the better in "
            f"{self.waited} examinations (now {self.last}); a longer budget with --resume goes on."
        )

    def verdict(self) -> str | None:
        """Which is better, the model that was kept or the last one; None if none was kept."""
        if self.kept is None or self.best is None or self.last is None:
            return None
        if not self.best.beats(self.last):
            return f"The last model is the best by {self.best.name} ({self.best}); {self.folder.name}/ holds it too."
        clearly = "" if self.best.clearly_beats(self.last) else ", though within its 95% interval"
        return f"The model in {self.folder.name}/ is better by {self.best.name} ({self.best}) than the last one ({self.last}){clearly}."

    # ---- state ----------------------------------------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What decides its future, the model that was kept included: a training that goes back finds its best of then."""
        tensors, model = self.kept or ({}, None)
        marks = {name: mark and asdict(mark) for name, mark in (("best", self.best), ("mark", self.mark), ("last", self.last))}
        facts = {**marks, "waited": self.waited, "due_at": self.due_at, "model": model}
        return {f"best/{name}": tensor for name, tensor in tensors.items()}, facts

    def load_state(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Goes on from a state; the model that was kept is put back."""
        self.best, self.mark, self.last = (facts[name] and Mark(**facts[name]) for name in ("best", "mark", "last"))
        self.waited, self.due_at = facts["waited"], facts["due_at"]
        if facts["model"] is None:
            self.kept = None
            for path in self.folder.glob("model.*"):
                path.unlink()
            return
        own = {name.removeprefix("best/"): tensor for name, tensor in tensors.items() if name.startswith("best/")}
        self.kept = own, facts["model"]
        write_model(self.folder, *self.kept)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Leaves torch's random numbers as they were, whatever a metric draws."""
    state = seeds.random_state()
    try:
        yield
    finally:
        seeds.restore_random_state(state)
