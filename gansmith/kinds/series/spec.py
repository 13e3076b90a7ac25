"""What networks must know about time series."""

from dataclasses import dataclass
from typing import Any

from gansmith.data.spec import Spec, identity_of_0_1


@dataclass(frozen=True, kw_only=True)
class SeriesSpec(Spec):
    """Series [steps, channels]."""

    kind: str = "series"
    key: str = "series"
    axes: tuple[str, ...] = ("step", "channel")
    means: tuple[float, ...] = ()
    """The mean of each channel."""
    spectrum: tuple[float, ...] = ()
    """The covariance of the channels at each of several frequencies (see `layers.whitening`), one after another."""
    quantiles: tuple[float, ...] = ()
    """Series of returns only: quantiles of each channel (see `kinds.series.returns.quantiles`), one channel after another."""

    def identity(self) -> dict[str, Any]:
        return identity_of_0_1(self, means=self.means, spectrum=self.spectrum, quantiles=self.quantiles)
