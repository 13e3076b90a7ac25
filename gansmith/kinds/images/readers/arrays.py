"""Arrays of pixels: their layout, their range, their labels."""

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial

import numpy as np

from gansmith.data.fingerprint import fingerprint
from gansmith.data.readers.limits import check
from gansmith.data.readers.rows import ArrayRows, Rows
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import MAX_CHANNELS, MODES, Opened, as_picture, open_picture
from gansmith.kinds.images.readers.collection import CHUNK, Collection, Example, Label
from gansmith.kinds.images.values import BYTES, Extremes, Levels


class PixelRows:
    """The images of an array, iterable as examples and, all being alike, readable in whole chunks.

    Layouts: [N, H, W], [N, H, W, C] or [N, C, H, W] with any number of channels. Values: uint8 as they are; booleans as black and
    white; floats of pictures (1, 3 or 4 channels in [0, 1], [-1, 1] or [0, 255], see `Extremes.brightness`) as bytes; all others,
    wider integers above all, in their own type and range.
    """

    def __init__(self, rows: Rows, name: str, labels: Sequence[Label] | None = None, like: "PixelRows | None" = None) -> None:
        """`like` are the images whose range of values holds for these as well: the training split of a test split."""
        self.rows, self.name, self.labels, self._like = rows, name, labels, like
        if rows.dtype.kind not in "buif":
            raise UserError(f"{name} must hold numbers, not {rows.dtype}: save the pixels as uint8.")
        self._channels_axis = channels_axis(rows.shape, name)
        if not len(self):
            raise UserError(f"{name} holds no images: give at least one.")
        if labels is not None and len(labels) != rows.shape[0]:
            raise UserError(f"{name} has {rows.shape[0]} images but {len(labels)} labels: give one label an image.")

    def __len__(self) -> int:
        return self.rows.shape[0]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)"""
        sides = list(self.rows.shape[1:])
        channels = 1 if self._channels_axis is None else sides.pop(self._channels_axis - 1)
        return channels, sides[0], sides[1]

    def chunks(self, count: int = CHUNK) -> Iterator[np.ndarray]:
        """Numbers [n, C, H, W] of the type of `levels`, in order."""
        for rows in self.rows.chunks(count):
            pixels = rows.astype(self.levels.dtype) if self.levels.deep else self._as_bytes(rows)
            if self._channels_axis is None:
                yield pixels[:, None]
            else:
                yield np.ascontiguousarray(np.moveaxis(pixels, self._channels_axis, 1))

    def __iter__(self) -> Iterator[Example]:
        index = 0
        for chunk in self.chunks():
            for pixels in chunk:
                label = None if self.labels is None else self.labels[index]
                yield Example(f"{self.name}[{index}]", label, partial(as_picture, pixels))
                index += 1

    @property
    def note(self) -> str | None:
        """How the values are understood, where that is not obvious."""
        if self.rows.dtype == np.uint8:
            return None
        if self.levels.deep:
            return (
                f"the {self.rows.dtype} values from {self.levels.low:g} to {self.levels.high:g} are kept as {self.levels.dtype}"
            )
        return brightness_note(f"{self.rows.dtype} values", self._extremes, self._range)

    @cached_property
    def levels(self) -> Levels:
        """The type and range of the values."""
        if self._like is not None and self._like.rows.dtype == self.rows.dtype:
            return self._like.levels
        if self.rows.dtype in (np.uint8, np.bool_):
            return BYTES
        return BYTES if are_bytes(self._extremes, self.shape[0]) else self._extremes.levels()

    @cached_property
    def _extremes(self) -> Extremes:
        return extremes_of(self.rows.chunks(), self.name)

    @cached_property
    def _range(self) -> tuple[float, float]:
        if self._like is not None and self._like.rows.dtype == self.rows.dtype:
            return self._like._range
        found = self._extremes.brightness()
        assert found is not None  # else the levels are deep
        return found

    def _as_bytes(self, rows: np.ndarray) -> np.ndarray:
        return rows if rows.dtype == np.uint8 else as_bytes(rows, *self._range)


def extremes_of(arrays: Iterable[np.ndarray], name: str) -> Extremes:
    """What all the arrays span. Raises UserError for NaN."""
    found = None
    try:
        for array in arrays:
            found = Extremes.of(array).and_of(found)
    except ValueError as error:
        raise UserError(f"{name} {error}: replace or remove them.") from error
    assert found is not None
    return found


def are_bytes(span: Extremes, channels: int) -> bool:
    """Whether numbers are those of ordinary pictures: whole ones up to 255, or fractions of gray, RGB and RGBA."""
    return (span.whole or channels in MODES) and span.brightness() is not None


def brightness_note(what: str, span: Extremes, chosen: tuple[float, float]) -> str:
    """How numbers are read that become bytes, and how many of them are cut off."""
    cut = f"; {span.beyond():,} of {span.count:,} lie beyond and are cut off" if span.beyond() else ""
    return f"the {what} are read as brightness from {chosen[0]:g} (black) to {chosen[1]:g} (white){cut}"


def as_bytes(pixels: np.ndarray, black: float, white: float) -> np.ndarray:
    """uint8 pixels, `black` becoming 0 and `white` 255."""
    return np.rint((pixels.astype(np.float64) - black) * (255 / (white - black))).clip(0, 255).astype(np.uint8)


class EncodedRows:
    """Encoded image files one after another in a byte array `data`, file i being data[offsets[i]:offsets[i + 1]]."""

    def __init__(self, rows: Rows, offsets: np.ndarray, name: str, labels: Sequence[Label] | None = None) -> None:
        if rows.dtype != np.uint8 or len(rows.shape) != 1:
            raise UserError(f'"data" in {name} must be bytes [N], not {rows.dtype} {list(rows.shape)}: save them as uint8.')
        whole = offsets.ndim == 1 and offsets.dtype.kind in "ui" and len(offsets)
        lengths = np.diff(offsets.astype(np.int64)) if whole else np.array([-1])
        if not whole or offsets[0] != 0 or (lengths < 0).any() or offsets[-1] > rows.shape[0]:
            raise UserError(
                f'"offsets" in {name} must be whole numbers that cut "data" into files, from 0 to at most {rows.shape[0]}.'
            )
        check("member_bytes", int(lengths.max(initial=0)), f"an image in {name}", "bytes")
        if labels is not None and len(labels) != len(lengths):
            raise UserError(f"{name} has {len(lengths)} images but {len(labels)} labels: give one label an image.")
        self.rows, self.lengths, self.name, self.labels = rows, lengths.tolist(), name, labels

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[Example]:
        read, start, chunks = bytearray(), 0, self.rows.chunks(1 << 20)
        for index, length in enumerate(self.lengths):
            if len(read) - start < length:
                del read[:start]
                start = 0
            while len(read) < length:
                read += next(chunks).tobytes()
            label = None if self.labels is None else self.labels[index]
            yield Example(f"{self.name}[{index}]", label, partial(opened, bytes(read[start : start + length])))
            start += length


def opened(file: bytes) -> Opened:
    """The image in the bytes of a file, its pixels not yet decoded."""
    return open_picture(io.BytesIO(file))


def labels_of(array: object, name: str) -> list[Label]:
    """Class labels from an array or list, whole numbers or words; or rows of attributes from numbers [N, K]."""
    labels = np.asarray(array)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.shape[1] and labels.dtype.kind in "buif":
        return [tuple(row) for row in labels.astype(float).tolist()]
    if labels.ndim != 1 or labels.dtype.kind not in "buifUS":
        raise UserError(
            f"the labels of {name} must be one whole number or word an image, or numbers [N, K], not {labels.dtype} {list(labels.shape)}."
        )
    if labels.dtype.kind == "f":
        if not (np.isfinite(labels) & (labels == np.rint(labels))).all():
            raise UserError(f"the labels of {name} must be classes, but they are fractions: round them, or train without labels.")
        labels = labels.astype(np.int64)
    return [label.decode() if isinstance(label, bytes) else label for label in labels.tolist()]


def from_memory(images: np.ndarray, labels: object = None) -> Collection:
    """A NumPy array of images as a collection."""
    rows = PixelRows(ArrayRows(images), "array", None if labels is None else labels_of(labels, "the array"))
    return Collection(
        name="array",
        attributes=attribute_names(rows.labels),
        load=lambda: rows,
        key=lambda: fingerprint({"image": images}, str(rows.labels)),
        in_memory=True,
    )


def attribute_names(labels: Sequence[Label] | None, names: Sequence[str] | None = None) -> tuple[str, ...]:
    """The names of rows of attributes, or attribute0, attribute1 ... where they have none; empty for classes."""
    if not labels or not isinstance(labels[0], tuple):
        return ()
    if names is not None and len(names) != len(labels[0]):
        raise UserError(f"there are {len(labels[0])} attributes, but {len(names)} names of them: name each.")
    return tuple(map(str, names)) if names is not None else tuple(f"attribute{i}" for i in range(len(labels[0])))


def channels_axis(shape: tuple[int, ...], name: str) -> int | None:
    """Where the channels of an array of images are: 1, 3, or None without such an axis.

    An axis of length 1, 3 or 4 is taken for them, or else the shorter one up to 64.
    """
    if len(shape) == 3 and 0 not in shape[1:]:
        if 1 < shape[0] == shape[1] != shape[2] and shape[2] >= 8:
            raise UserError(
                f"{name} has the shape {list(shape)}, which looks like height, width, number: give array.transpose(2, 0, 1), or, if these "
                f"are {shape[0]} images of {shape[1]}x{shape[2]}, array[..., None]."
            )
        return None
    if len(shape) == 4 and 0 not in shape[1:]:
        if (
            shape[2] in MODES
            and not {shape[1], shape[3]} & {*MODES}
            and shape[0] > 1
            and (shape[0] == shape[1] or shape[3] > shape[0])
        ):
            raise UserError(
                f"{name} has the shape {list(shape)}, which looks like height, width, channels, number: give array.transpose(3, 0, 1, 2)."
            )
        first, last = shape[1] in MODES, shape[3] in MODES
        if shape[0] in MODES and not first and not last and shape[1] == shape[2]:
            raise UserError(
                f"{name} has the shape {list(shape)}, which looks like channels, height, width, number: give array.transpose(3, 1, 2, 0)."
            )
        if not first and not last and min(shape[1], shape[3]) <= MAX_CHANNELS:
            first, last = shape[1] <= shape[3], shape[1] >= shape[3]
        if first != last:
            return 1 if first else 3
        if first:
            raise UserError(
                f"{name} has the shape {list(shape)}, in which the channels may come first or last: give images larger than "
                "the number of their channels."
            )
    raise UserError(
        f"{name} has the shape {list(shape)}, where images are [N, H, W], [N, H, W, C] or [N, C, H, W] with up to "
        f"{MAX_CHANNELS} channels: reshape it."
    )
