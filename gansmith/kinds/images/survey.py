"""A first look at a collection, and what follows from it: one size, one mode, the classes."""

import hashlib
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from gansmith.data.attributes import Attributes
from gansmith.data.readers.limits import check
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import MODES, Stack, is_reduced
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.readers.arrays import PixelRows
from gansmith.kinds.images.readers.collection import Collection, Example, Label, in_threads, natural
from gansmith.kinds.images.readers.room import room_for
from gansmith.kinds.images.resize import channels_of, check_crop, deep_values, hides_nothing, upright_size
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.images.values import BYTES, FAINT, Extremes, Levels

LARGEST_OWN_SIDE = 256
"""Images that all have one size keep it up to this side."""


_NAMED = 3
ANIMATED = ("GIF", "PNG", "TIFF", "WEBP")
"""Formats whose files may hold several pictures of equal right; other formats hold previews beside the picture."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user asked of images, beside the data itself."""

    resolution: tuple[int, int] | None = None
    """(height, width), or None for what suits the data."""
    crop: str = "center"
    channels: int | None = None
    labels: bool = True
    levels: Levels | None = None
    """The type and range of the numbers, or None for those of the data."""
    values: tuple[float, float] | None = None
    """Where deep images are cut off, or None for what the data span."""

    def __post_init__(self) -> None:
        check_crop(self.crop)
        if self.channels is not None and self.channels < 1:
            raise UserError(f"channels must be 1 (gray), 3 (RGB), 4 (RGBA) or as many as the data have, not {self.channels}.")


@dataclass(kw_only=True)
class Survey:
    """What the headers of a collection say; with `thorough`, also what decoding says."""

    count: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How many images there are of each upright (height, width)."""
    modes: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    channels: int = 1
    labels: Counter[Label] = field(default_factory=Counter)
    unlabelled: list[str] = field(default_factory=list)
    """The names of the first images without a label."""
    span: Extremes | None = None
    """What the images of more than 8 bits or of unusual channels span, None if there are none."""
    given: Levels | None = None
    """The type and range of an array, which are known without looking."""
    animated: int = 0
    """Files of several frames or pages."""
    opaque: int = 0
    """Images with an alpha channel that hides nothing, of a collection in which none hides anything."""
    reduced: int = 0
    """Images whose 16 bits Pillow can only read as 8."""
    note: str | None = None
    """How the numbers of arrays are understood."""
    brightest: int | None = None
    """The largest byte of ordinary pictures, of thorough surveys alone."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """(name, reason)."""
    copies: dict[bytes, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Names by content, of thorough surveys alone."""

    def remarks(self) -> list[str]:
        """How values are understood, and what is lost in reading."""
        said = [self.note] if self.note else []
        if warning := faint_bytes(self.brightest):
            said.append(warning)
        if self.opaque:
            said.append(f"the alpha channel of {self.opaque} pictures hides nothing: it is left out without --channels 4")
        if self.reduced:
            said.append(f"{self.reduced} colour pictures of 16 bits are read as 8: store them as .npy or TIFF to keep all")
        if self.animated:
            said.append(
                f"of {self.animated} files that hold several frames or pages the first one is used: save the others apart"
            )
        return said

    @property
    def levels(self) -> Levels:
        return self.given or (self.span.levels() if self.span else BYTES)


@dataclass(frozen=True)
class _Look:
    size: tuple[int, int]
    mode: str
    format: str
    channels: int
    span: Extremes | None
    opaque: bool
    reduced: bool
    animated: bool
    digest: bytes | None
    brightest: int | None


@runtime_checkable
class Noted(Protocol):
    """Examples that know how their numbers are understood."""

    @property
    def note(self) -> str | None: ...


def parse_resolution(resolution: str | int | tuple[int, ...] | None) -> tuple[int, int] | None:
    """(height, width) of 64, "64", "64x48" (height x width) or (64, 48). Raises UserError for others, and above the limit `pixels`."""
    if resolution is None:
        return None
    if isinstance(resolution, str):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:[x×]\s*(\d{1,9})\s*)?", resolution.lower())
        sides = [int(side) for side in match.groups() if side] if match else []
    else:
        sides = [resolution] if isinstance(resolution, int) else list(resolution)
    if len(sides) not in (1, 2) or min(sides) < 1:
        raise UserError(f'the resolution must be a side such as 64 or height x width such as 64x48, not "{resolution}".')
    check("pixels", sides[0] * sides[-1], f"the resolution {sides[0]}x{sides[-1]}", "pixels")
    return sides[0], sides[-1]


def parse_values(values: str | tuple[float, float] | None) -> tuple[float, float] | None:
    """(low, high) of "0,3000" or (0, 3000). Raises UserError for anything else."""
    if values is None:
        return None
    parts = values.split(",") if isinstance(values, str) else values
    try:
        low, high = (float(part) for part in parts)
    except ValueError as error:
        raise UserError(f'--values takes two numbers, such as 0,3000 or -1000,400, not "{values}".') from error
    return low, high


def survey(collection: Collection, thorough: bool = False) -> Survey:
    """Opens every image, reading headers alone unless `thorough` (then pixels, to find damage and exact copies)."""
    found = Survey()
    if isinstance(collection.examples, PixelRows) and not thorough:  # one header for all
        rows = collection.examples
        channels, height, width = rows.shape
        return Survey(
            count=len(rows),
            sizes=Counter({(height, width): len(rows)}),
            modes=Counter({MODES.get(channels, f"{channels} channels"): len(rows)}),
            channels=channels,
            given=rows.levels,
            note=rows.note,
            labels=Counter([None] * len(rows) if rows.labels is None else rows.labels),
        )

    def look(example: Example) -> tuple[Example, _Look | str]:
        try:
            return example, _look(example, thorough, found.channels < 4)  # one that hides something decides for all
        except Exception as error:  # Pillow's decoders raise nearly everything on damaged bytes
            return example, reason(error)

    for example, seen in in_threads(look, collection.examples):
        found.count += 1
        if isinstance(seen, str):
            found.unreadable.append((example.name, seen))
            continue
        found.labels[example.label] += 1
        if example.label is None and len(found.unlabelled) < _NAMED:
            found.unlabelled.append(example.name)
        found.sizes[seen.size] += 1
        found.modes[seen.mode] += 1
        found.formats[seen.format] += 1
        found.channels = max(found.channels, seen.channels)
        found.opaque += seen.opaque
        found.reduced += seen.reduced
        found.animated += seen.animated
        if seen.span is not None:
            found.span = seen.span.and_of(found.span)
        if seen.digest:
            found.copies[seen.digest].append(example.name)
        if seen.brightest is not None:
            found.brightest = max(found.brightest or 0, seen.brightest)
    if found.channels >= 4:
        found.opaque = 0
    if isinstance(collection.examples, Noted):
        found.note = collection.examples.note
    return found


def faint_bytes(brightest: int | None) -> str | None:
    """What to say of bytes that are nearly black, as masks are that are stored as 0 and 1."""
    if brightest is None or brightest > FAINT * 255:
        return None
    return (
        f"the brightest value of all is {brightest} of 255, so that the pictures are nearly black: multiply masks that are stored as 0 "
        "and 1 by 255"
    )


def reason(error: Exception) -> str:
    """Why a file cannot be read, in words short enough for a list."""
    text = str(error).split("\n")[0]
    return "not an image" if text.startswith("cannot identify image file") else text or type(error).__name__


def resolve(found: Survey, wanted: Wanted) -> tuple[int, int]:
    """(height, width): as wanted; or the size that all images share, up to 256; or a square of 64.

    The square is 32, 16 or 8 where more than a tenth of the images are smaller than that.
    """
    if wanted.resolution:
        return wanted.resolution
    if len(found.sizes) == 1 and max(size := next(iter(found.sizes))) <= LARGEST_OWN_SIDE:
        return size
    sides = np.repeat([min(size) for size in found.sizes], list(found.sizes.values()))
    side = next((side for side in (64, 32, 16) if side <= np.quantile(sides, 0.1)), 8)
    return side, side


def fit_codec(found: Survey, collection: Collection, wanted: Wanted) -> ImageCodec:
    """The codec of this collection: its size, mode and labels. Labels that only some examples have are a UserError."""
    classes = class_names(found, collection) if wanted.labels else ()
    counts = Counter({name_of(label, collection.classes): count for label, count in found.labels.items() if classes})
    names = collection.attributes if wanted.labels else ()
    rows = [row for row, count in found.labels.items() if isinstance(row, tuple) for _ in range(count)]
    shape = (_channels(found, collection, wanted), *resolve(found, wanted))
    levels = wanted.levels or found.levels
    levels = levels.within(*wanted.values) if wanted.values else levels
    attributes = Attributes.fit(names, np.array(rows)) if names else None
    spec = ImageSpec(shape=shape, classes=classes, attributes=names, steps=attributes.steps if attributes else ())
    return ImageCodec(spec, wanted.crop, tuple(counts[name] for name in classes), levels, attributes)


def _channels(found: Survey, collection: Collection, wanted: Wanted) -> int:
    if wanted.channels is not None and wanted.channels != found.channels and not {wanted.channels, found.channels} <= {*MODES}:
        raise UserError(
            f"{collection.name} has {found.channels} channels, which cannot become {wanted.channels}: leave --channels out."
        )
    return wanted.channels or found.channels


def class_names(found: Survey, collection: Collection) -> tuple[str, ...]:
    """The classes of the collection, in order. Raises UserError for labels that only some images have, or that cannot be used."""
    if collection.trouble:
        raise UserError(collection.trouble)
    present = set(found.labels)
    if present <= {None}:
        return ()
    if None in present:
        told = next((f"; {note}" for note in collection.notes if note.startswith("the labels of")), "")
        raise UserError(
            f"{found.labels[None]:,} of {found.labels.total():,} images of {collection.name} have no label, such as "
            f"{listed(found.unlabelled, 3)}{told}: label all, or pass --no-labels."
        )
    if collection.attributes:
        return ()
    if collection.classes is not None:
        return collection.classes
    return tuple(sorted({str(label) for label in present}, key=natural))


def name_of(label: Label, classes: tuple[str, ...] | None) -> str | None:
    """The class name behind a label: an index into the source's own names if it has any, else the label itself."""
    if label is None or classes is None or not isinstance(label, int):
        return None if label is None else str(label)
    if not 0 <= label < len(classes):
        raise UserError(f"a label is {label}, but there are {len(classes)} class names ({listed(classes)}): name every class.")
    return classes[label]


def _look(example: Example, thorough: bool, alpha: bool) -> _Look:
    """What there is to see; with `alpha` an alpha channel is looked at, and is none if it hides nothing."""
    with example.open() as image, room_for(image):
        size, mode, kind, channels = upright_size(image), image.mode, image.format or "array", channels_of(image)
        opaque = alpha and channels == 4 and isinstance(image, Image.Image) and hides_nothing(image)
        if opaque:
            channels = 1 if mode in ("LA", "La") else 3
        values, reduced = deep_values(image), not isinstance(image, Stack) and is_reduced(image)
        animated = image.format in ANIMATED and bool(getattr(image, "is_animated", False))
        span = None if values is None else Extremes.of(values)
        digest = brightest = None
        if thorough:
            if isinstance(image, Image.Image):
                image.load()
                if mode == "P":  # equal indices under different palettes are different pictures
                    image = image.convert("RGBA")
                if values is None:
                    brightest = max(high for _, high in _extrema(image)[: 1 if channels == 1 else 3])
            digest = hashlib.sha256(f"{image.mode} {image.size}".encode() + image.tobytes()).digest()
    return _Look(size, mode, kind, channels, span, opaque, reduced, animated, digest, brightest)


def _extrema(image: Image.Image) -> list[tuple[int, int]]:
    found: Any = image.getextrema()
    return [found] if isinstance(found[0], int | float) else list(found)
