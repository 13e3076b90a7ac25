"""The videos of folders, archives and single files, with their labels."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image

from gansmith.data.readers import films
from gansmith.data.readers.archives import opened_archive, read_member
from gansmith.data.readers.files import Unreadable, check_ends, file_key, files_below, read_whole
from gansmith.data.readers.limits import check
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.readers.collection import natural
from gansmith.kinds.images.readers.folders import IMAGE_SUFFIXES
from gansmith.kinds.images.readers.label_tables import TABLES, labelling
from gansmith.kinds.images.readers.partners import partners
from gansmith.kinds.video.clip import Footage, Label, Video, Videos
from gansmith.kinds.video.options import Options
from gansmith.kinds.video.readers import animations
from gansmith.kinds.video.readers.animations import Animation, is_animated
from gansmith.kinds.video.readers.footage import Film, Frames

TRAINING, TESTING = ("train", "training"), ("test", "testing", "val", "valid", "validation")
"""Folders of a source that brings its own split."""
PICTURES = tuple(sorted(IMAGE_SUFFIXES))
VIDEOS = (*films.SUFFIXES, *animations.SUFFIXES)
"""Files each of which may be a video."""
LOOKED_AT = 8
"""So many files are opened to see whether pictures are animated."""


@dataclass(frozen=True)
class File:
    """A file of a folder or archive."""

    name: str
    """Its path inside the source."""
    path: Path
    """Where it lies, or what it would be called there."""
    content: Callable[[], bytes] | None = None
    """Reads a member of an archive; None for a file on disk."""

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    @property
    def folder(self) -> str:
        return PurePosixPath(self.name).parent.as_posix()

    @property
    def animated(self) -> bool:
        try:
            return is_animated(self.path if self.content is None else self.content())
        except (Unreadable, UserError):
            return False

    def footage(self) -> Footage:
        if self.suffix in films.SUFFIXES:
            return Film(self.path, None if self.content is None else self.content())
        return Animation(self.path if self.content is None else self.content())

    def picture(self) -> Image.Image:
        if self.content is None:
            check_ends(self.path)
        return Image.open(self.path if self.content is None else io.BytesIO(self.content()))


SIDES = (("a", "b"), ("input", "target"), ("source", "target"))
"""Names of two folders, in any case, of which the second is made of the first."""


@dataclass(frozen=True)
class FilmPairs:
    """The two sides of pairs of films: film i of both belong together."""

    a: Videos
    b: Videos
    held_out: FilmPairs | None = None
    """What the source itself holds out."""


def sides_among(names: Sequence[str]) -> tuple[str, str] | None:
    """The two folders that hold the sides of pairs, among names of files in a folder or archive that have no others beside; those in a
    folder train or test count as well."""
    tops = {PurePosixPath(name).parts[0] for name in names if len(PurePosixPath(name).parts) > 1}
    if tops and {top.lower() for top in tops} <= {*TRAINING, *TESTING}:
        names = [PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix() for name in names]
        tops = {PurePosixPath(name).parts[0] for name in names if len(PurePosixPath(name).parts) > 1}
    known = {top.lower(): top for top in tops}
    if len(known) != 2:
        return None
    return next(((known[a], known[b]) for a, b in SIDES if {a, b} == set(known)), None)


def film_pairs(path: Path, options: Options) -> FilmPairs:
    """The pairs of films of a folder or zip archive with two folders whose films have the same names. Raises UserError where it holds none,
    and for a film without its partner."""
    files = _files_of(path)
    return _paired(path.stem if path.suffix.lower() == ".zip" else path.resolve().name, str(path), files, options)


def _paired(name: str, said: str, files: Sequence[File], options: Options) -> FilmPairs:
    sides = sides_among([file.name for file in files])
    if sides is None:
        raise UserError(
            f"{said} holds no pairs of films: give a folder with the folders A and B, whose films have the same names, or an .npz with the "
            "arrays a and b."
        )
    tops = {PurePosixPath(file.name).parts[0].lower() for file in files if len(PurePosixPath(file.name).parts) > 1}
    if tops <= {*TRAINING, *TESTING}:
        parts = []
        for words in (TRAINING, TESTING):
            own = [file for file in files if PurePosixPath(file.name).parts[0].lower() in words]
            inside = [replace(file, name=PurePosixPath(*PurePosixPath(file.name).parts[1:]).as_posix()) for file in own]
            parts.append(_paired(name, f"{said} ({listed(words[:1])})", inside, options) if own else None)
        train, test = parts
        assert train is not None or test is not None
        return replace(train, held_out=test) if train is not None else test  # pyright: ignore[reportReturnType]
    plain, found = replace(options, labels=False), []
    for side in sides:
        own = [file for file in files if PurePosixPath(file.name).parts[0] == side]
        inside = [replace(file, name=PurePosixPath(*PurePosixPath(file.name).parts[1:]).as_posix()) for file in own]
        key = file_key(sorted({file.path for file in own})) if own else side
        found.append(_videos(name, f"the folder {side} of {said}", inside, f"{key} {side}", plain))
    a, b = (replace(side, notes=()) for side in found)
    together = partners([video.name for video in a.videos], [video.name for video in b.videos])
    together.refuse_unclear(sides)
    for own, other, alone in ((sides[0], sides[1], together.alone[0]), (sides[1], sides[0], together.alone[1])):
        if alone:
            raise UserError(
                f"{listed(sorted(alone, key=natural), 3)} of {said} {'is' if len(alone) == 1 else 'are'} in {own} alone: add the films of "
                f"the same names to {other}, remove {'it' if len(alone) == 1 else 'them'}, or pass --task generation if these are classes."
            )
    known = [{video.name: video for video in side.videos} for side in (a, b)]
    pairs = sorted(together.pairs, key=lambda pair: natural(pair[1]))
    notes = (f"{sides[0]} is given, and {sides[1]} is made of it",)
    return FilmPairs(
        replace(a, videos=[known[0][one] for one, _ in pairs]),
        replace(b, videos=[known[1][other] for _, other in pairs], notes=(*b.notes, *notes)),
    )


def _files_of(path: Path) -> list[File]:
    """The files of a folder, zip archives in it included, or of an archive."""
    if path.suffix.lower() == ".zip" and path.is_file():
        return _members(path)
    files: list[File] = []
    for own in sorted(files_below(path, _is_used)):
        inside = own.relative_to(path).as_posix()
        if own.suffix.lower() == ".zip":
            files += [File(f"{inside}/{member.name}", own, member.content) for member in _members(own)]
        else:
            files.append(File(inside, own))
    return files


def from_folder(folder: Path, options: Options) -> Videos:
    """All videos below a folder, zip archives in it included: films, animations, and folders of numbered pictures.

    A table beside them (labels.csv) labels them; without one, if every video lies in a sub-folder, the sub-folders are the classes. Sub-
    folders train and test are a training and a held-out split. Raises UserError if there are none.
    """
    files = _files_of(folder)
    return _split(folder.resolve().name, str(folder), files, lambda: file_key(sorted({file.path for file in files})), options)


def from_zip(path: Path, options: Options) -> Videos:
    """All videos of a zip archive, as if it were a folder."""
    return _split(path.stem, str(path), _members(path), lambda: file_key([path]), options)


def from_file(path: Path) -> Videos:
    """A single film or animation."""
    file = File(path.name, path)
    return Videos(name=path.stem, videos=[Video(path.name, file.footage)], key=file_key([path]))


def _is_used(name: str) -> bool:
    return name.lower().endswith((*films.SUFFIXES, *PICTURES, ".apng", ".zip"))


def _members(path: Path) -> list[File]:
    """The files of an archive, each of which opens it anew: footage is read long after the listing."""
    try:
        with opened_archive(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/") and not _hidden(name)]
    except Unreadable as error:
        raise UserError(f"{path} cannot be read as a zip archive ({error}): download or write it again.") from error
    return [File(name, path.with_name(PurePosixPath(name).name), partial(_member, path, name)) for name in names]


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _member(path: Path, name: str) -> bytes:
    with opened_archive(path) as archive:
        return read_member(archive, name)


def _split(name: str, said: str, files: Sequence[File], key: Callable[[], str], options: Options) -> Videos:
    """The training videos, and those that the source holds out."""
    tops = {PurePosixPath(file.name).parts[0].lower() for file in files if len(PurePosixPath(file.name).parts) > 1}
    loose = [file for file in files if len(PurePosixPath(file.name).parts) == 1 and file.name.lower() not in TABLES]
    known = tops & {*TRAINING, *TESTING}
    if loose or tops != known or not (known & {*TRAINING} and known & {*TESTING}):
        return _videos(name, said, files, key(), options)
    parts = {
        words: [file for file in files if PurePosixPath(file.name).parts[0].lower() in (*words, *TABLES)]
        for words in (TRAINING, TESTING)
    }
    held_out = _videos(name, said, parts[TESTING], f"{key()} held out", options, above=1)
    train = _videos(name, said, parts[TRAINING], key(), options, above=1)
    note = f"the folder {listed(sorted(known & {*TESTING}))} is held out as the test split ({len(held_out.videos):,} videos)"
    return Videos(**{**vars(train), "held_out": held_out, "notes": (*train.notes, note)})


def _videos(name: str, said: str, files: Sequence[File], key: str, options: Options, above: int = 0) -> Videos:
    """The videos among files, labelled by a table or by the folders below the first `above` ones."""
    tables = (
        {file.name: _text(file) for file in files if PurePosixPath(file.name).name.lower() in TABLES} if options.labels else {}
    )
    found, notes = _recognised(files)
    if not found:
        raise UserError(
            f"{said} has no videos: give films ({', '.join(films.SUFFIXES)}), animated {', '.join(animations.SUFFIXES)}, or folders "
            "of numbered pictures, one folder a video."
        )
    names = sorted(found, key=natural)
    labels: Mapping[str, Label] = {}
    attributes: tuple[str, ...] = ()
    if options.labels:
        told = labelling(tables, names)
        if told is not None and told.trouble:
            raise UserError(told.trouble)
        if told is not None and told.labels:
            labels, attributes, notes = told.labels, told.attributes, [*notes, *told.notes]
        else:
            labels = _by_folder(names, above)
    digest = hashlib.sha256("\0".join([key, *(f"{own} {labels.get(own)}" for own in names)]).encode()).hexdigest()
    videos = [Video(own, found[own], labels.get(own)) for own in names]
    return Videos(name=name, videos=videos, key=digest, attributes=attributes, notes=tuple(notes))


def _recognised(files: Sequence[File]) -> tuple[dict[str, Callable[[], Footage]], list[str]]:
    """What opens each video, by its name, and sentences: films, animations, and folders of pictures that are not animated."""
    found: dict[str, Callable[[], Footage]] = {}
    pictures: dict[str, list[File]] = {}
    for file in files:
        if file.suffix in films.SUFFIXES or file.suffix == ".apng":
            found[file.name] = file.footage
        elif file.suffix in PICTURES:
            pictures.setdefault(file.folder, []).append(file)
    notes, still = [], 0
    for folder, own in pictures.items():
        own.sort(key=lambda file: natural(file.name))
        if any(file.animated for file in own[:LOOKED_AT]):
            found |= {file.name: file.footage for file in own}
        elif len(own) > 1 and (folder != "." or not found):
            found[folder if folder != "." else "frames"] = partial(Frames, [file.picture for file in own])
        else:
            still += len(own)
    if still:
        notes.append(f"{still} picture{'s' * (still > 1)} beside the videos {'are' if still > 1 else 'is'} not used")
    return found, notes


def _by_folder(names: Sequence[str], above: int) -> dict[str, Label]:
    """The first folder of every video as its class; none if a video lies in none, or if all lie in the same."""
    parts = [PurePosixPath(name).parts[above:] for name in names]
    if any(len(own) < 2 for own in parts) or len({own[0] for own in parts}) < 2:
        return {}
    return {name: own[0] for name, own in zip(names, parts, strict=True)}


def _text(file: File) -> str:
    if file.content is not None:
        content = file.content()
        check("label_bytes", len(content), file.name, "bytes")
    else:
        content = read_whole(file.path, "label_bytes")
    return content.decode("utf-8-sig", errors="replace")
