"""Pairs: a codec of two codecs, for games that make one side from the other. Any kind of data can be either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch, Checked
from gansmith.data.schema import check
from gansmith.data.spec import Spec
from gansmith.errors import UserError

_SIDES = ("a", "b", "target")


@dataclass(frozen=True)
class Pair:
    """Two raw examples: the source, the example made from it, and for a generated one the real partner of the source, if known."""

    a: Any
    b: Any
    target: Any = None


@dataclass(frozen=True)
class PairedCodec:
    """Both sides as their own codecs pack and unpack them, under "a" (the source) and "b" (the example).

    What else a side's codec has keeps its name behind that of the side: "a.length". Generated examples carry "target" besides, the real
    "b" of their "a", if the two sides belong together.
    """

    spec: Spec
    a: Any
    b: Any

    @classmethod
    def of(cls, a: Any, b: Any, aligned: bool) -> Self:
        """The codec of pairs of these two codecs; `aligned` says whether the partners belong together."""
        return cls(replace(b.spec, key="b", classes=(), attributes=(), source=a.spec, aligned=aligned), a, b)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return self.b.suffixes

    @property
    def previewed(self) -> int:
        return 16

    def pack(self, raw: Pair) -> dict[str, np.ndarray]:
        sides = {"a": raw.a, "b": raw.b, **({"target": raw.target} if raw.target is not None else {})}
        return _joined({side: self._codec(side).pack(own) for side, own in sides.items()}, self._keys)

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        parts = _parted(packed, self._keys)
        return _joined({side: self._codec(side).unpack(own) for side, own in parts.items()}, self._keys)

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        parts = _parted(batch, self._keys)
        return _joined({side: self._codec(side).repack(own) for side, own in parts.items()}, self._keys)

    def encode(self, raw: Pair) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Pair]:
        sides = {side: self._codec(side).decode(own) for side, own in _parted(batch, self._keys).items()}
        return [Pair(**{side: raws[i] for side, raws in sides.items()}) for i in range(len(batch["b"]))]

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Nothing but the sources: pairs have no classes. Raises UserError if one is requested."""
        for key, value in where.items():
            raise UserError(f"pairs have no classes: remove {key}={value}.")
        return {}

    def source(self, batch: Batch) -> Batch:
        """The "a" of real examples, and "target" if the two sides belong together."""
        own = {key: value for key, value in batch.items() if key == "a" or key.startswith("a.")}
        return {**own, **({"target": batch["b"]} if self.spec.aligned else {})}

    def save(self, raws: Sequence[Pair], folder: Path) -> list[Path]:
        """The made side, as its own codec saves it."""
        return self.b.save([raw.b for raw in raws], folder)

    def write(self, raws: Sequence[Pair], path: Path) -> None:
        """The made side, as its own codec writes it."""
        self.b.write([raw.b for raw in raws], path)

    def preview(self, raws: Sequence[Pair]) -> Image.Image:
        """Rows of source, made and, if known, real."""
        rows = [
            [
                self.a.preview([raw.a]),
                self.b.preview([raw.b]),
                *([self.b.preview([raw.target])] if raw.target is not None else []),
            ]
            for raw in raws
        ]
        height = max(picture.height for row in rows for picture in row)
        width = max(sum(picture.width for picture in row) for row in rows)
        sheet = Image.new("RGB", (width, height * len(rows)), "white")
        for place, row in enumerate(rows):
            left = 0
            for picture in row:
                sheet.paste(picture.convert("RGB"), (left, place * height))
                left += picture.width
        return sheet

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """The features of the made side."""
        return self.b.sketch({self.b.spec.key: batch["b"]})

    def fault(self) -> str | None:
        if self.spec.key != "b":
            return f"makes {self.spec.key!r:.40}, where pairs make b"
        if (self.a.spec.shape, self.b.spec.shape) != (self.spec.source_shape, self.spec.shape):
            return "has sides of other shapes than its spec says"
        for name, side in (("a", self.a), ("b", self.b)):
            check(side, type(side), f"codec.{name}")
            if isinstance(side, Checked) and (fault := side.fault()):
                return f"{fault}, on its side {name}"
        return None

    def to_json(self) -> dict[str, Any]:
        return {"spec": self.spec.to_json(), "a": self.a.to_json(), "b": self.b.to_json()}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        from gansmith.kinds import load_codec, load_spec

        return cls(load_spec(facts["spec"]), load_codec(facts["a"]), load_codec(facts["b"]))

    @property
    def _keys(self) -> dict[str, str]:
        """The key under which each side's own codec holds its examples."""
        return {side: self._codec(side).spec.key for side in _SIDES}

    def _codec(self, side: str) -> Any:
        return self.a if side == "a" else self.b


def _joined(sides: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str]) -> dict[str, Any]:
    return {side if name == keys[side] else f"{side}.{name}": own for side, part in sides.items() for name, own in part.items()}


def _parted(joined: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, own in joined.items():
        side, _, rest = name.partition(".")
        if side in keys:
            found.setdefault(side, {})[rest or keys[side]] = own
    return {side: part for side, part in found.items() if keys[side] in part}
