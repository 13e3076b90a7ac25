"""Images handed over from Python: a map-style torch data set, a list of pictures."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
import torch
from PIL import Image

from gansmith.data.readers.limits import check
from gansmith.data.readers.tensors import array_of
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Opened, Stack, as_picture
from gansmith.kinds.images.readers.arrays import are_bytes, as_bytes, attribute_names, brightness_note, channels_axis, extremes_of
from gansmith.kinds.images.readers.collection import Collection, Example, Label
from gansmith.kinds.images.readers.parquet import IMAGE_COLUMNS, LABEL_COLUMNS, is_encoded, opened_cell
from gansmith.kinds.images.values import Extremes


def from_mapstyle(data: Any) -> Collection:
    """Anything with `len(data)` and `data[i]` that is an image, (image, label) or {"image": ..., "label": ...}.

    Images are Pillow's, or arrays and tensors [H, W], [H, W, C] or [C, H, W] of uint8, or of floats whose range is judged over
    the whole data set. Integer labels take their names from `data.classes` if it is there, several numbers an image from
    `data.attr_names`, as in torchvision.
    """
    with _theirs("its length"):
        count = len(data)
    if count == 0:
        raise UserError("the data set is empty: give at least one image.")
    check("members", count, "the data set", "examples")
    classes = getattr(data, "classes", None)
    names = tuple(str(name) for name in classes) if isinstance(classes, list | tuple) else None
    name = "images" if isinstance(data, list) else type(data).__name__
    with _theirs(f"{name}[0]"):
        example = data[0]
    _, first = _image_and_label(example, f"{name}[0]")
    titles = [title for title in getattr(data, "attr_names", ()) if title]
    attributes = attribute_names([first], titles or None)
    return Collection(name=name, load=lambda: _MapStyle(data, name), classes=None if attributes else names, attributes=attributes)


@contextmanager
def _theirs(what: str) -> Iterator[None]:
    """Inside, somebody else's data set is asked: whatever it raises is a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise UserError(f"the data set does not tell {what} ({reason[:200]}): correct it, or give other data.") from error


def labelled(images: Sequence[Any], labels: Any) -> list[tuple[Any, Any]]:
    """Images and their labels as items of a data set. Raises UserError if there are not as many."""
    every = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    if len(every) != len(images):
        raise UserError(f"there are {len(images)} images but {len(every)} labels: give one label an image.")
    return list(zip(images, every, strict=True))


def pictures_in_frame(frame: Any) -> Collection | None:
    """The pictures in a column of a data frame (Pillow's, arrays, or encoded files), with the classes beside them; None without any."""
    names = [str(name) for name in (frame.column_names if hasattr(frame, "column_names") else frame.columns)]
    if not len(frame):
        return None
    image = next((place for place in range(len(names)) if _is_picture(next(iter(_cells(frame[:1], place)), None))), None)
    if image is None:
        return None
    label = next((names.index(name) for name in LABEL_COLUMNS if name in names and names.index(name) != image), None)
    unused = [name for place, name in enumerate(names) if place not in (image, label)]
    notes = (f'the pictures are in the column "{names[image]}"' + (f"; left out: {listed(unused)}" if unused else ""),)
    cells = list(_cells(frame, image))
    found = from_mapstyle(cells if label is None else labelled(cells, list(_cells(frame, label))))
    return replace(found, name="data", notes=notes)


def _cells(frame: Any, place: int) -> Sequence[Any]:
    """The cells of a column by its place, since names may be numbers, or double."""
    if hasattr(frame, "iloc"):
        return frame.iloc[:, place].to_list()
    return frame.column(place).to_pylist() if hasattr(frame, "column_names") else frame[frame.columns[place]].to_list()


def _is_picture(cell: Any) -> bool:
    return isinstance(cell, Image.Image | bytes) or (isinstance(cell, np.ndarray) and cell.ndim in (2, 3)) or is_encoded(cell)


_Picture = Image.Image | np.ndarray | bytes | dict[str, Any]
"""A picture as a data set holds it; bytes and {"bytes": ...} are files."""


class _MapStyle:
    def __init__(self, data: Any, name: str) -> None:
        self.data, self.name = data, name
        self._found: Extremes | None = None
        self._finding = Lock()

    def __iter__(self) -> Iterator[Example]:
        for index, (value, label) in self._items():
            yield Example(f"{self.name}[{index}]", label, partial(self._picture, value, f"{self.name}[{index}]"))

    def _items(self) -> Iterator[tuple[int, tuple[Any, Label]]]:
        for index in range(len(self.data)):
            with _theirs(f"{self.name}[{index}]"):
                example = self.data[index]
            yield index, _image_and_label(example, f"{self.name}[{index}]")

    @property
    def note(self) -> str | None:
        """How the numbers of arrays are understood; None where all are bytes."""
        chosen = self._found.brightness() if self._found else None
        return brightness_note("values of the arrays", self._found, chosen) if self._found and chosen else None

    @property
    def _span(self) -> Extremes:
        """What all arrays but those of bytes span."""
        with self._finding:
            if self._found is None:
                arrays = (value for _, (value, _) in self._items() if isinstance(value, np.ndarray))
                self._found = extremes_of((array for array in arrays if array.dtype != np.uint8), self.name)
            return self._found

    def _picture(self, value: _Picture, name: str) -> Opened:
        if isinstance(value, bytes | dict):
            return opened_cell(value)
        if isinstance(value, Image.Image):
            return value.copy()  # what we open we close, and this one is not ours
        axis = channels_axis((1, *value.shape), name)
        values = value[None] if axis is None else np.moveaxis(value, axis - 1, 0)
        if value.dtype == np.uint8:
            return as_picture(values)
        chosen = self._span.brightness() if are_bytes(self._span, len(values)) else None
        return Stack(values) if chosen is None else as_picture(as_bytes(values, *chosen))


def _image_and_label(item: Any, name: str) -> tuple[_Picture, Label]:
    label = None
    if isinstance(item, Mapping):
        label = next((item[key] for key in LABEL_COLUMNS if key in item), None)
        item = next((item[key] for key in IMAGE_COLUMNS if key in item), None)
    elif isinstance(item, tuple | list) and item:
        item, label = item[0], item[1] if len(item) > 1 else None
    if isinstance(item, torch.Tensor):
        item = array_of(item, name)
    if not isinstance(item, Image.Image | np.ndarray | bytes | dict) or (isinstance(item, dict) and not is_encoded(item)):
        raise UserError(f"{name} is a {type(item).__name__}, where an image is a Pillow image, a tensor or an array: convert it.")
    if not all(item.size if isinstance(item, Image.Image) else getattr(item, "shape", (1,))):
        raise UserError(f"{name} has no pixels: leave it out.")
    if isinstance(label, torch.Tensor):
        label = array_of(label, f"the label of {name}")
    if isinstance(label, np.generic | np.ndarray):
        several = np.asarray(label)
        label = several.item() if several.size == 1 else tuple(several.astype(float).ravel().tolist())
    if not isinstance(label, str | int | tuple | None):
        raise UserError(f"the label of {name} is a {type(label).__name__}, where classes are whole numbers or words: convert it.")
    return item, label
