"""What a run folder holds, read so that a killed run can still be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansmith.data.json_files import read_sealed, record_in
from gansmith.errors import UserError
from gansmith.report.numbers import finite

Record = Mapping[str, Any]
RENAMED = {"images_per_second": "examples_per_second"}
"""What version 0.1 called fields of log.jsonl."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """The records of a run, each possibly empty, and sentences about what is missing."""

    folder: Path
    run: Record
    ticks: list[Record]
    """The lines of log.jsonl in the order of samples."""
    evaluations: list[Record]
    messages: list[Record]
    """The lines of messages.jsonl, which a run has only if it had something to say: {"sentence"}."""
    judgement: Record
    """What the judge saw beyond the scores, of judgement.json, which a run has only if it was judged."""
    previews: list[tuple[int, Path]]
    """(samples seen, picture) in the order of samples."""
    missing: list[str]

    @property
    def samples(self) -> float | None:
        """Samples of real data seen, by the last tick or else the last preview."""
        if self.ticks:
            return finite(self.ticks[-1].get("samples"))
        return float(self.previews[-1][0]) if self.previews else None

    @property
    def seconds(self) -> float | None:
        return finite(self.ticks[-1].get("seconds")) if self.ticks else None

    def part(self, name: str) -> dict[str, Any]:
        """A group of facts of run.json such as "settings" or "data", empty if it is missing."""
        group = self.run.get(name)
        return dict(group) if isinstance(group, Mapping) else {}

    def picture(self, name: str) -> Path | None:
        path = self.folder / "samples" / name
        return path if path.is_file() else None


def read_records(folder: Path) -> Records:
    """Everything the report tells. Raises UserError if there is no such folder; whatever else is missing is noted."""
    if not folder.is_dir():
        raise UserError(f"Expected a run folder, but {folder} is not a folder: give the folder that holds run.json.")
    missing: list[str] = []
    run = _read_one(folder / "run.json", missing, "the configuration and the environment are unknown")
    judged = folder / "judgement.json"
    judgement = _read_one(judged, missing, "only the scores are shown of the judgement") if judged.is_file() else {}
    ticks = _read_lines(folder / "log.jsonl", missing, "no curves")
    evaluations = _read_lines(folder / "evaluations.jsonl", missing, "no scores")
    told = folder / "messages.jsonl"
    messages = _read_lines(told, missing, "no messages") if told.is_file() else []
    previews = sorted((int(path.stem), path) for path in (folder / "samples").glob("*.png") if path.stem.isdecimal())
    if not previews:
        missing.append("samples/ has no numbered pictures, so the samples over time cannot be shown.")
    return Records(
        folder=folder,
        run=run,
        ticks=_without_repeats(ticks),
        evaluations=evaluations,
        messages=messages,
        judgement=judgement,
        previews=previews,
        missing=missing,
    )


def _read_one(path: Path, missing: list[str], consequence: str) -> Record:
    if not path.is_file():
        missing.append(f"{path.name} is missing, so {consequence}.")
        return {}
    try:
        return read_sealed(path)[0]
    except (UserError, OSError):
        missing.append(f"{path.name} cannot be read or is damaged, so {consequence}.")
        return {}


def _read_lines(path: Path, missing: list[str], consequence: str) -> list[Record]:
    if not path.is_file():
        missing.append(f"{path.name} is missing: {consequence}.")
        return []
    records, broken = [], 0
    for line in path.read_text("utf-8", errors="replace").splitlines():
        if not line.strip():
            continue
        record = record_in(line)
        if record is not None:
            records.append(record)
        else:
            broken += 1
    if broken:
        lines = "1 line that was cut off or damaged" if broken == 1 else f"{broken} lines that were cut off or damaged"
        missing.append(f"{path.name} has {lines}, as happens when a run is killed; the others are shown.")
    elif not records:
        missing.append(f"{path.name} is empty: {consequence}.")
    return records


def _without_repeats(ticks: list[Record]) -> list[Record]:
    """A run that was resumed from a checkpoint plays its last ticks again: the later record of a stretch is the true one."""
    kept: list[Record] = []
    for tick in map(_upgraded, ticks):
        samples = finite(tick.get("samples"))
        if samples is None:
            continue
        while kept and kept[-1]["samples"] >= samples:
            kept.pop()
        kept.append(tick)
    return kept


def _upgraded(tick: Record) -> Record:
    """A line of the log with today's names."""
    return {RENAMED.get(key, key): value for key, value in tick.items()}
