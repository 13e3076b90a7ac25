"""From series of a source to a data set: cut into windows, held out by stretches of time, scaled by what is trained on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.errors import UserError
from gansmith.kinds.series.codec import SeriesCodec
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.returns import heaviness, lighter, quantiles, to_returns
from gansmith.kinds.series.series import Series, decimals_of
from gansmith.kinds.series.source import Sequences
from gansmith.kinds.series.spec import SeriesSpec
from gansmith.kinds.series.spectrum import second_moments

WINDOW, RETURNS_WINDOW = 24, 128
"""Steps of an example where none are asked for: TimeGAN's, and half a year of trading days."""
WHOLE = 256
"""Many series of at most so many steps are not cut."""
BLOCKS, HELD = 20, 4
"""A long series is cut into so many stretches, of which every fifth (`HELD` of them) is held out."""
ENTITIES_TO_SPLIT = 20
"""With so many series, whole ones are held out at random instead."""
FEWEST_HELD = 20
"""Judging needs so many examples; so many whole series are held out where that leaves twice as many to learn from."""
FEWEST = 2
"""Of fewer examples no scale can be taken."""
STATICS = 1000
SURVEYED = 5000
"""Examples from which the means and the spectrum are taken."""


def build_series(found: Sequences, wanted: Options, codec: SeriesCodec | None = None, hold_out: bool = True) -> Dataset:
    """The series as a data set, in the geometry of `codec` if one is given (then nothing is held out).

    Raises UserError where there are too few steps, a window is longer than the series, or prices to take returns of are not above 0.
    """
    raws, notes = list(found.series), list(found.notes)
    longest, shortest = max(len(raw.values) for raw in raws), min(len(raw.values) for raw in raws)
    if wanted.returns:
        _check_prices(raws, found)
    more = int(wanted.returns)
    few = len(raws) == 1 or (len(raws) < ENTITIES_TO_SPLIT and shortest >= 2 * WINDOW)
    cut = wanted.window is not None or longest > WHOLE or few
    window = _window(longest - more, cut, wanted, codec)
    if window > longest - more:
        raise UserError(
            f"The window must be at most {longest - more} steps, as long as the longest series of {found.name}, but it is {window}: "
            "change --window."
        )
    if cut:
        notes.append(f"windows of {window} {'returns' if more else 'steps'}, each {wanted.stride} after the one before")
    trained, held = _parts(raws, window + more, wanted, cut, hold_out and codec is None)
    fewest = FEWEST if codec is None else 1
    if len(trained) < fewest:
        raise UserError(
            f"{found.name} makes {len(trained)} examples of {window} steps out of {len(raws)} series of up to {longest}, where at least "
            f"{fewest} are needed: give more rows or series, or a shorter --window."
        )
    if held:
        if len(raws) >= ENTITIES_TO_SPLIT:
            notes.append(f"{len(held)} examples of whole series are held out")
        else:
            stretches = "the last fifth of the time is" if wanted.returns else f"{HELD} of {BLOCKS} stretches of time are"
            notes.append(f"{stretches} held out ({len(held)} windows); windows across a border are left out")
    own = codec or _fitted(found, trained, window, wanted, shortest - more)
    known: dict[str, Any] = {"notes": tuple(notes)} if notes else {}
    data = _dataset(found.name, own, trained, known)
    return replace(data, held_out=_dataset(f"{found.name}-held-out", own, held, {}) if held else None)


def _window(longest: int, cut: bool, wanted: Options, codec: SeriesCodec | None) -> int:
    if codec is not None:
        return codec.steps if cut or codec.steps < longest else longest
    if wanted.window is not None:
        return wanted.window
    return min(longest, RETURNS_WINDOW if wanted.returns else WINDOW) if cut else longest


def _check_prices(raws: Sequence[Series], found: Sequences) -> None:
    for index, raw in enumerate(raws):
        if (raw.values <= 0).any():
            step, column = np.argwhere(raw.values <= 0)[0]
            raise UserError(
                f"--returns needs numbers above 0, but {found.columns[column]} is {raw.values[step, column]:g} at step {step} of series "
                f"{index}: leave --returns or that column out."
            )


def _parts(raws: list[Series], length: int, wanted: Options, cut: bool, hold_out: bool) -> tuple[list[Series], list[Series]]:
    """(examples to train on, examples held out).

    Of returns the last fifth of the time is held out; levels drift, so that the future is no fair sample of them: stretches all over
    the time are.
    """
    stride = wanted.stride
    if not hold_out:
        return ([window for raw in raws for window in windows_of(raw, length, stride)] if cut else raws), []
    if len(raws) >= ENTITIES_TO_SPLIT:
        order = np.random.default_rng(0).permutation(len(raws))
        held_out = max(len(raws) // 5, FEWEST_HELD if len(raws) >= 3 * FEWEST_HELD else 0)
        chosen = set(order[:held_out].tolist())
        groups = [[raw for index, raw in enumerate(raws) if (index in chosen) == held] for held in (False, True)]
        if not cut:
            return groups[0], groups[1]
        return tuple([w for raw in group for w in windows_of(raw, length, stride)] for group in groups)  # pyright: ignore[reportReturnType]
    if not cut:
        return raws, []
    trained, held = [], []
    for raw in raws:
        for start, window in enumerate(windows_of(raw, length, 1)):
            if start % stride:
                continue
            first, last = (min(BLOCKS - 1, at * BLOCKS // len(raw.values)) for at in (start, start + length - 1))
            blocks = {_is_held(block, wanted.returns) for block in range(first, last + 1)}
            if blocks == {False}:
                trained.append(window)
            elif blocks == {True}:
                held.append(window)
    enough = len(held) >= 20 and len(trained) >= 40
    return (trained, held) if enough else ([w for raw in raws for w in windows_of(raw, length, stride)], [])


def _is_held(block: int, at_the_end: bool) -> bool:
    return block >= BLOCKS - HELD if at_the_end else block % (BLOCKS // HELD) == BLOCKS // HELD // 2


def windows_of(raw: Series, length: int, stride: int) -> list[Series]:
    """All windows of this length, each `stride` steps after the one before; none of a shorter series."""
    return [Series(raw.values[start : start + length], raw.static) for start in range(0, len(raw.values) - length + 1, stride)]


def _fitted(found: Sequences, trained: Sequence[Series], window: int, wanted: Options, shortest: int) -> SeriesCodec:
    facts: dict[str, Any] = {"columns": found.columns, "calendar": found.calendar, "scale": wanted.scale}
    channels = len(found.columns) * (3 if wanted.scale == "example" else 1)
    if wanted.returns:
        moves = np.concatenate([to_returns(raw.values) for raw in trained])
        mean, deviation = moves.mean(0), moves.std(0)
        usual = (moves - mean) / np.where(deviation > 0, deviation, 1)
        facts["heaviness"] = tuple(heaviness(column) for column in usual.T)
        facts["edges"] = tuple(np.abs(lighter(usual, np.array(facts["heaviness"]))).max(0).tolist())
        facts["base"] = tuple(found.series[0].values[-1].tolist())
        low, high = mean - deviation, mean + deviation
    else:
        low = np.min([raw.values.min(0) for raw in trained], axis=0)
        high = np.max([raw.values.max(0) for raw in trained], axis=0)
    if wanted.scale == "example":
        reach = np.max([np.ptp(raw.values, axis=0) / 2 for raw in trained], axis=0)
        facts["reach"] = tuple(np.where(reach > 0, reach, 1.0).tolist())
    facts |= {"low": tuple(low.tolist()), "high": tuple(high.tolist())}
    written = np.concatenate([raw.values for raw in found.series])
    facts |= {
        "decimals": tuple(decimals_of(column) for column in written.T),
        "positive": tuple(bool((column >= 0).all()) for column in written.T),
    }
    lengths = sorted(len(raw.values) - int(wanted.returns) for raw in trained)
    if lengths[0] != lengths[-1]:
        spread = np.linspace(0, len(lengths) - 1, min(200, len(lengths))).round().astype(int)
        facts["lengths"] = tuple(lengths[index] for index in spread)
        channels += 1
    classes, attributes = _conditions(found.series, trained, facts)
    spec = SeriesSpec(shape=(window, channels), classes=classes, attributes=attributes)
    codec = SeriesCodec(spec=spec, **facts)
    chosen = np.random.default_rng(0).permutation(len(trained))[:SURVEYED]
    packed = [codec.pack(trained[index]) for index in np.sort(chosen)]
    batch = codec.unpack({key: np.stack([one[key] for one in packed]) for key in packed[0]})
    means, spectrum = second_moments(batch["series"].numpy().astype(np.float64))
    of_returns = quantiles(batch["series"].numpy().astype(np.float64).reshape(-1, channels)) if wanted.returns else ()
    codec = replace(codec, spec=replace(spec, means=means, spectrum=spectrum, quantiles=of_returns))
    if attributes:
        rows = [codec.label_of(raw.static) for raw in trained]
        chosen = np.random.default_rng(0).permutation(len(rows))[:STATICS]
        codec = replace(codec, statics=tuple(tuple(round(float(x), 6) for x in rows[index]) for index in chosen))
    return codec


def _conditions(
    everything: Sequence[Series], trained: Sequence[Series], facts: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = list(everything[0].static)
    if len(names) == 1 and all(isinstance(raw.static[names[0]], str) for raw in everything):
        name = names[0]
        classes = tuple(sorted({str(raw.static[name]) for raw in everything}))
        counts = Counter(str(raw.static[name]) for raw in trained)
        facts |= {"frequencies": tuple(counts[value] for value in classes), "class_name": name}
        return classes, ()
    numbers: dict[str, tuple[float, float]] = {}
    words: dict[str, tuple[str, ...]] = {}
    fixed_decimals: dict[str, int] = {}
    for name in names:
        values = [raw.static[name] for raw in everything]
        if all(isinstance(value, float | int) for value in values):
            given = np.array(values, np.float64)
            numbers[name] = float(given.mean()), float(given.std() or 1.0)
            fixed_decimals[name] = decimals_of(given)
        else:
            words[name] = tuple(sorted({str(value) for value in values}))
    facts |= {"numbers": numbers, "words": words, "static_decimals": fixed_decimals}
    return (), (*numbers, *(f"{name}={value}" for name, values in words.items() for value in values))


def _dataset(name: str, codec: SeriesCodec, raws: Sequence[Series], facts: dict[str, Any]) -> Dataset:
    packed = [codec.pack(raw) for raw in raws]
    arrays = {key: np.stack([one[key] for one in packed]) for key in packed[0]}
    mark = fingerprint(arrays, described(codec))
    return Dataset(name=name, codec=codec, arrays=arrays, fingerprint=mark, facts=facts)
