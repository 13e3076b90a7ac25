"""How far the fast mode of Inception-v3 is off, on a few images that are computed exactly as well."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from torch import Tensor

from gansmith.evaluation.sides import Side

Statistic = Callable[[Float[Tensor, "fake features"], Float[Tensor, "real features"]], float]


def deviation(side: Side, output: str, statistic: Statistic, value: float) -> str:
    """A sentence for the score's note: how much features, and the metric of these few images, are moved.

    `statistic` is the metric of generated and real features, `value` the score itself, in whose percent the move is given as well.
    Empty where nothing was fast.
    """
    inception = side.real.inception
    if inception is None or not inception.fast or side.name != "generated":
        return ""
    fast, exact = ([outputs[output] for outputs in way] for way in zip(*side.inception_checked, strict=True))
    off = float(np.mean([((a - b).norm() / a.norm()).item() for a, b in zip(exact, fast, strict=True)]))
    moved = statistic(*fast) - statistic(*exact)
    share = f" ({moved / abs(value):+.1%} of this score)" if value else ""
    return f"fast mode: on {len(exact[0])} images of each side, features are {off:.1%} off and this metric {moved:+.3g}{share}"
