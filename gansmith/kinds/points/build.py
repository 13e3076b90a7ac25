"""From points as they are read to a data set."""

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.kinds.points.codec import PointCodec
from gansmith.kinds.points.files import Points


def build_points(found: Points) -> Dataset:
    """Points as a data set: standardised by their own mean and deviation."""
    codec = PointCodec.fit(found.points, found.columns)
    arrays = {"point": np.ascontiguousarray(found.points, np.float32)}
    facts = dict(found.facts) | ({"notes": found.notes} if found.notes else {})
    return Dataset(name=found.name, codec=codec, arrays=arrays, fingerprint=fingerprint(arrays, described(codec)), facts=facts)
