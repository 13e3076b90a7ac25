"""Arrays in files: .npy and .npz with images or encoded images, labels and class names beside them."""

from collections.abc import Sequence
from pathlib import Path

from gansmith.data.readers.files import file_key
from gansmith.data.readers.rows import ArchivedRows, ArrayRows, array_axes, array_names, load_small, open_npy
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.readers.arrays import EncodedRows, PixelRows, attribute_names, labels_of
from gansmith.kinds.images.readers.collection import Collection, Label

IMAGE_KEYS = ("images", "image", "x", "X", "data", "points", "arr_0")
ATTRIBUTE_KEYS, ATTRIBUTE_NAMES = ("attributes", "attrs"), "attribute_names"
LABEL_KEYS = ("labels", "label", "y", "Y", "targets", "target", "classes", "arr_1")
CLASS_KEYS = ("classes", "class_names", "label_names")
TRAIN, TEST = ("train",), ("test", "val")


def from_npy(path: Path) -> Collection:
    """The images of one array."""
    rows = PixelRows(ArrayRows(open_npy(path)), path.name)
    return Collection(name=path.stem, load=lambda: rows, key=lambda: file_key([path]))


def from_npz(path: Path) -> Collection:
    """Images under one of the usual keys, with labels and class names if there are any.

    Recognised are `images`, `x`, `data` ..., the pairs of keys `x_train` and `x_test` or `train_images` and `test_images`
    (the second being the held-out split), and `data` with `offsets` for image files packed one after another.
    """
    keys = array_names(path)
    if "data" in keys and "offsets" in keys:
        names, labels = _classes(path, keys), _labels(path, keys, ())
        encoded = EncodedRows(ArchivedRows(path, "data"), load_small(path, "offsets"), path.name, labels)
        return Collection(
            name=path.stem,
            load=lambda: encoded,
            key=lambda: file_key([path]),
            classes=_fitting(names, labels),
            attributes=_attributes(path, keys, labels),
        )
    split = TRAIN if _find(keys, IMAGE_KEYS, TRAIN) else ()
    key, notes = _find(keys, IMAGE_KEYS, split), ()
    if key is None and (key := _only_images(path, keys)):
        known = [*ATTRIBUTE_KEYS, ATTRIBUTE_NAMES, *LABEL_KEYS, *CLASS_KEYS]
        unused = [name for name in keys if name != key and name not in known]
        rest = f"; left out: {listed(unused)} (call an array of classes labels)" if unused else ""
        notes = (f'the array "{key}" is taken for the images{rest}',)
    if key is None:
        raise UserError(f"{path.name} has the arrays {listed(keys)}: name the images one of {', '.join(IMAGE_KEYS)}.")
    rows = ArchivedRows(path, key)
    labels = _labels(path, keys, split)
    examples, held_out = PixelRows(rows, f"{path.name}:{key}", labels), None
    classes, attributes = _fitting(_classes(path, keys), labels), _attributes(path, keys, labels)
    if split and (test := _find(keys, IMAGE_KEYS, TEST)):
        tests = PixelRows(ArchivedRows(path, test), f"{path.name}:{test}", _labels(path, keys, TEST), like=examples)
        held_out = Collection(
            name=f"{path.stem}-test",
            load=lambda: tests,
            key=lambda: file_key([path]) + test,
            classes=classes,
            attributes=attributes,
        )
    return Collection(
        name=path.stem,
        load=lambda: examples,
        key=lambda: file_key([path]) + key,
        classes=classes,
        attributes=attributes,
        held_out=held_out,
        notes=notes,
    )


def _only_images(path: Path, keys: Sequence[str]) -> str | None:
    """The only array of three or four axes, which can but be the images; None if there are several or none."""
    deep = [key for key, axes in array_axes(path, keys).items() if axes in (3, 4)]
    return deep[0] if len(deep) == 1 else None


def _find(keys: Sequence[str], names: Sequence[str], splits: Sequence[str]) -> str | None:
    wanted = [joined for split in splits for name in names for joined in (f"{name}_{split}", f"{split}_{name}")] or names
    return next((key for key in wanted if key in keys), None)


def _labels(path: Path, keys: Sequence[str], splits: Sequence[str]) -> list[Label] | None:
    """Attributes if there are any, else classes."""
    key = _find(keys, ATTRIBUTE_KEYS, splits) or _find(keys, LABEL_KEYS, splits)
    return (
        None
        if key is None or (key == "classes" and not splits and _is_names(path))
        else labels_of(load_small(path, key), path.name)
    )


def _attributes(path: Path, keys: Sequence[str], labels: Sequence[Label] | None) -> tuple[str, ...]:
    return attribute_names(labels, load_small(path, ATTRIBUTE_NAMES).tolist() if ATTRIBUTE_NAMES in keys else None)


def _classes(path: Path, keys: Sequence[str]) -> tuple[str, ...] | None:
    for key in CLASS_KEYS:
        if key in keys and (key != "classes" or _is_names(path)):
            return tuple(str(name) for name in load_small(path, key).tolist())
    return None


def _is_names(path: Path) -> bool:
    """Whether `classes` names the classes (words, each once) rather than giving every image its class."""
    classes = load_small(path, "classes")
    return classes.ndim == 1 and classes.dtype.kind in "US" and len(set(classes.tolist())) == len(classes)


def _fitting(names: tuple[str, ...] | None, labels: Sequence[Label] | None) -> tuple[str, ...] | None:
    """The class names, if the labels are the integers that they name."""
    return names if labels and all(isinstance(label, int) for label in labels) else None
