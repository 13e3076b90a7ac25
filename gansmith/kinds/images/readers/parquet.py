"""Images in Parquet files, as the Hugging Face hub stores them or in a plain column of bytes."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gansmith.data.readers.files import file_key
from gansmith.data.readers.parquet_files import hub_features, opened_parquet
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Opened
from gansmith.kinds.images.readers.arrays import opened
from gansmith.kinds.images.readers.collection import Collection, Example

IMAGE_COLUMNS = ("image", "img", "images", "picture", "photo", "jpg", "jpeg", "png", "webp", "bytes")
LABEL_COLUMNS = ("label", "labels", "class", "category", "target", "y", "fine_label", "coarse_label")
_ROWS_AT_ONCE = 64


def from_parquet(paths: Sequence[Path], name: str) -> Collection:
    """The images of one data set in one or several Parquet files; files named test... or validation... are held out."""
    tests = [path for path in paths if path.name.lower().startswith(("test", "valid"))]
    if not tests or len(tests) == len(paths):
        return _collection(paths, name, None)
    return _collection([path for path in paths if path not in tests], name, _collection(tests, f"{name}-test", None))


def _collection(paths: Sequence[Path], name: str, held_out: Collection | None) -> Collection:
    rows = _ParquetRows(paths)
    return Collection(name=name, load=lambda: rows, key=lambda: file_key(paths), classes=rows.classes, held_out=held_out)


class _ParquetRows:
    """The rows of Parquet files, read a few at a time."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        with opened_parquet(paths[0]) as file:
            schema = file.schema_arrow
        self.image = _image_column(schema, paths[0])
        self.label = next((column for column in LABEL_COLUMNS if column in schema.names and _holds_classes(schema, column)), None)
        told = hub_features(schema, str(paths[0])).get(self.label or "")
        self.classes = _class_names(told.get("names") if isinstance(told, dict) else None)

    def __iter__(self) -> Iterator[Example]:
        columns = [column for column in (self.image, self.label) if column]
        for path in self.paths:
            row = 0
            with opened_parquet(path) as file:
                for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns):
                    images = batch.column(self.image).to_pylist()
                    labels = batch.column(self.label).to_pylist() if self.label else [None] * len(images)
                    for image, label in zip(images, labels, strict=True):
                        yield Example(f"{path.name}[{row}]", label, partial(opened_cell, image))
                        row += 1


def _class_names(names: Any) -> tuple[str, ...] | None:
    """The names, if they are texts and each there once; strangers write other things in their place."""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names) if len(set(names)) == len(names) else None


def is_encoded(cell: Any) -> bool:
    """Whether a cell is an encoded image as hubs store it."""
    return isinstance(cell, dict) and isinstance(cell.get("bytes"), bytes)


def opened_cell(cell: Any) -> Opened:
    """The image in a cell: encoded bytes, or {"bytes": ..., "path": ...}."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if not content:
        raise OSError("no image in this row")
    return opened(content)


def _holds_classes(schema: Any, column: str) -> bool:
    from pyarrow import types

    kind = schema.field(column).type
    return any(
        test(kind) for test in (types.is_integer, types.is_boolean, types.is_string, types.is_large_string, types.is_dictionary)
    )


def _holds_bytes(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(_holds_bytes(kind.field(index).type) for index in range(kind.num_fields))
    return types.is_binary(kind) or types.is_large_binary(kind)


def holds_images(path: Path) -> bool:
    """Whether a column holds bytes, as those of images do."""
    with opened_parquet(path) as file:
        return any(_holds_bytes(field.type) for field in file.schema_arrow)


def _image_column(schema: Any, path: Path) -> str:
    holding = [field.name for field in schema if _holds_bytes(field.type)]
    named = [column for column in IMAGE_COLUMNS if column in holding]
    if named or len(holding) == 1:
        return (named or holding)[0]
    raise UserError(
        f"{path} has the columns {listed(schema.names)}, of which none is clearly an image: name the column of encoded files "
        f'"{IMAGE_COLUMNS[0]}".'
    )
