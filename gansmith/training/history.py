"""What a training without a run folder leaves: the terms of every tick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from gansmith.training.trainer import Trainer


class History:
    """The guest that only remembers: `records` holds a flat mapping for every tick, as a data frame takes them."""

    def __init__(self) -> None:
        self.records: list[dict[str, float]] = []

    def tick(self, trainer: Trainer, record: dict[str, Any]) -> None:
        self.records.append({"samples": record["samples"], "seconds": record["seconds"], **record["terms"]})

    def progress(self, trainer: Trainer) -> None: ...
    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None: ...
    def say(self, sentence: str) -> None: ...

    def last_good(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        return None

    def enough(self) -> bool:
        return False
