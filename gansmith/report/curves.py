"""Small line charts as inline SVG: drawn here, so that the page shows them without any script."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gansmith.report.markup import Markup, join, tag
from gansmith.report.numbers import axis_label, count, short_count, significant

WIDTH, HEIGHT = 340.0, 168.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 8.0, 10.0, 24.0
MAX_POINTS = 240
MAX_RATIO = 1e30
"""Of the largest to the smallest value on a logarithmic scale: beyond it, one of them is no measurement."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One named quantity over samples seen; values that are not finite leave a gap and a mark."""

    name: str
    samples: Sequence[float]
    values: Sequence[float]
    low: Sequence[float] = ()
    """The lower edge of a band around the values, as long as they are, or empty."""
    high: Sequence[float] = ()
    references: dict[str, float] = field(default_factory=dict)
    """Named levels, drawn as dashed lines: a baseline, a ceiling."""
    colour: int = 0
    """Which of the page's colours, counted from 0."""


def thinned(series: Series, most: int = MAX_POINTS) -> Series:
    """At most this many points: means of neighbouring values, with a band from their lowest to their highest."""
    length = len(series.values)
    if length <= most:
        return series
    edges = [round(position * length / most) for position in range(most + 1)]
    samples, means, low, high = [], [], [], []
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        stretch = [value for value in series.values[start:end] if math.isfinite(value)]
        samples.append(series.samples[end - 1])
        # One value that is not finite among many marks its stretch: the eye must find it.
        whole = len(stretch) == end - start
        means.append(sum(stretch) / len(stretch) if whole else math.nan)
        low.append(min(stretch) if whole else math.nan)
        high.append(max(stretch) if whole else math.nan)
    return Series(
        name=series.name, samples=samples, values=means, low=low, high=high, references=series.references, colour=series.colour
    )


def ticks(low: float, high: float) -> list[float]:
    """Two to four round numbers (multiples of 1, 2 or 5 times a power of ten) inside [low, high]."""
    power = 10.0 ** math.floor(math.log10(high - low))
    for step in (power, power / 2, power / 5, power / 10):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last > first:
            # Beyond four lines every second or third is left out, zero kept if it is among them.
            every = math.ceil((last - first + 1) / 4)
            return [index * step for index in range(first, last + 1) if index % every == 0]
    return []


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten inside [low, high], at most four; round numbers where the range spans less than a decade."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first < 1:
        return [tick for tick in ticks(low, high) if tick > 0]
    return [10.0**power for power in range(first, last + 1, math.ceil((last - first + 1) / 4))]


@dataclass(frozen=True)
class Scale:
    """Values to heights."""

    low: float
    high: float
    ticks: list[float]
    warp: Callable[[float], float]

    def height(self, value: float) -> float:
        share = (self.warp(value) - self.warp(self.low)) / (self.warp(self.high) - self.warp(self.low))
        return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def linear_scale(values: Sequence[float]) -> Scale:
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    low, high = low - margin, high + margin
    return Scale(low, high, ticks(low, high), lambda value: value)


def log_scale(values: Sequence[float]) -> Scale:
    low, high = min(values), max(values)
    factor = max((high / low) ** 0.05, 1.1)
    return Scale(low / factor, high * factor, log_ticks(low / factor, high * factor), math.log)


def chart(series: Series) -> Markup | None:
    """A figure with the curve, a read-out, and a switch to a logarithmic scale if all is positive; None without finite values."""
    last = next((value for value in reversed(series.values) if math.isfinite(value)), None)
    if last is None:
        return None
    points = thinned(series)
    known = [position for position, value in enumerate(points.values) if math.isfinite(value)]
    extent = [value for value in (*points.values, *points.low, *points.high, *points.references.values()) if math.isfinite(value)]
    widths = _widths(points.samples)
    linear = linear_scale(extent)
    log = log_scale(extent) if 0 < min(extent) < max(extent) <= min(extent) * MAX_RATIO else None
    finite = [value for value in series.values if math.isfinite(value)]
    broken = len(series.values) - len(finite)
    summary = (
        f"{series.name} over samples: from {significant(finite[0])} to {significant(last)}, "
        f"between {significant(min(finite))} and {significant(max(finite))}"
    )
    drawing = tag(
        "svg",
        _plot(points, widths, linear, "linear"),
        _plot(points, widths, log, "log") if log else None,
        _axis(points.samples, widths),
        tag("line", y1=TOP, y2=HEIGHT - BOTTOM, class_="cursor", visibility="hidden"),
        tag("circle", r=3.2, class_="dot", visibility="hidden"),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        tabindex=0,
        aria_label=summary,
        data_x=_list(widths[position] for position in known),
        data_linear=_list(linear.height(points.values[position]) for position in known),
        data_log=_list(log.height(points.values[position]) for position in known) if log else None,
        data_samples=" ".join(count(points.samples[position]) for position in known),
        data_values=" ".join(significant(points.values[position]) for position in known),
    )
    head = tag(
        "figcaption",
        tag("span", series.name, class_="name"),
        tag("button", "log", type="button", class_="quiet", aria_pressed="false", data_log_toggle=True) if log else None,
        tag("output", significant(last), data_rest=significant(last)),
    )
    warning = (
        tag("p", f"{broken} of {count(len(series.values))} values were not finite.", class_="broken-note") if broken else None
    )
    return tag("figure", head, drawing, warning, class_=f"chart colour-{series.colour % 4}")


def _list(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.1f}" for number in numbers)


def _widths(samples: Sequence[float]) -> list[float]:
    """Samples to horizontal positions; a single sample stands in the middle."""
    first, last = samples[0], samples[-1]
    span = last - first
    return [LEFT + (WIDTH - LEFT - RIGHT) * ((sample - first) / span if span else 0.5) for sample in samples]


def _plot(points: Series, widths: list[float], scale: Scale, kind: str) -> Markup:
    """Everything that depends on the vertical scale."""
    grid = [
        join(
            tag(
                "line", x1=LEFT, x2=WIDTH - RIGHT, y1=f"{scale.height(level):.1f}", y2=f"{scale.height(level):.1f}", class_="grid"
            ),
            tag("text", axis_label(level), x=LEFT - 7, y=f"{scale.height(level) + 3.5:.1f}", text_anchor="end"),
        )
        for level in scale.ticks
    ]
    band = _band(points, widths, scale) if points.low else None
    middle = (LEFT + WIDTH - RIGHT) / 2
    levels = [
        join(
            tag(
                "line",
                x1=LEFT,
                x2=WIDTH - RIGHT,
                y1=f"{scale.height(level):.1f}",
                y2=f"{scale.height(level):.1f}",
                class_="level",
            ),
            # In the middle, away from where a curve starts (at its baseline) and ends (at its ceiling).
            tag("text", name, x=middle, y=f"{scale.height(level) - 4:.1f}", text_anchor="middle", class_="level-name"),
        )
        for name, level in points.references.items()
    ]
    marks = "".join(
        f"M{width:.1f} {HEIGHT - BOTTOM:g}v-9"
        for width, value in zip(widths, points.values, strict=True)
        if not math.isfinite(value)
    )
    broken = tag("path", d=marks, class_="broken") if marks else None
    return tag("g", *grid, band, *levels, tag("path", d=_line(points, widths, scale), class_="line"), broken, class_=kind)


def _stretches(points: Series) -> list[list[int]]:
    """Positions of the finite values, cut at the gaps."""
    found: list[list[int]] = [[]]
    for position, value in enumerate(points.values):
        if math.isfinite(value):
            found[-1].append(position)
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if stretch]


def _line(points: Series, widths: list[float], scale: Scale) -> str:
    path = ""
    for stretch in _stretches(points):
        path += "M" + "L".join(f"{widths[at]:.1f} {scale.height(points.values[at]):.1f}" for at in stretch)
        if len(stretch) == 1:
            path += "h0.01"  # a lone point: a line of no length under round caps
    return path


def _band(points: Series, widths: list[float], scale: Scale) -> Markup:
    path = ""
    for stretch in _stretches(points):
        edge = [(at, points.low[at]) for at in stretch] + [(at, points.high[at]) for at in reversed(stretch)]
        known = [(at, value) for at, value in edge if math.isfinite(value)]
        if len(known) > 2:
            path += "M" + "L".join(f"{widths[at]:.1f} {scale.height(value):.1f}" for at, value in known) + "Z"
    return tag("path", d=path, class_="band")


def _axis(samples: Sequence[float], widths: list[float]) -> Markup:
    baseline = HEIGHT - BOTTOM
    ends = {widths[0]: samples[0], widths[-1]: samples[-1]}
    anchors = ["start", "end"] if len(ends) == 2 else ["middle"]
    return join(
        tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=baseline, y2=baseline, class_="axis"),
        *(
            tag("text", short_count(sample), x=f"{width:.1f}", y=HEIGHT - 7, text_anchor=anchor)
            for (width, sample), anchor in zip(ends.items(), anchors, strict=True)
        ),
        tag("text", "samples", x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 7, text_anchor="middle") if len(ends) == 2 else None,
    )
