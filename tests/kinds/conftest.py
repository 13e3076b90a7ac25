"""The fixtures of data and of metrics: a kind has both."""

from tests.data.conftest import cache, photos, picture
from tests.metrics.conftest import *  # noqa: F403

__all__ = ["cache", "photos", "picture"]
