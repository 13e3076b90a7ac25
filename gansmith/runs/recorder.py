"""The run folder's ear: what the trainer tells, it logs, previews, checks for health, saves and passes on to watchers."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gansmith.data.codec import Batch, HasSource
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.runs.folder import RunFolder
from gansmith.runs.milestones import Milestones
from gansmith.runs.previews import by_class, preview_of, write_numbered, write_preview
from gansmith.training.checkpoint import check_facts, load_newest, save_checkpoint
from gansmith.training.health import PROBED, Health, Landmarks

if TYPE_CHECKING:
    from gansmith.evaluation.validator import Validator
    from gansmith.training.trainer import Trainer
    from gansmith.watch.watcher import Watcher

PREVIEW_TICKS = 2
"""Ticks from preview to preview."""
PROBE_TICKS = 5
"""Ticks from one probe of health to the next."""


class Recorder:
    """The trainer's guest in a run folder."""

    def __init__(
        self,
        run: RunFolder,
        model: Model,
        training: Dataset,
        held_out: Dataset,
        watchers: Sequence[Watcher],
        validator: Validator | None = None,
    ) -> None:
        self.run, self.model, self.watchers, self.validator = run, model, watchers, validator
        self.milestones = Milestones(run.folder, run.facts.get("checkpoint_every"))
        self.health = Health()
        codec = model.codec
        self.held_out = held_out.batch(slice(0, PROBED))
        partners = isinstance(codec, HasSource) and codec.spec.aligned
        self.landmarks = Landmarks(_sketches(training, limit=20_000), codec.sketch(self.held_out), self._probed, partners)

    # ---- what the trainer tells -------------------------------------------------------------------------------------------------

    def tick(self, trainer: Trainer, record: dict[str, Any]) -> None:
        clock = trainer.gan.clock
        number = trainer.tick_number(clock.samples)
        found = self.health.check_tick(record)
        if number % PROBE_TICKS == 0:
            found += self.health.check_probe(self._probe(trainer), clock)
        found += self.health.check_own(trainer.gan.symptoms())
        if gauges := trainer.gan.gauges():
            record["gauges"] = dict(gauges)
        record["memory_mb"] = memory_megabytes()
        record["health"] = [alarm.to_json() for alarm in found]
        if (seconds := record.get("compile_seconds", 0.0)) > self.run.facts.get("compile_seconds", 0.0):
            self.run.facts["compile_seconds"] = seconds
            self.run.write_facts()
            self.say(f"torch.compile has taken {seconds:.0f} s so far; they count in the minutes.")
        self.run.append("log.jsonl", [record])
        for watcher in self.watchers:
            watcher.tick(record)
        if self.validator is not None:
            self._examine(self.validator, trainer, record)
        if number % PREVIEW_TICKS == 0 or clock.progress() == 1 or self.enough():
            self.preview(clock.samples)

    def progress(self, trainer: Trainer) -> None:
        clock = trainer.gan.clock
        self.milestones.pass_by(clock.samples, self.model)
        for watcher in self.watchers:
            watcher.progress(clock.samples, clock.total, trainer.seconds())

    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        samples = facts["clock"]["samples"]
        kept, examined = self.validator.state() if self.validator else ({}, None)
        facts = {**facts, "health": self.health.state(), "examiner": examined}
        save_checkpoint(self.run.checkpoints, samples, {**tensors, **kept}, facts)
        self.model.card |= {"samples": samples, **self.model.gan.facts()}
        self.model.save(self.run.model_folder)

    def last_good(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The newest state that can be read; log, scores and previews after it are dropped."""
        state = load_newest(self.run.checkpoints, self.say)
        if state is not None:
            check_facts(state[1])
            self.run.forget_after(state[1]["clock"]["samples"])
            self.health.load_state(state[1]["health"])
            if self.validator:
                self.validator.load_state(state[0], state[1]["examiner"])
        return state

    def enough(self) -> bool:
        """Whether the validator's patience is at its end."""
        return self.validator is not None and self.validator.enough

    def say(self, sentence: str) -> None:
        self.run.append("messages.jsonl", [{"sentence": sentence}])
        for watcher in self.watchers:
            watcher.message(sentence)

    # ---- scores during training ------------------------------------------------------------------------------------------------------

    def _examine(self, validator: Validator, trainer: Trainer, record: Mapping[str, Any]) -> None:
        """Has the model examined if it is time to; `record` is the tick's line of log."""
        clock, (then, samples) = trainer.gan.clock, trainer.tick_started
        number, pace = trainer.tick_number(clock.samples), (record["seconds"] - then) / (clock.samples - samples)
        if sentence := validator.settle(number, max(pace, 1e-9) * trainer.tick_samples()):
            self.run.facts["examination"] = validator.examination.to_json()
            self.run.write_facts()
            self.say(sentence)
        if not validator.due(number, final=clock.progress() == 1):
            return
        try:
            scores = validator.examine(number, clock.samples)
        except UserError as error:
            self.say(f"Not judged at {clock.samples:,} samples: {error}")
            return
        asked, key = validator.examination.samples, validator.held_out_key
        records = self.run.add_scores(scores, samples_seen=clock.samples, tick=number, asked=asked, held_out=key)
        for watcher in self.watchers:
            watcher.evaluation(records)
        if validator.enough:
            self.say(validator.farewell())

    # ---- previews and probes ----------------------------------------------------------------------------------------------------

    def preview_real(self, data: Dataset) -> None:
        """Writes a preview of real examples, to compare the others with: real.png and its media."""
        codec = self.model.codec
        positions = _spread(len(data), codec.previewed)
        write_preview(self.run.samples, "real", preview_of(codec, by_class(codec, codec.decode(data.batch(positions)))))

    def preview(self, samples: int) -> None:
        """Writes a preview of examples from fixed noise: 000000200.png, 000000200.0.wav and so on by the samples seen, and as latest."""
        codec = self.model.codec
        shown = preview_of(codec, by_class(codec, self.model.generate(codec.previewed, seed=0)))
        path = write_numbered(self.run.samples, samples, shown)
        write_preview(self.run.samples, "latest", shown)
        for watcher in self.watchers:
            watcher.preview(samples, path)

    @property
    def _probed(self) -> int:
        """How many examples are generated for a probe."""
        return min(PROBED, self.model.gan.probed)

    @torch.no_grad()
    def _probe(self, trainer: Trainer):
        fake = self.model.sample(self._probed, seed=1)
        gan, device = trainer.gan, trainer.device
        gan.eval()
        scores = [gan.scores(_on(device, batch)).float().cpu() for batch in (self.held_out, fake)]
        gan.train()
        return self.landmarks.probe(self.model.codec.sketch(fake), *scores)


class Follower:
    """The guest of the processes that only compute."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run

    def tick(self, trainer: Trainer, record: dict[str, Any]) -> None: ...
    def progress(self, trainer: Trainer) -> None: ...
    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None: ...
    def say(self, sentence: str) -> None: ...

    def last_good(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        return load_newest(self.run.checkpoints, lambda _: None)

    def enough(self) -> bool:
        return False


def _on(device: torch.device, batch: Batch) -> dict[str, Tensor]:
    return {key: tensor.to(device) for key, tensor in batch.items()}


def _sketches(data: Dataset, limit: int) -> Tensor:
    positions = _spread(len(data), limit)
    parts = [positions[start : start + 1024] for start in range(0, len(positions), 1024)]
    return torch.cat([data.codec.sketch(data.batch(part)) for part in parts])


def _spread(length: int, count: int) -> np.ndarray:
    """At most `count` equally spaced positions out of `length`."""
    # the last of more than 2^24 is rounded up in float32
    return torch.linspace(0, length - 1, min(count, length)).long().clamp(max=length - 1).unique().numpy()


def memory_megabytes() -> float:
    """The most memory this process has held, on its GPU if it has one."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale, 1)
