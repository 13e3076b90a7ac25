"""The numbers of a picture: their type, the values that networks see as -1 and 1, and those that a screen shows as black and white."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor

from gansmith.errors import UserError

FAINT = 0.1
"""Less of the range than this is called a small part of it."""
LARGEST = 1e38
"""Numbers beyond this do not fit into 32 bits."""
RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""The values of black and white in floating point pictures."""
OVERSHOOT, RARE = 0.1, 0.05
"""Resizing may carry this share of the values beyond their range, by no more than this share of it."""
DIM = 16.0
"""Fractions up to this are not read as brightness up to 255, of which they would be black."""
_MOST_UNSIGNED, _LEAST_SIGNED, _MOST_SIGNED = 65535, -32768, 32767


TYPES = ("uint8", "uint16", "int16", "float32")
"""The types that numbers may have."""


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The default is that of ordinary pictures: bytes from 0 (black) to 255 (white)."""

    dtype: str = "uint8"
    """One of `TYPES`."""
    low: float = 0.0
    """The value that becomes -1."""
    high: float = 255.0
    """The value that becomes 1."""
    black: float = 0.0
    """The value that a preview shows as black."""
    white: float = 255.0
    """The value that a preview shows as white."""

    @property
    def deep(self) -> bool:
        """Whether the numbers are more than bytes."""
        return self.dtype != "uint8"

    @classmethod
    def of(cls, low: float, high: float, whole: bool, window: tuple[float, float]) -> "Levels":
        """The narrowest type that holds values from `low` to `high` without loss; `whole` says that they are whole numbers.

        Unsigned numbers begin at 0 and end at the largest one of as many bits, fractions are from 0 to 1; unless the values span less
        than half of that, which networks would see as nearly one gray. Then, and of other values, the range is from the smallest to
        the largest. Whole numbers beyond 16 bits become float32, exact to 24 bits.
        """
        if whole and low >= 0 and 1 < high <= 255:
            return cls()
        black, white = window if window[1] > window[0] else (low, max(high, low + 1))
        unsigned = whole and low >= 0 and high <= _MOST_UNSIGNED
        signed = whole and not unsigned and low >= _LEAST_SIGNED and high <= _MOST_SIGNED
        usual = white_of(high) if unsigned else 1.0 if not whole and low >= 0 and high <= 1 else None
        if usual is not None and (high - low >= usual / 2 or high == low):
            low, high = 0.0, usual
        dtype = "uint16" if unsigned else "int16" if signed else "float32"
        return cls(dtype=dtype, low=low, high=high if high > low else low + 1, black=black, white=white)

    def within(self, low: float, high: float) -> "Levels":
        """The same type with the range from `low` to `high`, at which values are cut off. Raises UserError for ordinary pictures,
        and for a range that holds nothing."""
        if not self.deep:
            raise UserError("--values is for images of more than 8 bits, which these are not: leave it out.")
        if high <= low:
            raise UserError(f"--values takes LOW,HIGH with LOW below HIGH, such as 0,3000, but it is {low:g},{high:g}.")
        black, white = max(self.black, low), min(self.white, high)
        black, white = (black, white) if black < white else (low, high)
        return replace(self, low=max(low, 0.0) if self.dtype == "uint16" else low, high=high, black=black, white=white)

    @property
    def faint(self) -> bool:
        """Whether nearly all values lie in so small a part of the range that networks see them as nearly one gray."""
        return self.deep and self.white - self.black < FAINT * (self.high - self.low)

    def warning(self) -> str:
        """What to do about faint pictures."""
        return (
            f"99% of the values of every picture lie from {self.black:g} to {self.white:g}, a small part of the range from {self.low:g} "
            f"to {self.high:g}, which leaves the pictures faint: --values {self.black:g},{self.white:g} cuts off what is beyond"
        )

    def unpack(self, values: Shaped[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Values as float32 from -1 to 1."""
        if not self.deep:
            unpacked = np.divide(values, np.float32(127.5), dtype=np.float32)
            unpacked -= 1
            return unpacked
        return ((values.astype(np.float64) - self.low) * (2 / (self.high - self.low)) - 1).astype(np.float32)

    def repack(self, unpacked: Float[Tensor, "..."]) -> Shaped[np.ndarray, "..."]:
        """The inverse of `unpack`, cut to the range; exact for whole numbers, to 1e-7 of the range for others."""
        if not self.deep:
            values = unpacked.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
            return values.cpu().contiguous().numpy()
        values = (unpacked.detach().cpu().double().numpy() + 1) * ((self.high - self.low) / 2) + self.low
        return self.fit(values)

    def fit(self, values: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
        """Values cut to the range and, where the type is of whole numbers, rounded."""
        cut = np.clip(values, self.low, self.high)
        return np.ascontiguousarray(cut if self.dtype == "float32" else np.rint(cut)).astype(self.dtype)

    def shown(self, values: Shaped[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
        """Values as bytes for a screen, `black` becoming 0 and `white` 255; bytes stay as they are."""
        if not self.deep:
            return values
        shares = (values.astype(np.float64) - self.black) / (self.white - self.black)
        return np.rint(shares.clip(0, 1) * 255).astype(np.uint8)

    def as_bytes(self, values: Shaped[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
        """Values as bytes, `low` becoming 0 and `high` 255: what networks of photographs see."""
        return BYTES.repack(torch.from_numpy(self.unpack(values))) if self.deep else values

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Levels":
        return cls(**facts)


BYTES = Levels()


@dataclass(frozen=True, kw_only=True)
class Extremes:
    """What the numbers of one or several pictures span."""

    low: float
    high: float
    whole: bool
    """Whether all are of a type of whole numbers."""
    black: float
    """The 0.5% quantile: what a preview may show as black."""
    white: float
    """The 99.5% quantile."""
    count: int = 0
    outside: tuple[int, ...] = (0,) * len(RANGES)
    """How many of them lie outside of each of RANGES, if they are fractions."""
    zeros: int = 0

    @classmethod
    def of(cls, values: np.ndarray) -> "Extremes":
        """Raises ValueError for NaN, infinite values and those that do not fit into 32 bits."""
        if not np.isfinite(values).all():
            raise ValueError("holds NaN or infinite values")
        if values.dtype.kind == "f" and not (np.abs(values) <= LARGEST).all():
            raise ValueError("holds values that do not fit into 32 bits")
        if values.dtype.kind == "b":
            values = values.astype(np.uint8)
        black, white = np.quantile(values, (0.005, 0.995))
        whole = values.dtype.kind in "ui"
        return cls(
            low=float(values.min()),
            high=float(values.max()),
            whole=whole,
            black=float(black),
            white=float(white),
            count=values.size,
            outside=tuple(0 if whole else int(((values < low) | (values > high)).sum()) for low, high in RANGES),
            zeros=0 if whole else int((values == 0).sum()),
        )

    def and_of(self, other: "Extremes | None") -> "Extremes":
        """The span of both."""
        if other is None:
            return self
        return Extremes(
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            whole=self.whole and other.whole,
            black=min(self.black, other.black),
            white=max(self.white, other.white),
            count=self.count + other.count,
            outside=tuple(map(sum, zip(self.outside, other.outside, strict=True))),
            zeros=self.zeros + other.zeros,
        )

    def brightness(self) -> tuple[float, float] | None:
        """The values that mean black and white, if these are the numbers of ordinary pictures: whole ones up to 255, or fractions in
        one of RANGES but for a little overshoot. None for all others, where a few outliers alone lie above 1, and where all would be
        black."""
        if self.whole:
            return (0.0, white_of(self.high)) if self.low >= 0 and self.high <= 255 else None
        for (black, white), outside in zip(RANGES, self.outside, strict=True):
            slack = OVERSHOOT * (white - black) if outside <= RARE * self.count else 0.0
            if self.low >= black - slack and self.high <= white + slack:
                outliers = self.outside[0] <= RARE * (self.count - self.zeros)
                return None if white == 255 and (outliers or self.high <= DIM) else (black, white)
        return None

    def beyond(self) -> int:
        """How many values `brightness` cuts off."""
        found = self.brightness()
        return 0 if self.whole or found is None else self.outside[RANGES.index(found)]

    def levels(self) -> Levels:
        return Levels.of(self.low, self.high, self.whole, (self.black, self.white))


def white_of(maximum: float) -> float:
    """What counts as white among values up to `maximum`: 1 for fractions, else the largest number of 8, 9, 10 ... bits."""
    return 1.0 if maximum <= 1 else float(2 ** max(8, int(np.floor(maximum)).bit_length()) - 1)
