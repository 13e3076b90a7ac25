"""What a run tells its watchers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

Record = Mapping[str, Any]


class Watcher(Protocol):
    """Receives everything that a run records, in the order in which it happens, and changes nothing.

    A subclass overrides the methods that it needs; the others do nothing. The records are those of run.json, log.jsonl and
    evaluations.jsonl.
    """

    def started(self, run: Record) -> None:
        """Once, before the first round, with the content of run.json."""

    def progress(self, samples: int, total: int | None, seconds: float) -> None:
        """As often as the trainer likes: samples seen of the budget (None while it is unknown), seconds of training."""

    def tick(self, record: Record) -> None:
        """One line of log.jsonl."""

    def preview(self, samples: int, path: Path) -> None:
        """A preview of generated examples was written: the picture at `path`, and any sounds, clips and texts beside it, which are
        `gansmith.data.preview.media_beside(path)`."""

    def judging(self, metrics: Sequence[str], number: int, total: int) -> None:
        """The metrics that are measured next: group `number` of `total`, counted from 1."""

    def evaluation(self, scores: Sequence[Record]) -> None:
        """Scores were taken: lines of evaluations.jsonl."""

    def message(self, sentence: str) -> None:
        """Something that whoever watches should know."""

    def finished(self, sentence: str) -> None:
        """Once, at the end: why the run ended and where its results are."""
