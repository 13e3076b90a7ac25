"""What the judge found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from gansmith.evaluation.overview import Overview
from gansmith.evaluation.score import Score

if TYPE_CHECKING:
    from rich.table import Table

LATE = "judging may take as long as the training did, and took longer: gansmith evaluate measures it."
"""Why a metric was not measured at the end of a training."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Neighbours:
    """The generated examples nearest to a training example, with the training examples nearest to them, in the judge's features."""

    generated: Int[np.ndarray, " shown"]
    """Positions in the generated data set, the one nearest to a training example first, as distances in its class go."""
    nearest: Int[np.ndarray, "shown 3"]
    """Positions in the training data set, the nearest first."""
    distances: Float[np.ndarray, "shown 3"]
    generated_median: float
    """Median distance of all generated examples judged to their nearest training example."""
    held_out_median: float
    """The same of held-out examples."""

    def to_json(self) -> dict[str, Any]:
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class Judgement:
    """Scores, the metrics that have no meaning for this data with the reason why, and nearest training examples."""

    scores: list[Score]
    skipped: dict[str, str]
    find_neighbours: Callable[[], Neighbours]
    overview: Overview | None = None
    """What a report shows besides, if it was asked for."""
    notes: tuple[str, ...] = ()
    """How the data that were judged were read."""

    @cached_property
    def neighbours(self) -> Neighbours:
        """Looked for when they are first asked for: every distance between the generated and the real examples is computed."""
        return self.find_neighbours()

    def __getitem__(self, metric: str) -> Score:
        """The score of a metric, named without its feature space: judgement["frechet"]."""
        return next(score for score in self.scores if score.metric == metric)

    def left_out(self) -> list[str]:
        """The metrics for which no time was left."""
        return [metric for metric, reason in self.skipped.items() if reason == LATE]

    def to_json(self) -> dict[str, Any]:
        return {
            "scores": [score.to_json() for score in self.scores],
            "skipped": self.skipped,
            **({"notes": list(self.notes)} if self.notes else {}),
            "neighbours": self.neighbours.to_json(),
        }

    def _repr_html_(self) -> str:
        from gansmith.watch.shown import scores

        return scores(self.scores)

    def table(self) -> "Table":
        """The scores for a terminal."""
        from rich import box
        from rich.markup import escape
        from rich.table import Table

        remarks = [
            *map(escape, self.notes),
            *(f"baseline: {name}" for name in dict.fromkeys(score.baseline_name for score in self.scores)),
        ]
        rivals = [name for name in dict.fromkeys(score.rival_name for score in self.scores) if name]
        remarks += [f"rival: {name}" for name in rivals]
        remarks += [f"{score.metric}: {score.note}" for score in self.scores if score.note]
        remarks += [f"{metric} skipped: {reason}" for metric, reason in self.skipped.items()]
        table = Table(box=box.SIMPLE_HEAD, caption="\n".join(remarks), caption_justify="left")
        table.add_column("metric", overflow="fold")  # a narrow terminal folds names rather than cut figures
        for column in ("value", "95%", "baseline", *(["rival"] if rivals else []), "ceiling"):
            table.add_column(column, justify="right", no_wrap=True)
        for score in self.scores:
            interval = f"{score.low:.3f} to {score.high:.3f}"
            beside = (score.baseline, *([score.rival] if rivals else []), score.ceiling)
            companions = ("–" if number is None else f"{number:.3f}" for number in beside)
            values = (f"{score.value:.3f}", interval, *companions)
            table.add_row(f"{escape(score.name)} {'↓' if score.better == 'lower' else '↑'}", *values)
        return table
