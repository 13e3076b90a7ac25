"""From series of a source to a data set: cut into windows, held out by stretches of time, scaled by what is trained on."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float

from gansmith.data.dataset import SHUFFLED, Dataset, choose
from gansmith.data.fingerprint import described, fingerprint, identity
from gansmith.data.groups import held_groups
from gansmith.data.windowed import Starts, between, passes, stretches
from gansmith.errors import UserError
from gansmith.kinds.series.codec import SeriesCodec
from gansmith.kinds.series.examples import Cut, Whole
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.returns import heaviness, lighter, quantiles, to_returns
from gansmith.kinds.series.series import Series, decimals_of
from gansmith.kinds.series.source import Sequences
from gansmith.kinds.series.spec import SeriesSpec
from gansmith.kinds.series.spectrum import second_moments
from gansmith.kinds.series.statics import StaticLaw

WINDOW, RETURNS_WINDOW = 24, 128
"""Steps of an example where none are asked for: TimeGAN's, and half a year of trading days."""
WHOLE = 256
"""Many series of at most so many steps are not cut."""
SHARE, STRETCHES = 0.2, 4
"""A fifth is held out; of a single series, in so many stretches."""
ENTITIES_TO_SPLIT = 20
"""So many series need not be cut into windows."""
MIN_HELD = 20
"""Judging needs so many examples; so many whole series are held out where that leaves twice as many to learn from."""
MINIMUM = 2
"""Of fewer examples no scale can be taken."""
SURVEYED = 5000
"""Examples from which the means and the spectrum are taken."""
MOVES = 2**22
"""More returns than so many are surveyed, and not counted one by one."""


def build_series(found: Sequences, wanted: Options, codec: SeriesCodec | None = None, hold_out: bool = True) -> Dataset:
    """The series as a data set, in the geometry of `codec` if one is given (then nothing is held out).

    Raises UserError where there are too few steps, a window is longer than the series, or prices to take returns of are not above 0.
    """
    raws, notes = found.series, list(found.notes)
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
    whole = (
        Cut(raws, _joined(found), Starts.of([len(raw.values) for raw in raws], window + more, wanted.stride))
        if cut
        else Whole(raws)
    )
    trained, held = _parted(whole, wanted.returns) if hold_out and codec is None else (whole, None)
    fewest = MINIMUM if codec is None else 1
    if len(trained) < fewest:
        raise UserError(
            f"{found.name} makes {len(trained)} examples of {window} steps out of {len(raws)} series of up to {longest}, where at least "
            f"{fewest} are needed: give more rows or series, or a shorter --window."
        )
    if held:
        if isinstance(held, Whole) or not (held.shares() * trained.shares()).any():
            notes.append(f"{len(held)} examples of whole series are held out")
        else:
            where = "the last fifth of the time is" if wanted.returns else f"{STRETCHES} stretches of time, a fifth of it, are"
            notes.append(f"{where} held out ({len(held)} windows); windows across a border are left out")
    own = codec or _fitted(found, whole, trained, window, wanted)
    told = described(own) if codec else _as_of_0_1(found, trained, own)
    known: dict[str, Any] = {"notes": tuple(notes)} if notes else {}
    data = _dataset(found.name, own, trained, told, known)
    return replace(data, held_out=_dataset(f"{found.name}-held-out", own, held, told, {}) if held else None)


def _window(longest: int, cut: bool, wanted: Options, codec: SeriesCodec | None) -> int:
    if codec is not None:
        return codec.steps if cut or codec.steps < longest else longest
    if wanted.window is not None:
        return wanted.window
    return min(longest, RETURNS_WINDOW if wanted.returns else WINDOW) if cut else longest


def _check_prices(raws: Sequence[Series], found: Sequences) -> None:
    for index, raw in enumerate(raws):
        seen = 0
        for part in passes(raw.values):
            if (part <= 0).any():
                step, column = np.argwhere(part <= 0)[0]
                raise UserError(
                    f"--returns needs numbers above 0, but {found.columns[column]} is {part[step, column]:g} at step {seen + step} of "
                    f"series {index}: leave --returns or that column out."
                )
            seen += len(part)


def _joined(found: Sequences) -> np.ndarray:
    """All series one after another [steps, columns], without a copy where they lie so."""
    if found.together is not None:
        return found.together.reshape(-1, len(found.columns))
    return found.series[0].values if len(found.series) == 1 else np.concatenate([raw.values for raw in found.series])


def _parted(whole: Whole | Cut, returns: bool) -> tuple[Whole | Cut, Whole | Cut | None]:
    """(examples to train on, examples held out or None): whole series where there are several, else stretches of time.

    Of returns the last fifth of the time is held out; levels drift, so that the future is no fair sample of them: stretches all over
    the time are.
    """
    count = len(whole.series)
    if count >= ENTITIES_TO_SPLIT:
        order = np.random.default_rng(0).permutation(count)
        held = np.isin(np.arange(count), order[: max(count // 5, MIN_HELD if count >= 3 * MIN_HELD else 0)])
        if isinstance(whole, Cut):
            apart = [replace(whole, starts=whole.starts.of_pieces(np.flatnonzero(part))) for part in (~held, held)]
            return apart[0], apart[1]
        apart = [Whole([raw for raw, is_in in zip(whole.series, part, strict=True) if is_in]) for part in (~held, held)]
        return apart[0], apart[1]
    if isinstance(whole, Whole):
        return whole, None
    starts, alive = whole.starts, np.flatnonzero(whole.starts.count)
    if not len(alive):
        return whole, None
    if len(alive) > 1:
        chosen = alive[held_groups(starts.count[alive], SHARE, np.random.Generator(np.random.Philox(key=0)))]
        parts = starts.of_pieces(np.setdiff1d(alive, chosen)), starts.of_pieces(chosen)
    else:
        steps, before = len(whole.series[alive[0]].values), int(starts.first[alive[0]])
        held = stretches(steps, SHARE, 1, Fraction(1)) if returns else stretches(steps, SHARE, STRETCHES)
        both = ([(before + low, before + high) for low, high in part] for part in (between(steps, held), held))
        parts = [starts.within(intervals) for intervals in both]
    enough = len(parts[0]) >= 2 * MIN_HELD and len(parts[1]) >= MIN_HELD
    return (replace(whole, starts=parts[0]), replace(whole, starts=parts[1])) if enough else (whole, None)


def _fitted(found: Sequences, whole: Whole | Cut, trained: Whole | Cut, window: int, wanted: Options) -> SeriesCodec:
    """The codec that scales by the examples to train on; how numbers are written is seen in all."""
    facts: dict[str, Any] = {"columns": found.columns, "calendar": found.calendar, "scale": wanted.scale}
    channels = len(found.columns) * (3 if wanted.scale == "example" else 1)
    chosen = choose(len(trained), SURVEYED, 0)
    if wanted.returns:
        counted = len(trained) * window * len(found.columns) <= MOVES
        moves = np.concatenate([to_returns(prices) for prices in trained.some(np.arange(len(trained)) if counted else chosen)])
        mean, deviation = moves.mean(0), moves.std(0)
        usual = (moves - mean) / np.where(deviation > 0, deviation, 1)
        heavy = np.array([heaviness(column) for column in usual.T])
        largest = (_extremes(to_returns(part) for part in trained.parts()) - mean) / np.where(deviation > 0, deviation, 1)
        facts |= {"heaviness": tuple(heavy.tolist()), "edges": tuple(lighter(np.abs(largest).max(0), heavy).tolist())}
        facts["base"] = tuple(
            float(f"{price:.2g}") for price in np.median([prices[0] for prices in trained.some(chosen)], axis=0)
        )
        low, high = mean - deviation, mean + deviation
    else:
        low, high = _extremes(trained.parts())
    if wanted.scale == "example":
        reach = np.max([np.ptp(values, axis=1).max(0) / 2 for values in trained.blocks()], axis=0)
        facts["reach"] = tuple(np.where(reach > 0, reach, 1.0).tolist())
    facts |= {"low": tuple(low.tolist()), "high": tuple(high.tolist())}
    written = whole.long if isinstance(whole, Cut) else np.concatenate([raw.values for raw in found.series])
    facts |= {
        "decimals": tuple(decimals_of(column) for column in written.T),
        "positive": tuple((np.min([part.min(0) for part in passes(written)], axis=0) >= 0).tolist()),
    }
    below = np.max([part.max(0) for part in passes(written)], axis=0) <= 0
    facts["negative"] = (
        tuple((below & ~np.array(facts["positive"])).tolist()) if (below & ~np.array(facts["positive"])).any() else ()
    )
    lengths = sorted(steps - int(wanted.returns) for steps in trained.lengths())
    if lengths[0] != lengths[-1]:
        spread = np.linspace(0, len(lengths) - 1, min(200, len(lengths))).round().astype(int)
        facts["lengths"] = tuple(lengths[index] for index in spread)
        channels += 1
    classes, attributes = _conditions(found.series, trained, facts)
    codec = SeriesCodec(spec=SeriesSpec(shape=(window, channels), classes=classes, attributes=attributes), **facts)
    surveyed = [Series(values) for values in trained.some(chosen)]
    packed = [replace(codec, spec=replace(codec.spec, classes=(), attributes=())).pack(one) for one in surveyed]
    batch = codec.unpack({key: np.stack([one[key] for one in packed]) for key in packed[0]})
    values = batch["series"].numpy().astype(np.float64)
    means, spectrum = second_moments(values)
    of_returns = quantiles(values.reshape(-1, channels)) if wanted.returns else ()
    codec = replace(codec, spec=replace(codec.spec, means=means, spectrum=spectrum, quantiles=of_returns))
    return replace(codec, statics=_attributes(codec, trained)) if attributes else codec


def _extremes(parts: Iterable[Float[np.ndarray, "n steps columns"]]) -> Float[np.ndarray, "2 columns"]:
    """The smallest and the largest value of each column."""
    found = [(part.min((0, 1)), part.max((0, 1))) for part in parts]
    return np.stack([np.min([low for low, _ in found], axis=0), np.max([high for _, high in found], axis=0)])


def _conditions(
    everything: Sequence[Series], trained: Whole | Cut, facts: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(classes, attributes) of the series; what the codec needs of them is added to `facts`."""
    names = list(everything[0].static)
    if len(names) == 1 and all(isinstance(raw.static[names[0]], str) for raw in everything):
        name = names[0]
        classes = tuple(sorted({str(raw.static[name]) for raw in everything}))
        counts: Counter[str] = Counter()
        for raw, share in zip(trained.series, trained.shares().tolist(), strict=True):
            counts[str(raw.static[name])] += share
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


def _attributes(codec: SeriesCodec, trained: Whole | Cut) -> StaticLaw:
    """How the attributes are distributed over the training examples."""
    rows = np.stack([codec.label_of(raw.static) for raw in trained.series])
    return StaticLaw.of(rows, trained.shares(), len(codec.numbers), [len(values) for values in codec.words.values()])


def _as_of_0_1(found: Sequences, trained: Whole | Cut, codec: SeriesCodec) -> str:
    """The codec's facts as version 0.1 knew them, for fingerprints: it kept rows of attributes and the last prices."""
    facts = identity(codec) | {"statics": ()}
    if codec.heaviness:
        facts["base"] = np.asarray(found.series[0].values[-1], np.float64).tolist()
    if codec.spec.attributes:
        shuffled = np.random.default_rng(0).permutation(len(trained)) if len(trained) <= SHUFFLED else np.arange(1000)
        rows = (codec.label_of(trained.series[owner].static) for owner in trained.owners(shuffled[:1000]))
        facts["statics"] = [[round(float(x), 6) for x in row] for row in rows]
    return json.dumps(facts, sort_keys=True)


def _dataset(name: str, codec: SeriesCodec, examples: Whole | Cut, told: str, facts: dict[str, Any]) -> Dataset:
    arrays = examples.arrays(codec)
    mark = fingerprint(arrays, told)
    return Dataset(name=name, codec=codec, arrays=arrays, fingerprint=mark, groups=examples.groups, facts=facts)
