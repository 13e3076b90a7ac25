"""Points in the plane, or in any number of dimensions: the smallest data on which a GAN shows its manners."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.kinds.points.preview import scatter

_MARGIN = 0.15
"""Room in a plot around the data, as a share of its range."""


@dataclass(frozen=True)
class Codec:
    """Points [D] as float32 in their own coordinates when packed, standardised when unpacked: (point - centre) / scale."""

    spec: Spec
    columns: tuple[str, ...]
    centre: tuple[float, ...]
    """The mean of each coordinate."""
    scale: tuple[float, ...]
    """The standard deviation of each coordinate, 1 where it is constant."""
    low: tuple[float, ...]
    high: tuple[float, ...]
    """What the axes of a plot show."""

    @classmethod
    def fit(cls, points: Float[np.ndarray, "n d"], columns: Sequence[str]) -> "Codec":
        """The codec of these points. Axes of similar range are plotted to the same scale, so that a circle looks like one."""
        points = points.astype(np.float64)
        deviation = points.std(0)
        low, high = points.min(0), points.max(0)
        middle, half = (low + high) / 2, (high - low) / 2
        half[half == 0] = 0.5
        if half.max() < 3 * half.min():
            half[:] = half.max()
        return cls(
            spec=Spec(kind="points", key="point", shape=points.shape[1:]),
            columns=tuple(columns),
            centre=tuple(points.mean(0).tolist()),
            scale=tuple(np.where(deviation > 0, deviation, 1.0).tolist()),
            low=tuple((middle - (1 + _MARGIN) * half).tolist()),
            high=tuple((middle + (1 + _MARGIN) * half).tolist()),
        )

    @property
    def previewed(self) -> int:
        return 2000

    def pack(self, raw: Float[np.ndarray, " d"]) -> dict[str, np.ndarray]:
        return {"point": np.asarray(raw, np.float32)}

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        point = (packed["point"].astype(np.float64) - self.centre) / self.scale
        return {"point": torch.from_numpy(point.astype(np.float32))}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        point = batch["point"].detach().cpu().double().numpy() * self.scale + self.centre
        return {"point": point.astype(np.float32)}

    def encode(self, raw: Float[np.ndarray, " d"]) -> Batch:
        return self.unpack({"point": self.pack(raw)["point"][None]})

    def decode(self, batch: Batch) -> list[np.ndarray]:
        return list(self.repack(batch)["point"])

    def conditions(self, n: int, rng: torch.Generator, **wish: str) -> Batch:
        """Nothing: points have no classes, and to wish for one is a UserError."""
        for key, value in wish.items():
            raise UserError(f"these points have no classes, so {key}={value} cannot be wished: leave it out.")
        return {}

    def save(self, raws: Sequence[np.ndarray], folder: Path) -> list[Path]:
        """All points as points.csv and points.npy; points-1.csv and so on beside earlier ones, so that none is overwritten."""
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while any((folder / f"points{f'-{number}' if number else ''}.{kind}").exists() for kind in ("csv", "npy")):
            number += 1
        stem = f"points-{number}" if number else "points"
        points = np.stack(raws)
        paths = [folder / f"{stem}.csv", folder / f"{stem}.npy"]
        np.savetxt(paths[0], points, fmt="%.9g", delimiter=",", header=",".join(self.columns), comments="")
        np.save(paths[1], points)
        return paths

    def preview(self, raws: Sequence[np.ndarray]) -> Image.Image:
        """A scatter plot of the first two coordinates (a single one against its rank) on axes fixed by the data."""
        points, low, high = np.stack(raws).astype(np.float64), self.low, self.high
        if points.shape[1] == 1:
            rank = points[:, 0].argsort().argsort() / len(points)
            points, low, high = np.stack([points[:, 0], rank], 1), (*low, 0.0), (*high, 1.0)
        return scatter(points[:, :2], low[:2], high[:2])

    def sketch(self, batch: Batch) -> Float[Tensor, "batch d"]:
        """The standardised points themselves."""
        return batch["point"]

    def to_json(self) -> dict[str, Any]:
        facts = {key: list(value) for key, value in asdict(self).items() if key != "spec"}
        return {"spec": self.spec.to_json(), **facts}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Codec":
        numbers = {key: tuple(value) for key, value in facts.items() if key != "spec"}
        return cls(spec=Spec.from_json(facts["spec"]), **numbers)
