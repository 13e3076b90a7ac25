"""What the judge found."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from gansmith.metrics.score import Score

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, eq=False, kw_only=True)
class Neighbours:
    """A few generated examples with the training examples nearest to them, in the judge's feature space."""

    generated: Int[np.ndarray, " shown"]
    """Positions in the generated data set."""
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
    neighbours: Neighbours

    def __getitem__(self, metric: str) -> Score:
        """The score of a metric, named without its feature space: judgement["frechet"]."""
        return next(score for score in self.scores if score.metric == metric)

    def to_json(self) -> dict[str, Any]:
        return {
            "scores": [score.to_json() for score in self.scores],
            "skipped": self.skipped,
            "neighbours": self.neighbours.to_json(),
        }

    def table(self) -> "Table":
        """The scores for a terminal."""
        from rich.table import Table

        remarks = [f"{score.metric}: {score.note}" for score in self.scores if score.note]
        remarks += [f"{metric} skipped: {reason}" for metric, reason in self.skipped.items()]
        table = Table(caption="\n".join(remarks) or None, caption_justify="left")
        table.add_column("metric")
        for column in ("value", "95% interval", "baseline", "ceiling (real)"):
            table.add_column(column, justify="right")
        table.add_column("better")
        table.add_column("baseline is")
        for score in self.scores:
            numbers = (
                f"{score.value:.3f}",
                f"{score.low:.3f} to {score.high:.3f}",
                f"{score.baseline:.3f}",
                f"{score.ceiling:.3f}",
            )
            table.add_row(score.name.replace("[", r"\["), *numbers, score.better, score.baseline_name)
        return table
