"""Milestones: the model as it was after every so many samples, kept beside the newest one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.data.values import Whole
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.model import Model

FOLDER = "milestones"
INTERVAL = Whole(1, 2**53)
_EPOCHS = re.compile(r"(\d+) *epochs?")


def in_samples(every: int | str, examples: int) -> int:
    """Samples between milestones: a whole number, or "10epochs" of so many examples. Raises UserError for anything else."""
    name = "--checkpoint-every"
    if not isinstance(every, str):
        return INTERVAL.of(name, every)
    if match := _EPOCHS.fullmatch(every.strip()):
        return INTERVAL.of(name, INTERVAL.read(name, match[1]) * examples)
    if not every.strip().lstrip("+-").isdecimal():
        raise UserError(f"{name} takes a number of samples, or of epochs such as 10epochs, but it is {every!r}.")
    return INTERVAL.read(name, every)


class Milestones:
    """Keeps models in RUN/milestones, each in a folder named by its samples: `gansmith generate RUN/milestones/000050000`."""

    def __init__(self, run: Path, every: int | None) -> None:
        self.folder, self.every = run / FOLDER, every
        self.reached: int | None = None

    def pass_by(self, samples: int, model: Model) -> None:
        """Keeps the model if a multiple of the interval has been reached since the last one kept; called after every round."""
        if self.every is None:
            return
        if self.reached is None:  # a resumed run goes on after the last that it kept
            kept = [int(path.name) for path in self.folder.glob("[0-9]*") if path.name.isdecimal() and int(path.name) < samples]
            self.reached = max(kept, default=0) // self.every
        if samples // self.every > self.reached:
            model.card |= {"samples": samples}
            model.save(self.folder / f"{samples:012d}")
            self.reached = samples // self.every
