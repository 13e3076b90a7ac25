"""Image files in folders and zip archives, their labels read from tables beside them or from the sub-folders."""

import io
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from gansmith.data.readers.archives import opened_archive, read_member
from gansmith.data.readers.files import Unreadable, file_key, files_below, read_whole
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Opened, open_npy_picture, open_picture
from gansmith.kinds.images.readers.collection import Collection, Example, natural
from gansmith.kinds.images.readers.label_tables import TABLES, Labelling, labelling

_PHOTOS = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".heic", ".heif", ".jp2", ".tif", ".tiff")
_DRAWINGS = (".png", ".gif", ".bmp", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".ico")
IMAGE_SUFFIXES = frozenset((*_PHOTOS, *_DRAWINGS))
ARRAY_SUFFIX = ".npy"
"""A file of one picture's numbers; taken for a picture only where there are no others, since such files hold anything."""
_CHUNK, _NUMBER = re.compile(r"\d{5}"), re.compile(r"\d+$")
_TRAINING, _TESTING = frozenset(("train", "training")), frozenset(("test", "testing", "val", "valid", "validation"))


@dataclass(frozen=True)
class _File:
    name: str
    """The path inside the source, as shown to people."""
    folders: tuple[str, ...]
    """The folders above it, an archive counting as one."""
    open: Callable[[], Opened]


def from_folder(folder: Path) -> Collection:
    """All images below a folder, archives in it included, in natural order of their names.

    Hidden files are left out. A table beside the images (see `label_tables`) labels them. Without one, if every image lies in a
    sub-folder (below the folders that all share), the sub-folders are the classes. Sub-folders named train and test (or val) are a
    training and a held-out split.
    """
    paths = sorted(_visible(folder), key=lambda path: natural(path.relative_to(folder).as_posix()))
    files: list[_File] = []
    ignored: list[str] = []
    tables: dict[str, str] = {}
    for path in paths:
        inside = path.relative_to(folder)
        if path.suffix.lower() in IMAGE_SUFFIXES:
            files.append(_File(inside.as_posix(), inside.parts[:-1], partial(open_picture, path)))
        elif path.suffix.lower() == ARRAY_SUFFIX:
            files.append(_File(inside.as_posix(), inside.parts[:-1], partial(open_npy_picture, path)))
        elif path.suffix.lower() == ".zip":
            more, others, described = _in_archive_of_folder(path, inside)
            files.extend(more)
            ignored.extend(others)
            tables |= described
        elif path.name.lower() in TABLES:
            tables[inside.as_posix()] = _text(_table_in(path), inside.as_posix())
        else:
            ignored.append(inside.as_posix())
    return _collection(folder, folder.resolve().name, files, ignored, tables, lambda: file_key(paths))


def from_zip(path: Path) -> Collection:
    """All images in a zip archive, as if it were a folder."""
    files, ignored, tables = _in_archive(path, "", ())
    return _collection(path, path.stem, files, ignored, tables, lambda: file_key([path]))


def from_image(path: Path) -> Collection:
    """A single image file."""
    return Collection(
        name=path.stem, load=lambda: [Example(path.name, None, partial(open_picture, path))], key=lambda: file_key([path])
    )


def _visible(folder: Path) -> Iterator[Path]:
    for path in files_below(folder, _is_used, links=True):
        if not any(map(_is_hidden, path.relative_to(folder).parts)):
            yield path


def _is_used(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in (*IMAGE_SUFFIXES, ARRAY_SUFFIX, ".zip")


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _in_archive(path: Path, prefix: str, folders: tuple[str, ...]) -> tuple[list[_File], list[str], dict[str, str]]:
    """The images, the names of other files, and the texts of tables."""
    try:
        archive = opened_archive(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read as a zip archive ({error}): download or write it again.") from error
    inside = {PurePosixPath(raw.replace("\\", "/")): raw for raw in archive.namelist() if not raw.endswith(("/", "\\"))}
    files, ignored, tables = [], [], {}
    for name, raw in sorted(inside.items(), key=lambda item: natural(item[0].as_posix())):
        if any(_is_hidden(part) for part in name.parts):
            continue
        if name.suffix.lower() in (*IMAGE_SUFFIXES, ARRAY_SUFFIX):
            read = partial(_open_member, archive, raw)
            files.append(_File(f"{prefix}{name}", (*folders, *name.parts[:-1]), read))
        elif name.name.lower() in TABLES:
            tables[f"{prefix}{name}"] = _text(_table_inside(archive, raw, path), f"{prefix}{name}")
        else:
            ignored.append(f"{prefix}{name}")
    return files, ignored, tables


def _in_archive_of_folder(path: Path, inside: Path) -> tuple[list[_File], list[str], dict[str, str]]:
    folders = (*inside.parts[:-1], inside.stem)
    try:
        return _in_archive(path, f"{inside.as_posix()}/", folders)
    except UserError as error:  # one damaged archive among many files is reported like a damaged image
        return [_File(inside.as_posix(), folders, partial(_fail, str(error.__cause__ or error)))], [], {}


def _open_member(archive: zipfile.ZipFile, name: str) -> Opened:
    file = io.BytesIO(read_member(archive, name))
    return open_npy_picture(file) if name.lower().endswith(ARRAY_SUFFIX) else open_picture(file)


def _table_in(path: Path) -> bytes:
    try:
        return read_whole(path, "label_bytes")
    except OSError as error:
        raise UserError(f"the table {path} cannot be read ({error}): correct or remove it.") from error


def _table_inside(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    try:
        return read_member(archive, name, "label_bytes")
    except Unreadable as error:
        raise UserError(f"the table {name} in {path} cannot be read ({error}): write it again, or remove it.") from error


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"the table {name} is not UTF-8 text ({error.reason}): save it as CSV in UTF-8.") from error


def _fail(why: str) -> Opened:
    raise OSError(why)


def _collection(
    path: Path, name: str, files: list[_File], ignored: list[str], tables: Mapping[str, str], key: Callable[[], str]
) -> Collection:
    arrays, pictures = [], []
    for file in files:
        (arrays if file.name.lower().endswith(ARRAY_SUFFIX) else pictures).append(file)
    if pictures:
        ignored, files = [*ignored, *(file.name for file in arrays)], pictures
    told = labelling(tables, [file.name for file in files])
    if told is None:
        ignored = [*ignored, *tables]
    if not files:
        kinds = Counter(PurePosixPath(name).suffix or "(no suffix)" for name in ignored)
        found = listed([f"{count} {suffix}" for suffix, count in kinds.most_common()], 5) if kinds else "nothing"
        raise UserError(f"{path} has no images (found: {found}): point to a folder or zip with .png, .jpg or .webp files.")
    shared = len(os.path.commonprefix([file.folders for file in files]))  # noqa: RUF071, tuples of folder names
    below = [file.folders[shared:] for file in files]
    tops = {folders[0].lower() if folders else "" for folders in below}
    if tops & _TRAINING and tops & _TESTING and tops <= _TRAINING | _TESTING:
        train = [file for file, folders in zip(files, below, strict=True) if folders[0].lower() in _TRAINING]
        test = [file for file, folders in zip(files, below, strict=True) if folders[0].lower() in _TESTING]
        held_out, _ = _labelled(test, shared + 1, told)
        examples, notes = _labelled(train, shared + 1, told)
        notes.append(f"the folders {listed(sorted(tops & _TESTING))} are held out as the test split ({len(test)} images)")
        names = told.attributes if told else ()
        tests = Collection(name=f"{name}-test", load=lambda: held_out, key=lambda: key() + "test", attributes=names)
    else:
        examples, notes = _labelled(files, shared, told)
        tests = None
    return Collection(
        name=name,
        load=lambda: examples,
        key=key,
        attributes=told.attributes if told else (),
        notes=tuple(notes),
        trouble=told.trouble if told else "",
        ignored=tuple(ignored),
        held_out=tests,
    )


def _labelled(files: Iterable[_File], shared: int, told: Labelling | None) -> tuple[list[Example], list[str]]:
    """The files as examples labelled by a table, or else by the folder just below the first `shared` ones, if all have one."""
    files = list(files)
    if told is not None and told.labels:
        return [Example(file.name, told.labels.get(file.name), file.open) for file in files], list(told.notes)
    beside = sum(len(file.folders) <= shared for file in files)
    labelled = beside == 0
    notes = list(told.notes) if told else []
    if labelled and _are_chunks(files, shared):
        labelled = False
        notes.append("the numbered sub-folders hold 1,000 images each, so they are not taken for classes")
    if 0 < beside < len(files):
        notes.append(
            f"{beside} of {len(files)} images lie outside of the sub-folders, so the sub-folders are not taken for classes"
        )
    return [Example(file.name, file.folders[shared] if labelled else None, file.open) for file in files], notes


def _are_chunks(files: Sequence[_File], shared: int) -> bool:
    """Whether sub-folders of five digits only divide numbered images by the thousand: 00001/img00001234.png, 01000/01234.png."""
    for file in files:
        folder, number = _CHUNK.fullmatch(file.folders[shared]), _NUMBER.search(PurePosixPath(file.name).stem)
        if not folder or not number or int(folder[0]) not in (int(number[0]) // 1000, int(number[0]) // 1000 * 1000):
            return False
    return True
