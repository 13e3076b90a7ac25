"""Pairs in files: two folders, pictures side by side, a list, or single pictures and what is done to them."""

import csv
import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image, ImageOps

from gansmith.data.readers.archives import Unreadable, opened_archive
from gansmith.data.readers.files import file_key, files_below
from gansmith.data.readers.text import opened_lines
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Opened, open_npy_picture, open_picture
from gansmith.kinds.images.degradations import degraded, is_near, parsed, scale_of
from gansmith.kinds.images.masks import hidden
from gansmith.kinds.images.readers.collection import Collection, Example
from gansmith.kinds.images.readers.folders import ARRAY_SUFFIX, from_folder
from gansmith.kinds.images.readers.partners import partners
from gansmith.kinds.images.resize import DEEP, channels_of, converted, resized, upright_size

_SIDES = (
    *(("a", "b"), ("input", "target"), ("source", "target"), ("lr", "hr"), ("lq", "gt")),
    *(("lrbicx2", "gtmod12"), ("lrbicx3", "gtmod12"), ("lrbicx4", "gtmod12")),
)
"""Names of two folders, in any case, of which the second is made of the first; the last ones are those of BasicSR's Set5."""
_TESTS = ("test", "val", "valid", "validation")
_NAMED = 3
"""How many files an error names."""
PAIRINGS = ("names", "none")


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Two sides of a source; example i of both belong together if they are aligned."""

    name: str
    a: Collection
    b: Collection
    aligned: bool
    scale: int | None = None
    """How many times larger b is than a; None if their sizes have yet to be compared."""
    degrade: str | None = None
    """What a suffered that b did not, where a is made of b."""
    holes: bool = False
    """Whether a is b with holes."""
    notes: tuple[str, ...] = ()
    held_out: "Pairs | None" = None


def recognised(folder: Path) -> bool:
    """Whether a csv is a list of pairs, or a folder holds pairs and nothing else: trainA and trainB, or two folders that are named like
    sides and most of whose files are partners by name (what is missing is an error later); in train/, too.

    Raises UserError for folders that are named like sides and whose files are not: they may be domains or classes.
    """
    if folder.suffix.lower() == ".zip" and folder.is_file():
        _refuse_sides_in_zip(folder)
        return False
    if folder.is_file():
        return folder.suffix.lower() == ".csv" and _names_files(folder)
    if (folder / "trainA").is_dir() and (folder / "trainB").is_dir():
        return True
    inside = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    if "train" in inside and inside <= {"train", *_TESTS}:
        return recognised(folder / "train")
    sides = _sides_among(inside)
    if sides is None or inside != set(sides):
        return False
    names = [sorted(own.name for own in (folder / side).iterdir() if not own.name.startswith(".")) for side in sides]
    found = partners(*names)
    matched = len(found.pairs) + sum(len(ours) for ours, _ in found.unclear)
    if all(names) and 2 * matched <= min(map(len, names)):
        a, b = sides
        raise UserError(
            f"{folder} has the folders {a} and {b}, but most names in them do not match ({listed(names[0], 1)}; {listed(names[1], 1)}): "
            f"pass --kind images if {a} and {b} are classes, --pairing none if they are two domains, or name partners alike."
        )
    return True


def pairs_in(
    path: Path,
    *,
    degrade: str | None = None,
    pairing: str | None = None,
    swap: bool = False,
    masks: Path | None = None,
) -> Pairs:
    """The pairs of a folder or a csv list. Raises UserError where it holds none, or what does not match.

    `degrade` makes the given side of each picture, `masks` hides parts of it; `pairing` ("names", "none") says whether two folders belong
    together file by file (by name), or are two domains; without it trainA/trainB are two domains and A/B belong together. `swap`
    exchanges the sides.
    """
    if pairing not in (None, *PAIRINGS):
        raise UserError(f"--pairing must be names or none, not {pairing!r}.")
    if masks is not None:
        if degrade or pairing or swap:
            raise UserError(
                "--masks makes pairs of pictures and themselves with holes: leave --degrade, --pairing and --swap out."
            )
        return _masked(path, masks)
    found = _degraded(path, degrade) if degrade else _listed(path) if path.suffix.lower() == ".csv" else _in_folder(path, pairing)
    return _swapped(found) if swap else found


def _swapped(found: Pairs) -> Pairs:
    if found.degrade:
        raise UserError(f"{found.name} is degraded, so its sides cannot be swapped: leave --swap or --degrade out.")
    held_out = _swapped(found.held_out) if found.held_out else None
    return replace(found, a=found.b, b=found.a, held_out=held_out)


def _in_folder(folder: Path, pairing: str | None) -> Pairs:
    if not folder.is_dir():
        raise UserError(
            f"{folder} holds no pairs: give a folder with trainA and trainB, with A and B, of pictures side by side, or a csv."
        )
    name = folder.resolve().name
    if other := _other_side(folder):
        return replace(_two(folder.parent, folder.name, other, pairing or "none"), name=name.removesuffix("A"))
    if (folder / "trainA").is_dir() or (folder / "trainB").is_dir():
        held_out = next(
            (_two(folder, f"{test}A", f"{test}B", pairing or "none") for test in _TESTS if (folder / f"{test}A").is_dir()), None
        )
        found = _two(folder, "trainA", "trainB", pairing or "none")
        sets = [own.name for own in sorted(folder.iterdir()) if own.name != "trainA" and _other_side(own)]
        more = [own for own in sets if held_out is None or own[:-1] not in _TESTS]
        said = (f"further test sets, to judge by with --data: {listed([str(folder / own) for own in more])}",) if more else ()
        return replace(found, held_out=held_out, notes=(*found.notes, *said))
    if sides := _sides_in(folder):
        return _two(folder, *sides, pairing or "names")
    train = folder / "train"
    if train.is_dir():
        held_out = next((_in_folder(folder / test, pairing) for test in _TESTS if (folder / test).is_dir()), None)
        return replace(_in_folder(train, pairing), name=name, held_out=held_out)
    return _side_by_side(folder)


def has_sides(folder: Path) -> bool:
    """Whether it holds two folders whose names say that one is made of the other."""
    return folder.is_dir() and _sides_in(folder) is not None


def _sides_in(folder: Path) -> tuple[str, str] | None:
    return _sides_among(own.name for own in folder.iterdir() if own.is_dir())


def _sides_among(folders: Iterable[str]) -> tuple[str, str] | None:
    inside = {name.lower(): name for name in sorted(folders)}
    return next(((inside[a], inside[b]) for a, b in _SIDES if a in inside and b in inside), None)


def _refuse_sides_in_zip(path: Path) -> None:
    """Raises UserError for a zip whose pictures lie in two folders that are named like sides: it would be read as classes."""
    try:
        with opened_archive(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    except (OSError, Unreadable, UserError):  # said by whoever reads it
        return
    places = [PurePosixPath(name).parts[:-1] for name in names]
    shared = len(os.path.commonprefix(places))  # noqa: RUF071, tuples of folder names
    inside = {place[shared] for place in places if len(place) > shared}
    sides = _sides_among(inside)
    if sides and inside == set(sides):
        raise UserError(
            f"{path} has the folders {sides[0]} and {sides[1]}, as pairs have: unpack it to train on pairs, or pass --kind images if they "
            "are classes."
        )


def _other_side(folder: Path) -> str | None:
    """The name of the folder that is side b of this one beside it, test2B of test2A, if that is what it is."""
    other = folder.name.removesuffix("A") + "B"
    return other if len(folder.name) > 1 and folder.name.endswith("A") and (folder.parent / other).is_dir() else None


def _two(folder: Path, a: str, b: str, pairing: str) -> Pairs:
    """Two folders of pictures."""
    for side in (a, b):
        if not (folder / side).is_dir():
            raise UserError(f"{folder} has no folder {side}, and pairs need {a} and {b}: add it.")
    whole = [from_folder(folder / side) for side in (a, b)]
    name = folder.resolve().name
    tests = [side.held_out for side in whole]
    found = _together(folder, name, [_plain(side) for side in whole], (a, b), pairing)
    if None in tests:
        return found
    held_out = _together(folder, name, [_plain(side) for side in tests if side], (a, b), pairing)
    return replace(found, held_out=held_out)


def _together(folder: Path, name: str, sides: Sequence[Collection], called: tuple[str, str], pairing: str) -> Pairs:
    """Two sides, by the names of their files or as two domains."""
    a, b = called
    if pairing == "none":
        return Pairs(name=name, a=sides[0], b=sides[1], aligned=False, notes=(f"{a} and {b} are two domains, not pairs",))
    first, second = ({example.name: example for example in side.examples} for side in sides)
    found = partners(list(first), list(second))
    found.refuse_unclear(called)
    if not found.whole:
        lacking = " and ".join(
            f"{len(names)} of {side} without a partner in {other} ({listed(names, _NAMED)})"
            for names, side, other in zip(found.alone, (a, b), (b, a), strict=True)
            if names
        )
        raise UserError(
            f"the names in {folder} do not match, {lacking}: name partners alike, or say --pairing none for two domains."
        )
    matched = [_of(sides[0], [first[own] for own, _ in found.pairs]), _of(sides[1], [second[own] for _, own in found.pairs])]
    notes = (f"partners may differ in {found.how}, such as {' and '.join(found.pairs[0])}",) if found.how else ()
    return Pairs(name=name, a=matched[0], b=matched[1], aligned=True, notes=notes)


def _plain(collection: Collection) -> Collection:
    """Without the classes that folders may name."""
    return replace(collection, load=lambda: [replace(example, label=None) for example in collection.examples], held_out=None)


def _of(collection: Collection, examples: Sequence[Example], mark: str = "") -> Collection:
    """The collection with other examples; `mark` tells them from its own in the cache."""
    key = collection.key
    names = [example.name for example in examples]
    return replace(collection, load=lambda: examples, key=(lambda: f"{key()} {mark} {names}") if key else None, held_out=None)


def _side_by_side(folder: Path) -> Pairs:
    """Pictures twice as wide as high: the left half is given, the right half is made (as in pix2pix's data sets)."""
    whole = _plain(from_folder(folder))
    examples = list(whole.examples)
    for example in examples:
        with _picture(example.open(), example.name) as image:
            height, width = upright_size(image)
            if width % 2 or width < height:
                raise UserError(
                    f"{folder} is read as pictures side by side, but {example.name} is {width}x{height}: give pictures of two "
                    "halves, the folders A and B, trainA and trainB, or --degrade."
                )
    said = "each picture is cut in two: its left half is given, its right half is made"
    sides = [
        _of(whole, [replace(example, open=partial(_half, example, right)) for example in examples], f"half {right}")
        for right in (0, 1)
    ]
    return Pairs(name=whole.name, a=sides[0], b=sides[1], aligned=True, scale=1, notes=(said,))


def _picture(opened: Opened, name: str) -> Image.Image:
    """A picture that can be cut and degraded. Raises UserError for one of other channels or numbers than Pillow knows."""
    if not isinstance(opened, Image.Image):
        raise UserError(
            f"pairs are made of pictures of gray, RGB or RGBA, but {name} holds {opened.mode}: give the two sides in folders of their own."
        )
    return opened


def _half(example: Example, right: int) -> Image.Image:
    with _picture(example.open(), example.name) as opened:
        image = ImageOps.exif_transpose(opened)  # turned first, or what is cut off would be another half
        half = image.width // 2
        return image.crop((right * half, 0, (right + 1) * half, image.height))


def _degraded(path: Path, words: str) -> Pairs:
    """Single pictures: the degraded one is given, the picture itself is made."""
    parsed(words)
    whole = from_folder(path)
    held_out = whole.held_out and _degraded_collection(_plain(whole.held_out), words)
    return replace(_degraded_collection(_plain(whole), words), notes=(f"degraded by {words}",), held_out=held_out)


def _degraded_collection(plain: Collection, words: str) -> Pairs:
    scale = scale_of(words)
    return Pairs(name=plain.name, a=plain, b=plain, aligned=True, scale=scale, degrade=words)


def suffered(plain: Collection, words: str, size: tuple[int, int], crop: str) -> Collection:
    """Pictures brought to a size (height, width), then degraded: so that noise is as strong as it was asked for."""
    examples = [replace(example, open=partial(_suffered, example, words, size, crop)) for example in plain.examples]
    return _of(plain, examples, f"degraded {words} at {size[0]}x{size[1]} {crop}")


def _suffered(example: Example, words: str, size: tuple[int, int], crop: str) -> Image.Image:
    with _picture(example.open(), example.name) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode in DEEP:
            raise UserError(
                f"--degrade damages pictures of 8 bits, but {example.name} has more: give its damaged partner, in folders A/ and B/."
            )
        plain = converted(upright, min(4, channels_of(upright)))
        return degraded(resized(plain, *size, crop), words, example.name)


def _masked(path: Path, masks: Path) -> Pairs:
    """Single pictures: with holes they are given, whole they are made. Masks have the names of the pictures, or none of them has: then
    each picture gets one by chance, always the same."""
    for folder, what in ((path, "pictures"), (masks, "--masks")):
        if not folder.is_dir():
            raise UserError(
                f"filling holes takes a folder of pictures and one of masks, but {what} {folder} is none: correct it."
            )
    whole = from_folder(path)
    holes = list(_plain(from_folder(masks)).examples)
    if masks.resolve() == path.resolve() or path.resolve() in masks.resolve().parents:
        raise UserError(
            f"--masks {masks} lies in the pictures' own folder {path}: put masks and pictures in folders of their own."
        )
    tests = _with_masks(_plain(whole.held_out), holes, masks) if whole.held_out else None
    return replace(_with_masks(_plain(whole), holes, masks), held_out=tests)


def _with_masks(plain: Collection, masks: Sequence[Example], folder: Path) -> Pairs:
    known = {mask.name: mask for mask in masks}
    # sets of masks to be dealt are numbered, too, so that 00001.png need not be the mask of 1.png
    found = partners([example.name for example in plain.examples], list(known), zeros=False)
    found.refuse_unclear(("the pictures", str(folder)))
    mask_of = dict(found.pairs)
    own = [known[mask_of[example.name]] if example.name in mask_of else None for example in plain.examples]
    lacking, notes = found.alone[0], (f"with holes by the masks in {folder}",)
    if len(lacking) == len(own):
        notes = (f"with holes by the masks in {folder}, dealt by chance, as none has the name of a picture",)
        own = [masks[zlib.crc32(example.name.encode()) % len(masks)] for example in plain.examples]
    elif lacking:
        raise UserError(
            f"{len(lacking)} of {len(own)} pictures have no mask in {folder} ({listed(lacking, _NAMED)}): add them, or give masks of other "
            "names, which are dealt by chance."
        )
    pairs = zip(plain.examples, own, strict=True)
    fitting = len(lacking) < len(own)
    examples = [replace(example, open=partial(_hidden, example, mask, fitting)) for example, mask in pairs if mask is not None]
    names = [mask.name for mask in own if mask is not None]
    a = _of(plain, examples, f"holes by {folder.resolve()} {names} {file_key(sorted(files_below(folder, lambda _: True)))}")
    return Pairs(name=plain.name, a=a, b=plain, aligned=True, scale=1, holes=True, notes=notes)


def _hidden(example: Example, mask: Example, fitting: bool) -> Image.Image:
    """A mask that was dealt by chance is brought to the size of the picture."""
    with _picture(example.open(), example.name) as picture, _picture(mask.open(), mask.name) as white:
        picture = ImageOps.exif_transpose(picture)
        return hidden(picture, white if fitting else white.resize(picture.size, Image.Resampling.NEAREST), example.name)


def _listed(path: Path) -> Pairs:
    """A csv with the columns a and b, paths relative to its folder, and perhaps `split`: train, or test for what is held out."""
    columns, rows = _rows_of(path)
    if not {"a", "b"} <= set(columns):
        raise UserError(f"{path} must have the columns a and b with paths of images, but it has {', '.join(columns)}.")
    absent = [row[side] or "an empty name" for row in rows for side in ("a", "b") if not (path.parent / row[side]).is_file()]
    if absent or not rows:
        raise UserError(f"{path} names {listed(absent, _NAMED) or 'no files'}, which are not there: correct the list.")
    known = ("train", *_TESTS)
    if strange := {row["split"] for row in rows if row.get("split", "train").lower() not in known}:
        raise UserError(f"{path} has {listed(sorted(strange), _NAMED)} in its column split: write {' or '.join(known)}.")
    held = [row for row in rows if row.get("split", "train").lower() in _TESTS]
    kept = [row for row in rows if row not in held]
    if not kept:
        raise UserError(f"{path} has no pair to train on, as all are held out by its column split: write train for some.")
    return replace(_of_rows(path, kept, ""), held_out=_of_rows(path, held, " held out") if held else None)


def _rows_of(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the columns and the rows of a csv. Raises UserError where it is none, or not in UTF-8."""
    with opened_lines(path) as lines:
        reader = csv.DictReader(lines)
        return list(reader.fieldnames or ()), [
            {name: (value or "").strip() for name, value in row.items() if name} for row in reader
        ]


def _names_files(path: Path) -> bool:
    """Whether a csv has the columns a and b, and files of these names in its first row."""
    with suppress(UserError), opened_lines(path) as lines:
        first = next(csv.DictReader(lines), {})
        return all(first.get(side) and (path.parent / first[side].strip()).is_file() for side in ("a", "b"))
    return False


def _of_rows(path: Path, rows: Sequence[dict[str, str]], mark: str) -> Pairs:
    sides = []
    for side in ("a", "b"):
        paths = [path.parent / row[side] for row in rows]
        examples = [Example(row[side], None, partial(_opened, own)) for row, own in zip(rows, paths, strict=True)]
        sides.append(Collection(name=path.stem, load=partial(list, examples), key=partial(_key, [path, *paths], side + mark)))
    return Pairs(name=path.stem, a=sides[0], b=sides[1], aligned=True)


def _opened(path: Path) -> Opened:
    return (open_npy_picture if path.suffix.lower() == ARRAY_SUFFIX else open_picture)(path)


def _key(paths: Iterable[Path], side: str) -> str:
    return f"{file_key(list(paths))} {side}"


def traits(found: Pairs) -> dict[str, bool]:
    """What decides the GAN for them: see `choosing.translator`."""
    larger = found.aligned and (found.scale or scale_between(found)) > 1
    return {"aligned": found.aligned, "larger": larger, "near": is_near(found.degrade or "")}


def scale_between(found: Pairs) -> int:
    """How many times larger every b is than its a. Raises UserError for a pair that does not fit, by its name."""
    scales = {}
    for first, second in zip(found.a.examples, found.b.examples, strict=True):
        try:
            with first.open() as image, second.open() as other:
                sizes = upright_size(image), upright_size(other)
        except Exception:  # what cannot be read is named when it is decoded
            continue
        (height, width), (tall, wide) = sizes
        if tall % height or wide % width or tall // height != wide // width:
            raise UserError(
                f"the two images of a pair must have one size, or b a multiple of it, but {first.name} is {width}x{height} and its partner "
                f"{wide}x{tall}: resize one of them."
            )
        scales.setdefault(tall // height, first.name)
    if len(scales) > 1:
        found_ones = " and ".join(f"x{scale} ({name})" for scale, name in sorted(scales.items()))
        raise UserError(f"all pairs must have the same scale, but there are {found_ones}: resize them, or train on one scale.")
    return next(iter(scales), 1)
