"""Time series: several numbers at every step, of one length or of many, with or without dates, classes and static attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.readers.limits import check
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.data.values import POSITIVE
from gansmith.errors import UserError
from gansmith.kinds.series.calendar import Calendar
from gansmith.kinds.series.files import csv_of, write_npz, write_series
from gansmith.kinds.series.preview import lines
from gansmith.kinds.series.returns import FAR, from_returns, heavier, lighter
from gansmith.kinds.series.series import UNROUNDED, Series, fits_float32
from gansmith.kinds.series.spec import SeriesSpec
from gansmith.kinds.series.statics import StaticLaw


@dataclass(frozen=True)
class SeriesCodec:
    """Series as float32 [T, D] in units of the source when packed, near [-1, 1] when unpacked, with their true length beside them.

    A batch's "series" [B, T, C] has further channels behind the D columns where they are needed, so that every GAN learns them as
    it learns the columns: with scale "example" the middle and half range of every column (constant in time), and for lengths that
    differ one channel that is 1 while the series lasts and -1 after. With `returns`, prices are packed as log returns; their heavy
    tails are taken away (see `gansmith.kinds.series.returns`) before they are standardised.
    """

    suffixes = (".csv", ".npz", ".png")
    spec: SeriesSpec
    columns: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    """The range of each column (of returns: mean minus and plus one standard deviation), which becomes [-1, 1]."""
    heaviness: tuple[float, ...] = ()
    """Of each column's returns; empty without returns."""
    edges: tuple[float, ...] = ()
    """The largest size of each column's returns without their heavy tails; empty without returns."""
    base: tuple[float, ...] = ()
    """Where generated prices begin: about the median of the data; empty without returns."""
    scale: str = "feature"
    reach: tuple[float, ...] = ()
    """With scale "example": the largest half range of each column."""
    lengths: tuple[int, ...] = ()
    """The lengths in the data, or a spread of at most 200 of them; empty if all are the same."""
    decimals: tuple[int, ...] = ()
    """With how many decimals each column is written; empty, and 7 of one, is not rounded."""
    positive: tuple[bool, ...] = ()
    """Which columns are never below 0 in the data, nor in what is generated; empty if none."""
    negative: tuple[bool, ...] = ()
    """Which columns are never above 0; empty if none."""
    calendar: Calendar | None = None
    class_name: str = "class"
    """The attribute that is the class, where there are classes."""
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """(mean, deviation) of each numeric static attribute."""
    static_decimals: Mapping[str, int] = field(default_factory=dict)
    """With how many decimals each of them is written."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The values of each static attribute in words, where there are several attributes."""
    frequencies: tuple[int, ...] = ()
    """How many series each class has."""
    statics: StaticLaw | None = None
    """How encoded attributes are distributed, where there are any."""

    @property
    def previewed(self) -> int:
        return 24

    @property
    def steps(self) -> int:
        return self.spec.shape[0]

    @cached_property
    def packed_type(self) -> type[np.floating]:
        """float32, or float64 where columns lie so far from 0 that their steps would be lost."""
        return np.float32 if self.heaviness or fits_float32(np.array(self.low), np.array(self.high)) else np.float64

    # ---- packed and unpacked ---------------------------------------------------------------------------------------------------

    def pack(self, raw: Series) -> dict[str, np.ndarray]:
        values = np.asarray(raw.values, np.float64)
        packed: dict[str, np.ndarray] = {}
        if self.heaviness:
            from gansmith.kinds.series.returns import to_returns

            packed["base"] = values[0]
            values = to_returns(values)
        kept = np.empty((self.steps, len(self.columns)), self.packed_type)
        kept[: len(values)] = values[: self.steps]
        kept[len(values) :] = values[-1]  # held: a constant is the easiest to learn
        packed["series"] = kept
        if self.lengths:
            packed["length"] = np.array(min(len(values), self.steps), np.int64)
        if self.spec.conditions:
            packed["label"] = self.label_of(raw.static)
        return packed

    def label_of(self, static: Mapping[str, str | float]) -> np.ndarray:
        """Static attributes as the GAN gets them: a class, or one number for each of `spec.attributes`."""
        if self.spec.classes:
            name = str(static.get(self.class_name))
            if name not in self.spec.classes:
                known = listed(self.spec.classes, 20)
                raise UserError(
                    f'there is no {self.class_name} "{name}"{did_you_mean(name, self.spec.classes)}: the classes are {known}.'
                )
            return np.array(self.spec.classes.index(name), np.int64)
        found = []
        for name, (mean, deviation) in self.numbers.items():
            found.append((float(static[name]) - mean) / deviation)
        for name, values in self.words.items():
            if str(static[name]) not in values:
                raise UserError(
                    f'{name} is never "{static[name]}"{did_you_mean(str(static[name]), values)}: it is one of {listed(values, 20)}.'
                )
            found += [float(str(static[name]) == value) for value in values]
        return np.array(found, np.float32)

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        values = packed["series"].astype(np.float64)
        middle, half = self._middle_and_half()
        if self.heaviness:
            values = lighter((values - middle) / half, np.array(self.heaviness), self._edges())
        elif self.scale == "example":
            own_low, own_high = values.min(1, keepdims=True), values.max(1, keepdims=True)
            own_half = np.maximum((own_high - own_low) / 2, 1e-9 * half)
            own_middle = (own_high + own_low) / 2
            shown = ((own_middle - middle) / half, 2 * own_half / np.array(self.reach) - 1)
            values = (values - own_middle) / own_half
            values = np.concatenate([values, *(np.broadcast_to(extra, values.shape) for extra in shown)], axis=2)
        else:
            values = (values - middle) / half
        if self.lengths:
            alive = np.arange(values.shape[1]) < packed["length"][:, None]
            values = np.concatenate([values, np.where(alive, 1.0, -1.0)[:, :, None]], axis=2)
        batch = {"series": torch.from_numpy(values.astype(np.float32))}
        if "label" in packed:
            kind = np.int64 if self.spec.classes else np.float32
            batch["label"] = torch.from_numpy(np.array(packed["label"], kind))
        return batch

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        given = batch["series"].detach().cpu().double().numpy()
        middle, half = self._middle_and_half()
        count = len(self.columns)
        values, extra = given[:, :, :count], given[:, :, count:]
        if self.heaviness:
            values = heavier(values, np.array(self.heaviness), self._edges()) * half + middle
        elif self.scale == "example":
            own_middle, own_half = (part.mean(1, keepdims=True) for part in np.split(extra[:, :, : 2 * count], 2, axis=2))
            values = values * np.maximum(own_half + 1, 0) / 2 * np.array(self.reach) + own_middle * half + middle
        else:
            values = values * half + middle
        if not self.heaviness:
            values = np.where(np.array(self.low) == np.array(self.high), middle, values)  # what never changes is known
            values = self._as_written(values)
        packed = {"series": values.astype(self.packed_type)}
        if self.lengths:
            ended = extra[:, :, -1] < 0
            packed["length"] = np.where(ended.any(1), np.maximum(ended.argmax(1), 1), ended.shape[1]).astype(np.int64)
        if "label" in batch:
            packed["label"] = batch["label"].detach().cpu().numpy().astype(np.int64 if self.spec.classes else np.float32)
        return packed

    def _middle_and_half(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.array(self.low), np.array(self.high)
        return (low + high) / 2, np.where(high > low, (high - low) / 2, 1.0)

    def _as_written(self, values: Float[np.ndarray, "*batch columns"]) -> Float[np.ndarray, "*batch columns"]:
        """Not below 0 where the data never are, and rounded as they are."""
        if self.positive:
            values = np.where(np.array(self.positive), np.maximum(values, 0), values)
        if self.negative:
            values = np.where(np.array(self.negative), np.minimum(values, 0), values)
        for place, decimals in enumerate(self.decimals):
            if decimals < UNROUNDED:
                values[..., place] = np.round(values[..., place], decimals)
        return values

    def _edges(self) -> np.ndarray:
        return np.array(self.edges or (FAR,) * len(self.columns))

    def encode(self, raw: Series) -> Batch:
        return self.unpack({key: np.asarray(array)[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Series]:
        packed = self.repack(batch)
        found = []
        for index, values in enumerate(packed["series"].astype(np.float64)):
            values = values[: packed["length"][index]] if "length" in packed else values
            if self.heaviness:
                values = from_returns(values, np.array(self.base))
            values = self._as_written(values)
            found.append(Series(values, self._static(packed["label"][index]) if "label" in packed else {}))
        return found

    def _static(self, label: np.ndarray) -> dict[str, str | float]:
        if self.spec.classes:
            return {self.class_name: self.spec.classes[int(label)]}
        found: dict[str, str | float] = {}
        for place, (name, (mean, deviation)) in enumerate(self.numbers.items()):
            found[name] = round(float(label[place]) * deviation + mean, self.static_decimals.get(name, UNROUNDED))
        place = len(self.numbers)
        for name, values in self.words.items():
            found[name] = values[int(label[place : place + len(values)].argmax())]
            place += len(values)
        return found

    # ---- what to generate ------------------------------------------------------------------------------------------------------

    def askable(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [] if self.lengths else [{"name": "length", "whole": self.spec.shape[0]}]
        if self.spec.classes:
            return [*found, {"name": self.class_name, "choices": list(self.spec.classes)}]
        words = [{"name": name, "choices": list(values)} for name, values in self.words.items()]
        return [*found, *words, *({"name": name} for name in self.numbers)]

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Labels as frequent as in the data, or as requested (class="a", region="north"); "steps" [n] if a length is requested.

        Raises UserError for an unknown name or value.
        """
        requests = dict(where)
        found: dict[str, Tensor] = {}
        if (steps := requests.pop("length", None)) is not None:
            steps = POSITIVE.read("--length", str(steps))
            check("array_bytes", 8 * n * steps * self.spec.shape[-1], f"--length {steps:,}, of {n:,} examples,", "bytes")
            if self.lengths:
                raise UserError("these series have lengths of their own, which the model chooses: leave --length out.")
            found["steps"] = torch.full((n,), steps)
        if self.spec.classes and "class" in requests:
            requests[self.class_name] = requests.pop("class")
        known = [self.class_name] if self.spec.classes else [*self.numbers, *self.words]
        for key in requests:
            if key not in known:
                what = f"what can be is {listed(known, 20)}" if known else "these series have no classes or attributes"
                raise UserError(f'"{key}" cannot be requested{did_you_mean(key, known)}: {what}, besides length.')
        if self.spec.classes:
            shares = torch.tensor(self.frequencies, dtype=torch.float32)
            label = torch.multinomial(shares, n, replacement=True, generator=rng)
            found["label"] = torch.full((n,), int(self.label_of(requests))) if requests else label
        elif self.spec.attributes:
            assert self.statics is not None
            found["label"] = torch.from_numpy(self.statics.draw(n, rng))
            if requests:
                found["label"] = torch.stack([self._requested(row.numpy(), requests) for row in found["label"]])
        return found

    def _requested(self, row: np.ndarray, requests: Mapping[str, str]) -> Tensor:
        static = self._static(row)
        for key, value in requests.items():
            try:
                static[key] = float(value) if key in self.numbers else value
            except ValueError as error:
                raise UserError(f"{key} is a number, but {value!r} was requested.") from error
        return torch.from_numpy(self.label_of(static))

    # ---- what is shown and kept ------------------------------------------------------------------------------------------------

    def save(self, raws: Sequence[Series], folder: Path) -> list[Path]:
        """All series as series.csv (one row a step, with dates if the data had some) and series.npz; numbered on, none overwritten."""
        return write_series(raws, folder, self.columns, self.calendar)

    def write(self, raws: Sequence[Series], path: Path) -> None:
        """All series as .csv (one row a step) or .npz, or plotted as .png."""
        if path.suffix == ".png":
            self.preview(raws).save(path)
        elif path.suffix == ".npz":
            write_npz(raws, path, self.columns)
        else:
            path.write_text(self.text(raws), encoding="utf-8", newline="")

    def text(self, raws: Sequence[Series]) -> str:
        """All series as CSV, one row a step."""
        return csv_of(raws, self.columns, self.calendar)

    def preview(self, raws: Sequence[Series]) -> Image.Image:
        """Small line plots, a line for each column in a colour of its own, each column in its range in the data."""
        if self.heaviness:
            return lines([np.log(raw.values / raw.values[0]) for raw in raws], None)
        return lines([raw.values for raw in raws], (np.array(self.low), np.array(self.high)))

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """At most 16 points in time of every channel, each the mean of its stretch."""
        series = batch["series"].transpose(1, 2)
        return torch.nn.functional.adaptive_avg_pool1d(series, min(16, self.steps)).flatten(1)

    def fault(self) -> str | None:
        columns, channels = len(self.columns), self.spec.shape[1]
        if channels != columns * (3 if self.scale == "example" else 1) + bool(self.lengths):
            return f"has {columns} columns, which do not make {channels} channels"
        for name in ("low", "high", "heaviness", "edges", "base", "reach", "decimals", "positive", "negative"):
            if len(getattr(self, name)) not in ((columns,) if name in ("low", "high") else (0, columns)):
                return f"has {columns} columns, but {len(getattr(self, name))} of {name}"
        if (self.spec.means or self.spec.spectrum) and len(self.spec.means) != channels:
            return f"has {channels} channels, but means of {len(self.spec.means)}"
        if len(self.spec.spectrum) % channels**2:
            return f"has {channels} channels, but a spectrum of {len(self.spec.spectrum)} numbers"
        if len(self.frequencies) not in (0, len(self.spec.classes)):
            return f"has {len(self.spec.classes)} classes, but frequencies of {len(self.frequencies)}"
        sizes = (*(0 for _ in self.numbers), *map(len, self.words.values()))
        if len(self.spec.attributes) != sum(max(1, size) for size in sizes):
            return f"has {len(self.spec.attributes)} attributes, which its numbers and words do not make"
        return (self.statics.fault(sizes) if self.statics else "knows no distribution of its attributes") if sizes else None

    def to_json(self) -> dict[str, Any]:
        facts = {**asdict(self), "spec": self.spec.to_json(), "calendar": self.calendar and self.calendar.to_json()}
        if not self.negative:  # younger than other facts: older files stay as they are
            del facts["negative"]
        return facts

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "SeriesCodec":
        """Version 0.1 kept rows of attributes: what is taken from them is their distribution."""
        known = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
        statics = facts["statics"]
        if isinstance(statics, list):
            sizes = [len(values) for values in facts["words"].values()]
            statics = (
                StaticLaw.of(np.array(statics), np.ones(len(statics), int), len(facts["numbers"]), sizes) if statics else None
            )
        else:
            statics = statics and StaticLaw.from_json(statics)
        return cls(
            **{
                **known,
                "spec": SeriesSpec.from_json(facts["spec"]),
                "calendar": Calendar(**facts["calendar"]) if facts["calendar"] else None,
                "numbers": {name: tuple(pair) for name, pair in facts["numbers"].items()},
                "words": {name: tuple(values) for name, values in facts["words"].items()},
                "statics": statics,
            }
        )
