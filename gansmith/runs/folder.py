"""The folder of a run on disk: configuration, checkpoints, log, previews, scores."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NotRequired, Self, TypedDict

from gansmith.data.atomic import cannot_write, make_folder, write_atomically
from gansmith.data.json_files import content_of, read_sealed, record_in, sealed_json, sealed_line
from gansmith.data.schema import check, describing
from gansmith.data.suggestions import listed
from gansmith.data.values import PLACE
from gansmith.errors import UserError
from gansmith.runs import previews

if TYPE_CHECKING:
    from gansmith.data.dataset import Dataset
    from gansmith.evaluation.score import Score

BEST = "best"
"""The folder of a run's best model."""
_OWN = (
    *("samples", "checkpoints", "model", "milestones"),
    *("log.jsonl", "messages.jsonl", "evaluations.jsonl", "judgement.json", "report.html"),
)


class DataFacts(TypedDict):
    """Where the data of a run came from; more may be there."""

    source: str | None
    opening: dict[str, Any]
    name: str
    kind: str
    fingerprint: str
    made_here: NotRequired[str]


class SettingsFacts(TypedDict):
    """How it is trained, as far as others than the trainer must know; see `gansmith.training.trainer.Settings`."""

    seed: int
    device: str


class RunFacts(TypedDict):
    """What run.json holds; more may be there."""

    name: str
    gan: str
    preset: str | None
    config: dict[str, Any]
    settings: SettingsFacts
    mirror: bool
    data: DataFacts
    environment: dict[str, Any]
    held_out: NotRequired[str]
    examination: NotRequired[dict[str, Any] | None]
    compile_seconds: NotRequired[float]
    checkpoint_every: NotRequired[int]
    used: NotRequired[dict[str, Any]]
    start_from: NotRequired[str]
    freeze_critic: NotRequired[int]


class RunFolder:
    """The files of a run, read and written; `gansmith.Run` adds what can be done with them."""

    def __init__(self, folder: Path | str, trust: bool = False) -> None:
        """Opens a run; RUN/best is the run with its best model in place of the last one.

        With `trust` the Python file that a run may name as its GAN runs. Raises UserError if there is no run.
        """
        self.folder, self.trust = PLACE.of("a run", folder), trust
        self.takes_best = self.folder.name == BEST and not (self.folder / "run.json").exists()
        if self.takes_best:
            self.folder = self.folder.parent
        self.data: Dataset | None = None
        """What was trained on, in the process that trained: data from Python are nowhere else."""
        path = self.folder / "run.json"
        try:
            self.facts, _ = read_sealed(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(
                f"{folder} is not a run folder (it has no run.json): give the folder that gansmith train printed."
            ) from error
        with describing(path, "facts"):
            check(self.facts, RunFacts)

    def __fspath__(self) -> str:
        """A run may stand wherever the path of its folder may."""
        return str(self.best_folder if self.takes_best else self.folder)

    @classmethod
    def create(cls, folder: Path, facts: Mapping[str, Any]) -> Self:
        """Makes the folder and writes its configuration. Raises UserError if it cannot be written, or holds files of the same names as
        those of a run."""
        if taken := [name for name in _OWN if _holds(folder / name)]:  # empty folders are of a start that was killed
            raise UserError(f"{folder} holds {listed(taken, 3)}, which the run would replace: choose another --out.")
        try:
            for name in ("samples", "checkpoints"):
                make_folder(folder / name)
        except OSError as error:
            raise cannot_write(folder, error) from error
        write_atomically(folder / "run.json", sealed_json(facts))
        return cls(folder)

    @staticmethod
    def next_folder(parent: Path, name: str) -> Path:
        """The first unused folder of this name: runs/digits-0001, runs/digits-0002, ..."""
        return parent / f"{name}-{RunFolder._last_number(parent, name) + 1:04d}"

    @staticmethod
    def newest(parent: Path, name: str) -> Path | None:
        """The run of this name with the highest number, or None."""
        number = RunFolder._last_number(parent, name)
        return parent / f"{name}-{number:04d}" if number else None

    @staticmethod
    def _last_number(parent: Path, name: str) -> int:
        pattern = re.compile(re.escape(name) + r"-(\d{4,})")
        found = (pattern.fullmatch(path.name) for path in parent.glob("*")) if parent.is_dir() else ()
        return max((int(match[1]) for match in found if match), default=0)

    def write_facts(self) -> None:
        """Writes the configuration anew, after a budget was changed."""
        write_atomically(self.folder / "run.json", sealed_json(self.facts))

    # ---- files ----------------------------------------------------------------------------------------------------------------

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def samples(self) -> Path:
        return self.folder / "samples"

    @property
    def model_folder(self) -> Path:
        return self.best_folder if self.takes_best else self.folder / "model"

    @property
    def best_folder(self) -> Path:
        """The best model so far, if the training was asked to keep it."""
        return self.folder / BEST

    def append(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Adds lines to a .jsonl file. Raises UserError if they cannot be written."""
        path = self.folder / name
        try:
            with path.open("ab+") as file:
                if file.tell() and _last_byte(file) != b"\n":  # the writer of the last line was killed
                    file.write(b"\n")
                file.write("".join(map(sealed_line, records)).encode())
        except OSError as error:
            raise cannot_write(path, error) from error

    def records(self, name: str) -> list[dict[str, Any]]:
        """The lines of a .jsonl file; those that are damaged, or that a kill cut short, are left out."""
        path = self.folder / name
        lines = content_of(path).decode(errors="replace").splitlines() if path.exists() else []
        return [record for line in lines if (record := record_in(line)) is not None]

    def add_scores(self, scores: Iterable[Score], **conditions: Any) -> list[dict[str, Any]]:
        """Adds scores to evaluations.jsonl, each with the conditions that `compare` must know, and returns the lines.

        `samples_seen` by the model; `asked`, how many examples were asked for; `held_out`, the key of the held-out data; during training
        through a training `tick`, the number of the tick.
        """
        records = [{**conditions, **score.to_json()} for score in scores]
        self.append("evaluations.jsonl", records)
        return records

    def forget_after(self, samples: int) -> None:
        """Drops log lines, scores and previews of a future that a kill cut off and that will be trained again."""
        for name, key in (("log.jsonl", "samples"), ("evaluations.jsonl", "samples_seen")):
            if (self.folder / name).exists():
                kept = [record for record in self.records(name) if _number(record.get(key)) <= samples]
                write_atomically(self.folder / name, "".join(map(sealed_line, kept)).encode())
        previews.drop(self.samples, lambda seen: seen > samples)


def _holds(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def _number(value: Any) -> float:
    """Lines without a number of samples were written by nobody here."""
    return value if isinstance(value, int | float) else math.inf
