"""Points in the plane, or in any number of dimensions: the smallest data on which a GAN shows its manners."""

import io
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
from gansmith.data.outputs import whole
from gansmith.data.spreadsheets import Writer
from gansmith.errors import UserError
from gansmith.kinds.points.preview import scatter
from gansmith.kinds.points.spec import PointSpec

_MARGIN = 0.15
"""Room in a plot around the data, as a share of its range."""


@dataclass(frozen=True)
class PointCodec:
    """Points [D] as float32 in their own coordinates when packed, standardised when unpacked: (point - centre) / scale."""

    suffixes = (".csv", ".npy", ".npz", ".png")
    spec: PointSpec
    columns: tuple[str, ...]
    centre: tuple[float, ...]
    """The mean of each coordinate."""
    scale: tuple[float, ...]
    """The standard deviation of each coordinate, 1 where it is constant."""
    low: tuple[float, ...]
    high: tuple[float, ...]
    """What the axes of a plot show."""

    @classmethod
    def fit(cls, points: Float[np.ndarray, "n d"], columns: Sequence[str]) -> "PointCodec":
        """The codec of these points. Axes of similar range are plotted to the same scale, so that a circle looks like one."""
        points = points.astype(np.float64)
        deviation = points.std(0)
        low, high = points.min(0), points.max(0)
        middle, half = (low + high) / 2, (high - low) / 2
        half[half == 0] = 0.5
        if half.max() < 3 * half.min():
            half[:] = half.max()
        return cls(
            spec=PointSpec(shape=points.shape[1:]),
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

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Nothing. Raises UserError if a class is requested."""
        for key, value in where.items():
            raise UserError(f"points have no classes: remove {key}={value}.")
        return {}

    def save(self, raws: Sequence[np.ndarray], folder: Path) -> list[Path]:
        """All points as points.csv and points.npy; points-1.csv and so on beside earlier ones, so that none is overwritten."""
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while any((folder / f"points{f'-{number}' if number else ''}.{suffix}").exists() for suffix in ("csv", "npy")):
            number += 1
        stem = f"points-{number}" if number else "points"
        paths = [folder / f"{stem}.csv", folder / f"{stem}.npy"]
        for path in paths:
            with whole(path) as part:
                self.write(raws, part)
        return paths

    def write(self, raws: Sequence[np.ndarray], path: Path) -> None:
        """All points as .csv, .npy or .npz, or plotted as .png."""
        points = np.stack(raws)
        if path.suffix == ".png":
            self.preview(raws).save(path)
        elif path.suffix == ".csv":
            path.write_text(self.text(raws), encoding="utf-8")
        elif path.suffix == ".npy":
            np.save(path, points)
        else:
            np.savez(path, point=points)

    def text(self, raws: Sequence[np.ndarray]) -> str:
        """All points as CSV."""
        lines = io.StringIO()
        Writer(lines, lineterminator="\n").writerow(self.columns)
        np.savetxt(lines, np.stack(raws), fmt="%.9g", delimiter=",")
        return lines.getvalue()

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

    def fault(self) -> str | None:
        sizes = {len(numbers) for numbers in (self.columns, self.centre, self.scale, self.low, self.high)}
        if sizes != {self.spec.shape[0]}:
            return f"has {self.spec.shape[0]} dimensions, but as many as {sorted(sizes)} names and numbers"
        if any(low >= high for low, high in zip(self.low, self.high, strict=True)):
            return "shows points from low to high where low is not below high"
        return None

    def to_json(self) -> dict[str, Any]:
        facts = {key: list(value) for key, value in asdict(self).items() if key != "spec"}
        return {"spec": self.spec.to_json(), **facts}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "PointCodec":
        numbers = {key: tuple(value) for key, value in facts.items() if key != "spec"}
        return cls(spec=PointSpec.from_json(facts["spec"]), **numbers)
