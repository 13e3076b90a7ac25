"""Scene cuts: where a frame has little to do with the one before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST = 0.15
"""The smallest mean difference of brightness, from 0 to 1, that may be a cut."""
TIMES = 4.0
"""How many times the usual difference around it a cut is."""
AROUND = 8
"""Frames before and after by which the usual difference is found."""
STILL = 1 / 255
"""A video is static if no pixel changes by more than this on average from any frame to the next."""
BLACK = 8
"""A frame is black if its mean brightness is below this of 255."""


def cuts_in(differences: Sequence[float]) -> list[int]:
    """The frames at which a scene begins, by the mean differences of frames 1, 2, ... to the ones before them."""
    found, values = [], np.asarray(differences)
    for place in np.flatnonzero(values > LEAST):
        around = np.delete(values[max(0, place - AROUND) : place + AROUND + 1], min(place, AROUND))
        if not len(around) or values[place] > TIMES * np.median(around):
            found.append(int(place) + 1)
    return found
