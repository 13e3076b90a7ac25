"""Missing numbers of a series, filled in from those around them; only where the user asks for it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from gansmith.errors import UserError
from gansmith.kinds.series.series import UNROUNDED, decimals_of

FILLS = ("linear", "previous")
"""linear: on the line between the numbers before and after, with as many decimals; previous: the number before. Ends take the nearest
number."""


def filled(
    values: Float[np.ndarray, "steps columns"], how: str, columns: Sequence[str], where: str
) -> Float[np.ndarray, "steps columns"]:
    """The series with a number for every NaN. Raises UserError for a column that has none at all."""
    made, at = values.copy(), np.arange(len(values))
    for place, column in enumerate(columns):
        known = np.flatnonzero(~np.isnan(values[:, place]))
        if not len(known):
            raise UserError(f"{column} is missing everywhere in {where}, so that nothing can fill it in: leave it out.")
        if how == "previous":
            made[:, place] = values[known[np.maximum(np.searchsorted(known, at, side="right") - 1, 0)], place]
        else:
            between = np.interp(at, known, values[known, place])
            decimals = decimals_of(values[known, place])
            made[:, place] = between if decimals == UNROUNDED else np.round(between, decimals)
    return made


def spread(values: Float[np.ndarray, "rows columns"], places: np.ndarray) -> Float[np.ndarray, "steps columns"]:
    """Rows at these places of a longer series, NaN between them."""
    made = np.full((int(places[-1]) + 1, values.shape[1]), np.nan)
    made[places] = values
    return made
