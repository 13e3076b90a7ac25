"""What the judged examples look like in the judge's features: how they are spread, which look most real, where they lie.

Made of what judging computed anyway. What depends on the real data alone is remembered, so that a second model costs little more
than one comparison of its examples with as many real ones.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith import kinds
from gansmith.data.dataset import choose
from gansmith.evaluation.cache import remember
from gansmith.evaluation.distributions import Spread, spread
from gansmith.evaluation.flat_map import MAXIMUM, FlatMap, flat_map
from gansmith.evaluation.nearest import squared_radii
from gansmith.evaluation.realism import SHOWN, Ranking, ranked, surroundings
from gansmith.evaluation.sides import Real, Side
from gansmith.metrics.manifold import NEIGHBOURS

DIRECTIONS = 50
"""Principal directions kept: two are shown, all go into the map."""
NEAR = 0.01
"""Share of held-out examples that lie suspiciously near to a training example, by definition."""


@dataclass(frozen=True, kw_only=True)
class Classes:
    """How frequent the classes are on every side, an example being of the class of the real example nearest to it."""

    names: list[str]
    shares: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What the report shows of the judged examples."""

    space: str
    """The features in which all of it was found."""
    distances: Spread
    """To the nearest training example."""
    nearer: float
    """Share of generated examples nearer to a training example than all but 1 in 100 of the held-out ones: 0.01 if they are new."""
    components: list[Spread]
    """Along the first principal directions of the real features, at most two."""
    classes: Classes | None
    """None where the real data have no classes."""
    ranking: Ranking
    map: FlatMap | None
    own: Mapping[str, Any] = field(default_factory=dict)
    """What only this kind of data has: see `Kind.overview`."""

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        return facts | facts.pop("own")


def overview(side: Side, positions: np.ndarray) -> Overview:
    """Of the generated side, whose examples stand at `positions` in the generated data set."""
    real, known = side.real, _of_real(side.real)
    projected = {
        "training": known["projected"],
        "generated": _projected(side.features, known),
        "held-out": known["held_out_projected"],
    }
    distances = {"generated": side.distances.numpy(), "held-out": known["held_out_distances"].numpy()}
    balls, closest = surroundings(real.sample, side.features, known["radii"])
    on_map = {name: each[choose(len(each), MAXIMUM, real.seed)] for name, each in projected.items()}
    explained = known["explained"].tolist()
    return Overview(
        space=real.extractor.name,
        distances=spread("distance to the nearest training example", distances, low=0.0),
        nearer=float((distances["generated"] < np.quantile(distances["held-out"], NEAR)).mean()),
        components=[
            spread(
                f"principal component {column + 1} ({explained[column]:.0%} of the variance)",
                {name: coordinates[:, column].numpy() for name, coordinates in projected.items()},
            )
            for column in range(min(2, len(explained)))
        ],
        classes=_classes(real, closest, known["held_out_closest"]),
        ranking=ranked(balls.numpy(), distances["generated"], positions, SHOWN),
        map=flat_map(on_map["training"], on_map["generated"], real.seed),
        own=kinds.find(real.train.codec.spec.kind).overview(side),
    )


def principal_directions(
    features: Float[Tensor, "n features"], most: int
) -> tuple[Float[Tensor, "features found"], Float[Tensor, " found"]]:
    """(directions, their shares of the variance), the largest first, float64; at most `most`."""
    centred = features.double() - features.double().mean(0)
    if len(centred) < centred.shape[1]:
        _, singular, rows = torch.linalg.svd(centred, full_matrices=False)
        directions, variances = rows.T, singular.square()
    else:
        variances, directions = torch.linalg.eigh(centred.T @ centred)
        directions, variances = directions.flip(1), variances.flip(0).clamp(min=0)
    total = variances.sum().clamp(min=torch.finfo(torch.float64).tiny)
    directions, shares = directions[:, :most], variances[:most] / total
    # The sign of a direction is free: its largest entry is made positive, so that it is the same everywhere.
    largest = directions.gather(0, directions.abs().argmax(0, keepdim=True))
    return directions * torch.where(largest < 0, -1.0, 1.0), shares


def _of_real(real: Real) -> dict[str, Tensor]:
    """All that does not depend on the generated examples."""

    def compute() -> dict[str, Tensor]:
        directions, explained = principal_directions(real.sample, DIRECTIONS)
        known = {"centre": real.sample.double().mean(0), "directions": directions, "explained": explained}
        radii = squared_radii(real.sample, NEIGHBOURS)
        _, closest = surroundings(real.sample, real.ceiling.features, radii)
        return known | {
            "radii": radii,
            "projected": _projected(real.sample, known),
            "held_out_projected": _projected(real.ceiling.features, known),
            "held_out_distances": real.ceiling.distances,
            "held_out_closest": closest,
        }

    return remember(real.folder, "portrait", real.key, compute)


def _projected(features: Float[Tensor, "n features"], known: Mapping[str, Tensor]) -> Float[Tensor, "n directions"]:
    return (features.double() - known["centre"]) @ known["directions"]


def _classes(real: Real, closest: Tensor, held_out_closest: Tensor) -> Classes | None:
    names, labels = real.train.codec.spec.classes, real.train.labels()
    if labels is None or len(names) < 2:
        return None
    of_sample = labels[choose(len(real.train), real.count, real.seed)]
    found = {"training": of_sample, "generated": of_sample[closest.numpy()], "held-out": of_sample[held_out_closest.numpy()]}
    shares = {side: (np.bincount(each, minlength=len(names)) / len(each)).tolist() for side, each in found.items()}
    return Classes(names=list(names), shares=shares)
