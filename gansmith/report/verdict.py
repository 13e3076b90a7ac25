"""The verdict on a run in words: good, fair, too early or wrong; why; and the one command that helps most."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from gansmith import kinds
from gansmith.metrics.registry import Subject, subjects
from gansmith.report.advice import alarms
from gansmith.report.numbers import count, finite, significant
from gansmith.report.records import Record, Records
from gansmith.report.scores import newest

Word = Literal["good", "fair", "too early", "wrong", "not judged"]

FIRST_RESULT = 200_000
"""Samples that usually give a first good result, on little data; on more, EPOCHS of it."""
EPOCHS = 40
MOST = 1_000_000
"""From here on, more data need no more samples: what they have in common is learned (80,000 points of `ring` take 0.7 million,
see bench/results/modes.md)."""
GOOD, FAIR, NOTHING = 0.75, 0.5, 0.15
"""Shares of the way from the baseline to the ceiling (the median over scores): from GOOD on a result is good, below NOTHING it is none."""
FAR = 4.0
"""From this ratio of baseline to ceiling on, the way between them is measured in logarithms: distances fall by factors."""
HARMFUL = ("collapse", "dead_critic", "critic_always_wins", "vanishing_gradients", "dropped_modes", "memorisation")
"""Alarms that spoil a result if they are still raised at the end."""
NAMES: dict[Subject, str] = {"both": "closeness to the data", "quality": "quality", "diversity": "diversity"}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a run is worth."""

    word: Word
    because: str
    """One or two sentences with the figures that decide."""
    command: str | None = None
    """The command line that helps most."""

    def __str__(self) -> str:
        return f"{self.word.capitalize()}: {self.because}"


def samples_needed(examples: int) -> int:
    """Samples of real data that usually give a first good result on so many examples."""
    return min(MOST, max(FIRST_RESULT, EPOCHS * examples))


def verdict(records: Records) -> Verdict:
    """The verdict on what the files of a run hold; a run that is cut short or damaged gets one, too."""
    seen = records.samples or 0.0
    examples = int(finite(records.part("data").get("examples")) or 0)
    needed = samples_needed(examples)
    shares = _by_subject(records.evaluations)
    reached = {subject: median(found) for subject, found in shares.items()}
    everything = [share for found in shares.values() for share in found]
    overall = median(everything) if everything else None
    so_far = f"{count(seen)} of about {count(needed)} samples that usually give a first good result"
    if seen < needed / 2 and (overall is None or overall < FAIR):
        measured = "" if overall is None else f" The scores are {_way(overall, max(everything))}."
        return Verdict(word="too early", because=f"it has seen {so_far}.{measured}", command=_longer(records, needed))
    if spoiled := _spoiled(records):
        return Verdict(word="wrong", because=spoiled, command=_another(records))
    if overall is None:
        return Verdict(
            word="not judged", because="there are no scores that lie between a baseline and a ceiling.", command=_judge(records)
        )
    weakest = min(reached, key=lambda subject: reached[subject])
    weak = f" Weakest is {NAMES[weakest]}: {_example(records.evaluations, weakest)}." if reached[weakest] < GOOD else ""
    if overall >= GOOD:
        return Verdict(
            word="good",
            because=f"the scores are {_way(overall)}.{weak}",
            command=use_command(records.folder, records.part("data")),
        )
    if overall >= NOTHING:
        more = f" It has seen {so_far}." if seen < needed else ""
        return Verdict(
            word="fair", because=f"the scores are {_way(overall)}.{weak}{more}", command=_longer(records, max(needed, 2 * seen))
        )
    return Verdict(
        word="wrong",
        because=f"after {count(seen)} samples the scores are {_way(overall, max(everything))}.{weak}",
        command=_another(records),
    )


def share_of_way(record: Record) -> float | None:
    """How far a score is from its baseline (0) to its ceiling (1), cut to [0, 1]; None without both, or if the baseline is as good."""
    value, baseline, ceiling = (finite(record.get(name)) for name in ("value", "baseline", "ceiling"))
    if value is None or baseline is None or ceiling is None:
        return None
    if not (ceiling > baseline if record.get("better") == "higher" else ceiling < baseline):
        return None
    if record.get("better") == "lower" and ceiling > 0 and baseline >= FAR * ceiling:
        value, baseline, ceiling = math.log(max(value, ceiling)), math.log(baseline), math.log(ceiling)
    return min(1.0, max(0.0, (value - baseline) / (ceiling - baseline)))


def _by_subject(evaluations: Sequence[Record]) -> dict[Subject, list[float]]:
    """The shares of the newest scores by what they tell of."""
    found: dict[Subject, list[float]] = {}
    for record in newest(evaluations):
        subject, share = subjects().get(_metric(record), "other"), share_of_way(record)
        if subject in NAMES and share is not None:
            found.setdefault(subject, []).append(share)
    return found


def _metric(record: Record) -> str:
    return str(record.get("name", "")).partition("[")[0]


def _way(share: float, best: float = 0.0) -> str:
    """How far scores are on their way; `best` is the share of the best one."""
    if share >= 0.995:
        return "as good as those of real examples"
    if share < 0.005 and best >= 0.1:
        return (
            f"in the median no better than those of the trivial baseline, the best of them {best:.0%} of the way to real examples"
        )
    if share < 0.005:
        return "no better than those of the trivial baseline"
    return f"{share:.0%} of the way from the trivial baseline to real examples (median)"


def _example(evaluations: Sequence[Record], subject: Subject) -> str:
    """The worst score of a subject beside its companions."""
    own = [record for record in newest(evaluations) if subjects().get(_metric(record), "other") == subject]
    record = min((record for record in own if share_of_way(record) is not None), key=lambda record: share_of_way(record) or 0.0)
    value, baseline, ceiling = (significant(float(record[name])) for name in ("value", "baseline", "ceiling"))
    return f"{_metric(record)} is {value}, baseline {baseline}, real {ceiling}"


def _spoiled(records: Records) -> str | None:
    """The sentence of the worst alarm that is still raised at the end."""
    end = records.samples or 0.0
    return next((alarm.sentence for alarm in alarms(records.ticks) if alarm.name in HARMFUL and alarm.stands_at(end)), None)


# ---- commands ---------------------------------------------------------------------------------------------------------------------


def _longer(records: Records, samples: float) -> str:
    """To train on, until so many samples have been seen."""
    minutes = None
    if records.seconds and records.samples:
        minutes = math.ceil(records.seconds * samples / records.samples / 60)
    return shlex.join(["gansmith", "train", "--resume", str(records.folder), *(["--minutes", str(minutes)] if minutes else [])])


def _another(records: Records) -> str | None:
    """To begin anew with the usual GAN of this kind of data, or with another seed."""
    data, gan = records.part("data"), records.run.get("gan")
    source, kind = data.get("source"), str(data.get("kind"))
    if not isinstance(source, str) or not kinds.is_known(kind):
        return None
    usual = kinds.find(kind).gan if data.get("task", "generation") == "generation" else gan
    other = (
        ["--gan", usual]
        if usual != gan
        else ["--gan", str(gan), "--seed", str(int(finite(records.part("settings").get("seed")) or 0) + 1)]
    )
    return shlex.join(["gansmith", "train", source, *map(str, other)])


def _judge(records: Records) -> str:
    return shlex.join(["gansmith", "evaluate", str(records.folder)])


USES = {"generate": "", "translate": "INPUT", "speak": '"Good morning."'}
"""Commands that use a model, and what follows the run."""


def use_command(folder: Path, data: Mapping[str, Any]) -> str:
    """The command line that makes something with the run in this folder, by the facts of its data."""
    task, command = data.get("task", "generation"), data.get("use")
    if command not in USES:  # of older runs
        command = "generate" if task in ("generation", "replies") else "translate"
    rest, classes = USES[command], data.get("classes") or [""]
    if task == "domains":
        rest += f" --makes {shlex.quote(str(classes[-1]))}"
    return f"{shlex.join(['gansmith', command, str(folder)])} {rest}".rstrip()
