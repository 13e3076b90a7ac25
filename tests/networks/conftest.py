"""The small real data of the metrics."""

from tests.metrics.conftest import *  # noqa: F403
