"""Data sets of the Hugging Face hub."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from PIL import Image

from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Opened
from gansmith.kinds.images.readers.collection import Collection, Example
from gansmith.kinds.images.readers.parquet import IMAGE_COLUMNS, LABEL_COLUMNS, opened_cell

_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_TESTS = ("test", "validation", "valid")


def is_hub_name(data: str) -> bool:
    """Whether this could be `user/name`."""
    return bool(_NAME.fullmatch(data)) and not data.startswith(".")


def from_hub(name: str) -> Collection:
    """The image data set `user/name`: its train split, and its test or validation split as held out."""
    try:
        from datasets import load_dataset  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError(
            f"there is no file or folder {name}, and to fetch it from the Hugging Face hub the package datasets is needed: "
            'correct the path, or run pip install "gansmith[hub]".'
        ) from error
    try:
        splits = load_dataset(name)
    except Exception as error:  # the hub's client raises its own, Arrow's, requests' and the operating system's errors
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"there is no file or folder {name}, and the Hugging Face hub did not give it ({why}): check name and network, or "
            'train on "digits", which needs none.'
        ) from error
    train = "train" if "train" in splits else next(iter(splits))
    test = next((split for split in _TESTS if split in splits and split != train), None)
    short = name.rsplit("/")[-1]
    held_out = _collection(splits[test], f"{short}-test") if test else None
    return _collection(splits[train], short, held_out)


def _collection(rows: Any, name: str, held_out: Collection | None = None) -> Collection:
    columns = list(rows.features)
    image = next((column for column in columns if type(rows.features[column]).__name__ == "Image"), None)
    image = image or next((column for column in IMAGE_COLUMNS if column in columns), None)
    if image is None:
        raise UserError(f"the hub data set {name} has the columns {listed(columns)}, of which none is an image: choose another.")
    label = next((column for column in LABEL_COLUMNS if column in columns), None)
    names = getattr(rows.features[label], "names", None) if label else None
    mark = getattr(rows, "_fingerprint", None)  # changes with the content; private, so not relied on
    key: Callable[[], str] | None = (lambda: f"{name} {mark}") if mark else None
    return Collection(
        name=name,
        load=lambda: _HubRows(rows, image, label, name),
        key=key,
        classes=tuple(names) if names else None,
        held_out=held_out,
    )


class _HubRows:
    def __init__(self, rows: Any, image: str, label: str | None, name: str) -> None:
        self.rows, self.image, self.name = rows, image, name
        self.labels: list[Any] = list(rows[label]) if label else []
        if not all(isinstance(value, str | int) for value in self.labels):  # several labels an image are no classes
            self.labels = []
        self.labels = self.labels or [None] * len(rows)

    def __iter__(self) -> Iterator[Example]:
        for index, label in enumerate(self.labels):
            yield Example(f"{self.name}[{index}]", label, partial(self._open, index))

    def _open(self, index: int) -> Opened:
        cell = self.rows[index][self.image]
        return cell if isinstance(cell, Image.Image) else opened_cell(cell)
