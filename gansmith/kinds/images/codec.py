"""Images of any height, width, depth and number of channels, with or without classes or attributes."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from gansmith.data.attributes import Attributes, label_of, misfit, repacked, unpacked
from gansmith.data.codec import Batch
from gansmith.data.origin import KEY, mark
from gansmith.data.outputs import whole
from gansmith.data.spreadsheets import add_to_table, check_table
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import MODES, Opened, Stack, as_image
from gansmith.kinds.images.mosaic import mosaic
from gansmith.kinds.images.resize import check_crop, fitted
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.images.values import BYTES, TYPES, Levels

ATTRIBUTES_FILE, LABELS_FILE = "attributes.csv", "labels.csv"
"""Where the attributes of saved pictures are written, and read from again."""


@dataclass(frozen=True)
class Picture:
    """One image and what is known of it."""

    image: Image.Image
    """What is shown; of images with more than bytes or other channels than gray, RGB and RGBA a rendering of `values`."""
    label: str | None = None
    """The name of its class, if the data has classes."""
    attributes: Mapping[str, float] | None = None
    """Its numbers by name, if the data has attributes."""
    values: np.ndarray | None = field(default=None, compare=False)
    """The exact numbers [C, H, W] where `image` cannot hold them."""

    def _repr_png_(self) -> bytes:
        """What notebooks show."""
        content = io.BytesIO()
        self.image.save(content, "PNG")
        return content.getvalue()


@dataclass(frozen=True)
class ImageCodec:
    """Pictures as numbers [C, H, W] of the data's own type when packed and as float32 in [-1, 1] when unpacked.

    "label" is the class or the attributes. Packing resizes and converts (see `gansmith.kinds.images.resize`); unpacking and repacking are
    exact inverses (for floating point numbers to 1e-7 of their range).
    """

    suffixes = (".png", ".npz", ".zip")
    spec: ImageSpec
    crop: str = "center"
    """How pictures of other proportions are fitted: center, fit or pad."""
    frequencies: tuple[int, ...] = ()
    """How many examples of the data each class has."""
    levels: Levels = BYTES
    """The type and range of the numbers."""
    attributes: Attributes | None = None
    """What is known of the attributes, if the data has any."""

    def __post_init__(self) -> None:
        check_crop(self.crop)

    @property
    def previewed(self) -> int:
        return 64

    def pixels(self, image: Opened) -> np.ndarray:
        """The image as numbers [C, H, W] of the codec's shape and type; raises what Pillow raises on damaged files."""
        channels, height, width = self.spec.shape
        return fitted(image, (channels, height, width), self.crop, self.levels)

    def pack(self, raw: Picture) -> dict[str, np.ndarray]:
        packed = {"image": self.pixels(raw.image if raw.values is None else Stack(raw.values))}
        if self.spec.classes:
            if raw.label is None:
                raise UserError(
                    "the data has classes, but this picture has none: give every picture a label, or train without labels."
                )
            packed["label"] = np.array(self._class(raw.label), np.int64)
        if self.attributes:
            if raw.attributes is None or not set(raw.attributes) >= set(self.attributes.names):
                raise UserError(
                    f"the data has the attributes {listed(self.attributes.names)}, of which this picture lacks some: give it all, or "
                    "train without labels."
                )
            packed["label"] = np.array([raw.attributes[name] for name in self.attributes.names], np.float32)
        return packed

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        batch = {"image": torch.from_numpy(np.ascontiguousarray(self.levels.unpack(packed["image"])))}
        if "label" in packed:
            batch["label"] = unpacked(packed["label"], self.attributes)
        return batch

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        packed = {"image": self.levels.repack(batch["image"])}
        if "label" in batch:
            packed["label"] = repacked(batch["label"], self.attributes)
        return packed

    def encode(self, raw: Picture) -> Batch:
        return self.unpack({key: array[None] for key, array in self.pack(raw).items()})

    def decode(self, batch: Batch) -> list[Picture]:
        packed = self.repack(batch)
        plain = not self.levels.deep and self.spec.shape[0] in MODES
        labels = packed.get("label", [None] * len(packed["image"]))
        return [
            Picture(
                as_image(self.levels.shown(pixels)),
                *label_of(label, self.attributes, self.spec.classes),
                None if plain else pixels,
            )
            for pixels, label in zip(packed["image"], labels, strict=True)
        ]

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        """Labels [n] as frequent as in the data, or all of the requested class (`class="7"`); attributes [n, K] likewise, each of which
        can be set (`smiling="1"`); nothing without either.

        Raises UserError if there is no such class or attribute, or if something else is asked for.
        """
        if self.attributes:
            return {"label": self.attributes.draw(n, rng, where)}
        for key in where:
            if not self.spec.classes:
                raise UserError(
                    f"this model was trained without classes, so {key}={where[key]} cannot be asked for: leave it out."
                )
            if key != "class":
                raise UserError(
                    f'"{key}" cannot be asked for{did_you_mean(key, ["class"])}: what can be is class={self.spec.classes[0]}.'
                )
        if not self.spec.classes:
            return {}
        if "class" in where:
            return {"label": torch.full((n,), self._class(str(where["class"])), device=rng.device)}
        shares = torch.tensor(self.frequencies or [1] * len(self.spec.classes), dtype=torch.float32, device=rng.device)
        return {"label": torch.multinomial(shares, n, replacement=True, generator=rng)}

    def save(self, raws: Sequence[Picture], folder: Path) -> list[Path]:
        """Files `000000-<class>.png`, numbered on from those that are already there, so that none is overwritten.

        Bytes and gray of 16 bits become PNG, gray floating point numbers TIFF, everything else .npy [C, H, W]: each is read back as
        it was. Classes are added to labels.csv, attributes to attributes.csv, so that they are read back too. Raises UserError if that
        table exists and has other columns.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if self.attributes:
            table, names = ATTRIBUTES_FILE, self.attributes.names
            rows = [[f"{(raw.attributes or {})[name]:.7g}" for name in names] for raw in raws]
        elif self.spec.classes and all(raw.label is not None for raw in raws):
            table, names, rows = LABELS_FILE, ["class"], [[str(raw.label)] for raw in raws]
        else:
            table, names, rows = None, [], []
        if table:
            check_table(folder / table, ["file", *names])
        numbers = [int(match[1]) for path in folder.iterdir() if (match := re.match(r"(\d{6,})[-.]", path.name))]
        paths = []
        for number, raw in enumerate(raws, start=max(numbers, default=-1) + 1):
            suffix = "" if raw.label is None else "-" + re.sub(r"[^\w.+-]", "_", raw.label)
            paths.append(_written(raw, folder / f"{number:06d}{suffix}"))
        if table:
            add_to_table(folder / table, ["file", *names], ([path.name, *row] for path, row in zip(paths, rows, strict=True)))
        return paths

    def write(self, raws: Sequence[Picture], path: Path) -> None:
        """One .png of all, a .zip of what `save` writes, or an .npz of arrays with labels."""
        if path.suffix == ".png":
            self.preview(raws).save(path, **marked(path))
        elif path.suffix == ".zip":
            with TemporaryDirectory() as folder, ZipFile(path, "w") as archive:
                self.save(raws, Path(folder))
                for file in sorted(Path(folder).iterdir()):
                    archive.write(file, file.name)
        else:
            np.savez(path, **self._named([self.pack(raw) for raw in raws]))  # pyright: ignore[reportArgumentType], NumPy's stubs want allow_pickle alone

    def _named(self, packed: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Arrays of packed examples under the names by which they are read again."""
        arrays = {key: np.stack([one[key] for one in packed]) for key in packed[0]}
        if self.attributes:
            return {"image": arrays["image"], "attributes": arrays["label"], "attribute_names": np.array(self.spec.attributes)}
        return {**arrays, "classes": np.array(self.spec.classes)} if self.spec.classes else arrays

    def preview(self, raws: Sequence[Picture]) -> Image.Image:
        return mosaic([raw.image for raw in raws])

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        """The image averaged down to at most 8 x 8 cells."""
        image = batch["image"]
        return adaptive_avg_pool2d(image, (min(8, image.shape[2]), min(8, image.shape[3]))).flatten(1)

    def fault(self) -> str | None:
        if self.spec.key != "image":
            return f"makes {self.spec.key!r:.40}, where images are made"
        if len(self.frequencies) not in (0, len(self.spec.classes)):
            return f"has {len(self.spec.classes)} classes, but frequencies of {len(self.frequencies)}"
        if not self.levels.low < self.levels.high or self.levels.dtype not in TYPES:
            return f"has numbers of {self.levels.dtype} from {self.levels.low:g} to {self.levels.high:g}"
        return misfit(self.attributes, self.spec)

    def to_json(self) -> dict[str, Any]:
        return {
            "spec": self.spec.to_json(),
            "crop": self.crop,
            "frequencies": list(self.frequencies),
            "levels": self.levels.to_json(),
            "attributes": self.attributes.to_json() if self.attributes else None,
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "ImageCodec":
        """Facts without levels are of the time when every picture was reduced to bytes."""
        levels = Levels.from_json(facts["levels"]) if facts.get("levels") else BYTES
        attributes = Attributes.from_json(facts["attributes"]) if facts.get("attributes") else None
        return cls(ImageSpec.from_json(facts["spec"]), facts["crop"], tuple(facts["frequencies"]), levels, attributes)

    def _class(self, label: str) -> int:
        if label not in self.spec.classes:
            near = did_you_mean(label, self.spec.classes)
            raise UserError(f'there is no class "{label}"{near}: the classes are {listed(self.spec.classes)}.')
        return self.spec.classes.index(label)


def _written(raw: Picture, path: Path) -> Path:
    """The picture saved in the format that holds it without loss."""
    values = raw.values
    if values is not None and (len(values) > 1 or values.dtype == np.int16):
        path = path.with_name(f"{path.name}.npy")
        with whole(path) as part:
            np.save(part, values)
        return path
    path = path.with_name(f"{path.name}{'.tif' if values is not None and values.dtype == np.float32 else '.png'}")
    with whole(path) as part:
        (raw.image if values is None else Image.fromarray(values[0])).save(part, **marked(path))
    return path


def marked(path: Path) -> dict[str, PngInfo]:
    """What Pillow must be told to write the mark of made pictures (`gansmith.data.origin`) into a PNG."""
    said = mark()
    if said is None or path.suffix != ".png":
        return {}
    info = PngInfo()
    info.add_text("Software", "gansmith")
    info.add_text(KEY, said)
    return {"pnginfo": info}
