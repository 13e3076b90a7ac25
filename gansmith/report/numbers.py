"""Numbers as people read them."""

import math
from typing import Any


def finite(value: Any) -> float | None:
    """The value as a float if it is a finite number, otherwise None; beyond 1e300, where differences overflow, it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= 1e300 else None


def significant(value: float) -> str:
    """Three significant digits, thousands grouped: 0.613, 12.3, 1,234, 2.1e−5."""
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-3 or size >= 1e7:
        mantissa, exponent = f"{value:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        written = f"{mantissa}e{int(exponent)}"
    else:
        written = f"{value:,.{max(0, 2 - math.floor(math.log10(size)))}f}"
    return written.replace("-", "−")


def axis_label(value: float) -> str:
    """A round number in its shortest form: 0.5, 2, 20k, 1e−4."""
    if value and not 1e-3 <= abs(value) < 1e12:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}".replace("-", "−")
    return short_count(round(value, 9)).replace("-", "−")


def count(value: float) -> str:
    return f"{value:,.0f}"


def short_count(value: float) -> str:
    """For the narrow space of an axis: 950, 12.5k, 3M."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.1f}".removesuffix(".0") + suffix
    return f"{value:g}"


def duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
