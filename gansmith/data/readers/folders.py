"""Image files in folders and zip archives, their classes read from the sub-folders."""

import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image

from gansmith.data.readers.arrays import opened
from gansmith.data.readers.collection import Collection, Example, natural
from gansmith.data.readers.files import file_key
from gansmith.data.suggestions import listed
from gansmith.errors import UserError

_PHOTOS = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".jp2", ".tif", ".tiff")
_DRAWINGS = (".png", ".gif", ".bmp", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".ico")
IMAGE_SUFFIXES = frozenset((*_PHOTOS, *_DRAWINGS))
_TRAINING, _TESTING = frozenset(("train", "training")), frozenset(("test", "testing", "val", "valid", "validation"))


@dataclass(frozen=True)
class _File:
    name: str
    """The path inside the source, as shown to people."""
    folders: tuple[str, ...]
    """The folders above it, an archive counting as one."""
    open: Callable[[], Image.Image]


def from_folder(folder: Path) -> Collection:
    """All images below a folder, archives in it included, in natural order of their names.

    Hidden files are left out. If every image lies in a sub-folder (below the folders that all share), the sub-folders are
    the classes. Sub-folders named train and test (or val) are a training and a held-out split.
    """
    paths = sorted(_visible(folder), key=lambda path: natural(path.relative_to(folder).as_posix()))
    files: list[_File] = []
    ignored: list[str] = []
    for path in paths:
        inside = path.relative_to(folder)
        if path.suffix.lower() in IMAGE_SUFFIXES:
            files.append(_File(inside.as_posix(), inside.parts[:-1], partial(Image.open, path)))
        elif path.suffix.lower() == ".zip":
            more, others = _in_archive_of_folder(path, inside)
            files.extend(more)
            ignored.extend(others)
        else:
            ignored.append(inside.as_posix())
    return _collection(folder, folder.resolve().name, files, ignored, lambda: file_key(paths))


def from_zip(path: Path) -> Collection:
    """All images in a zip archive, as if it were a folder."""
    files, ignored = _in_archive(path, "", ())
    return _collection(path, path.stem, files, ignored, lambda: file_key([path]))


def from_image(path: Path) -> Collection:
    """A single image file."""
    return Collection(
        name=path.stem, load=lambda: [Example(path.name, None, partial(Image.open, path))], key=lambda: file_key([path])
    )


def _visible(folder: Path) -> Iterator[Path]:
    seen = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(here))
        folders[:] = [name for name in folders if not _is_hidden(name) and os.path.realpath(os.path.join(here, name)) not in seen]
        yield from (Path(here, name) for name in files if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _in_archive(path: Path, prefix: str, folders: tuple[str, ...]) -> tuple[list[_File], list[str]]:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} cannot be read as a zip archive ({error}): download or write it again.") from error
    inside = [PurePosixPath(name) for name in archive.namelist() if not name.endswith("/")]
    files, ignored = [], []
    for name in sorted(inside, key=lambda name: natural(name.as_posix())):
        if any(_is_hidden(part) for part in name.parts):
            continue
        if name.suffix.lower() in IMAGE_SUFFIXES:
            read = partial(_open_member, archive, name.as_posix())
            files.append(_File(f"{prefix}{name}", (*folders, *name.parts[:-1]), read))
        else:
            ignored.append(f"{prefix}{name}")
    return files, ignored


def _in_archive_of_folder(path: Path, inside: Path) -> tuple[list[_File], list[str]]:
    folders = (*inside.parts[:-1], inside.stem)
    try:
        return _in_archive(path, f"{inside.as_posix()}/", folders)
    except UserError as error:  # one damaged archive among many files is reported like a damaged image
        return [_File(inside.as_posix(), folders, partial(_fail, str(error.__cause__)))], []


def _open_member(archive: zipfile.ZipFile, name: str) -> Image.Image:
    return opened(archive.read(name))


def _fail(why: str) -> Image.Image:
    raise OSError(why)


def _collection(path: Path, name: str, files: list[_File], ignored: list[str], key: Callable[[], str]) -> Collection:
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
        held_out, _ = _labelled(test, shared + 1)
        examples, notes = _labelled(train, shared + 1)
        notes.append(f"the folders {listed(sorted(tops & _TESTING))} are held out as the test split ({len(test)} images)")
        tests = Collection(name=f"{name}-test", load=lambda: held_out, key=lambda: key() + "test")
    else:
        examples, notes = _labelled(files, shared)
        tests = None
    return Collection(name=name, load=lambda: examples, key=key, notes=tuple(notes), ignored=tuple(ignored), held_out=tests)


def _labelled(files: Iterable[_File], shared: int) -> tuple[list[Example], list[str]]:
    """The files as examples whose class is the folder just below the first `shared` ones, if all have one."""
    files = list(files)
    beside = sum(len(file.folders) <= shared for file in files)
    labelled = beside == 0
    notes = []
    if 0 < beside < len(files):
        notes.append(
            f"{beside} of {len(files)} images lie outside of the sub-folders, so the sub-folders are not taken for classes"
        )
    return [Example(file.name, file.folders[shared] if labelled else None, file.open) for file in files], notes
