"""Music from MIDI files, folders and zips of them, and lists of pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gansmith.data.readers.archives import opened_archive, read_member
from gansmith.data.readers.files import Unreadable, files_below, read_whole
from gansmith.data.readers.limits import check
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.music.midi import read_midi
from gansmith.kinds.music.options import Options
from gansmith.kinds.music.piece import Piece

MIDI = (".mid", ".midi")


def read(path: Path, options: Options) -> tuple[list[Piece], list[str], tuple[str, ...]]:
    """(pieces, their names, sentences about files that are left out). Raises UserError where there is no music."""
    if path.is_dir():
        below = files_below(path, lambda name: name.lower().endswith(MIDI))
        files = [each for each in sorted(below) if each.name.lower().endswith(MIDI)]
        contents = [(str(each.relative_to(path)), partial(read_whole, each, "array_bytes")) for each in files]
    elif path.suffix.lower() == ".zip":
        return _of_zip(path, options)
    else:
        return [read_midi(content_of(path), str(path), options.steps)], [path.stem], ()
    return _all(contents, str(path), options)


def _of_zip(path: Path, options: Options) -> tuple[list[Piece], list[str], tuple[str, ...]]:
    try:
        with opened_archive(path) as archive:
            names = sorted(name for name in archive.namelist() if name.lower().endswith(MIDI) and "__MACOSX" not in name)
            contents = []
            for name in names:
                contents.append((name, partial(bytes, read_member(archive, name))))
    except Unreadable as error:
        raise UserError(f"{path} cannot be read ({error}): check that it is a whole zip.") from error
    return _all(contents, str(path), options)


def content_of(path: Path) -> bytes:
    """The bytes of a file. Raises UserError if it cannot be read."""
    try:
        return read_whole(path, "array_bytes")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error}): check that it is whole and that you may read it.") from error


def _all(
    contents: Sequence[tuple[str, Callable[[], bytes]]], where: str, options: Options
) -> tuple[list[Piece], list[str], tuple[str, ...]]:
    if not contents:
        raise UserError(f"{where} holds no MIDI files: give {listed(MIDI, 2)}.")
    check("members", len(contents), where, "files")
    pieces, names, bad = [], [], []
    for name, content in contents:
        try:
            pieces.append(read_midi(content(), name, options.steps))
            names.append(name)
        except UserError as error:
            bad.append(str(error))
    if 2 * len(bad) > len(contents):
        raise UserError(f"{len(bad):,} of {len(contents):,} files of {where} cannot be read; the first: {bad[0]}")
    notes = (f"{len(bad):,} of {len(contents):,} files are left out, the first since {bad[0].partition(':')[0]}",) if bad else ()
    return pieces, names, notes
