"""Checkpoints: one safetensors file each, written whole or not at all; the last good one always survives."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from torch import Tensor

from gansmith.data.schema import MismatchError, check
from gansmith.data.tensors import read_tensors, write_tensors
from gansmith.errors import UserError


class ClockFacts(TypedDict):
    """How far the training had come."""

    samples: int
    rounds: int
    total: int | None


class HealthFacts(TypedDict):
    """What the health checks remember."""

    first_norms: list[float]
    streaks: dict[str, int]
    own: NotRequired[dict[str, int]]


class StateFacts(TypedDict):
    """What a checkpoint says besides its tensors; more may be there."""

    clock: ClockFacts
    position: int
    dealt: int
    seconds: float
    ledger: dict[str, int]
    learning_rate_scales: dict[str, float]
    roll_backs: tuple[int, int]
    health: NotRequired[HealthFacts]
    examiner: NotRequired[dict[str, Any] | None]


KEPT = 2
"""How many checkpoints stay: the newest, and the one before in case the newest is damaged."""


def save_checkpoint(folder: Path, samples: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
    """Saves the state at this many samples and removes all but the newest ones."""
    path = folder / f"{samples:012d}.safetensors"
    write_tensors(path, tensors, facts)
    for old in checkpoints(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def check_facts(facts: Mapping[str, Any]) -> None:
    """Raises MismatchError unless these facts are those of a checkpoint."""
    check(facts, StateFacts)
    clock = facts["clock"]
    numbers = {
        **{f"clock.{name}": clock[name] or 0 for name in ("samples", "rounds", "total")},
        **{name: facts[name] for name in ("position", "dealt", "seconds")},
        **{f"ledger.{name}": count for name, count in facts["ledger"].items()},
        **{f"roll_backs[{place}]": number for place, number in enumerate(facts["roll_backs"])},
    }
    for name, number in numbers.items():
        if not 0 <= number < 2**63:
            raise MismatchError(f"{name} should be from 0 to 2^63, but it is {number}")
    for name, scale in facts["learning_rate_scales"].items():
        if not 0 < scale <= 1:
            raise MismatchError(f"learning_rate_scales.{name} should be above 0 and at most 1, but it is {scale}")


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first."""
    return sorted(folder.glob("[0-9]*.safetensors"))


def load_newest(folder: Path, say: Callable[[str], None]) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The newest checkpoint that can be read, or None; every damaged one is named through `say` and set aside."""
    for path in reversed(checkpoints(folder)):
        try:
            return read_tensors(path)
        except UserError as error:
            say(f"{error} Going back to the checkpoint before.")
            with suppress(OSError):  # another process has set it aside, or the folder is for reading alone
                path.replace(path.with_suffix(".damaged"))
    return None
