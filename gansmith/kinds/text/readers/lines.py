"""Texts from files of lines, folders of them, and lists from Python."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gansmith.data.readers.files import files_below
from gansmith.data.readers.limits import check
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.readers.content import text_of
from gansmith.kinds.text.readers.encodings import looks_like_text
from gansmith.kinds.text.text import Texts

TEXTS = (".txt", ".txt.gz", ".text")
"""Files that are surely text."""
BREAK = re.compile(r"\r\n|\n|\r")
BLANK = re.compile(r"\n[^\S\n]*\n\s*")
TRAINING, TESTING = ("train", "training"), ("test", "testing", "val", "valid", "validation")
"""Folders of a source that brings its own split."""


@dataclass
class _Found:
    """Texts as they are read."""

    texts: list[str] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    blank: int = 0
    encodings: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)


def from_file(path: Path, options: Options) -> Texts:
    """The lines of a file, or with `document` what blank lines set apart. Raises UserError if there are none."""
    found = _Found()
    text = _text(path, options, found)
    if options.document:
        _add_documents(BLANK.split(text.strip("\n")), found)
    else:
        _add_lines(text, path, "", None, 0, found)
    return _finished(path.name.split(".")[0], found, str(path), labelled=False)


def from_folder(folder: Path, options: Options) -> Texts:
    """The lines of all text files below a folder, or with `document` the files themselves.

    If every file lies in a sub-folder, the sub-folders are the classes, unless `labels` is off; sub-folders train and test are
    a training and a held-out split. Raises UserError if there are no texts.
    """
    files = text_files(folder)
    if not files:
        raise UserError(f"{folder} has no text files: give a folder with .txt files, or a file.")
    parts = [path.relative_to(folder).parts for path in files]
    tops = {own[0].lower() for own in parts if len(own) > 1}
    split = all(len(own) > 1 for own in parts) and tops <= {*TRAINING, *TESTING} and tops & {*TRAINING} and tops & {*TESTING}
    if not split:
        return _of_files(folder, files, 0, options)
    name = folder.resolve().name
    train, test = (
        _of_files(folder, [path for path, own in zip(files, parts, strict=True) if own[0].lower() in names], 1, options)
        for names in (TRAINING, TESTING)
    )
    note = f"the folder {listed(sorted(tops & {*TESTING}))} is held out as the test split ({len(test.texts):,} texts)"
    return Texts(**{**vars(train), "name": name, "held_out": test, "notes": (*train.notes, note)})


def from_list(texts: Sequence[str], options: Options) -> Texts:
    """Strings from Python, each an example."""
    found = _Found()
    for place, text in enumerate(texts):
        if not text.strip():
            found.blank += 1
            continue
        found.texts.append(_valid(text, f"text {place}"))
        found.places.append(f"text {place}")
    return _finished("texts", found, "the list", labelled=False)


def text_files(folder: Path) -> list[Path]:
    """The text files below a folder by name: those whose suffix says so, or else whatever is not binary. Hidden ones are left out."""
    paths = sorted(files_below(folder, _is_named))
    named = [path for path in paths if _is_named(path.name)]
    return named or [path for path in paths if looks_like_text(path)]


def _is_named(name: str) -> bool:
    return name.lower().endswith((*TEXTS, ".jsonl"))


def _of_files(folder: Path, files: Sequence[Path], above: int, options: Options) -> Texts:
    """The texts of files, whose classes are the folders below the first `above` ones."""
    from gansmith.kinds.text.readers.sheets import rows_of_json

    found = _Found()
    parts = [path.relative_to(folder).parts[above:] for path in files]
    labelled = options.labels and all(len(own) > 1 for own in parts) and len({own[0] for own in parts}) > 1
    for number, (path, own) in enumerate(zip(files, parts, strict=True)):
        inside, label = path.relative_to(folder).as_posix(), own[0] if labelled else None
        if path.suffix.lower() == ".jsonl":
            read = rows_of_json(path, options)
            found.encodings["utf-8"] += 1
            found.texts += read.texts
            found.labels += read.labels or [label] * len(read.texts)
            found.documents += [number] * len(read.texts)
            found.places += [f"{inside}, {place}" for place in read.places or ()]
            continue
        text = _text(path, options, found)
        if options.document:
            if not text.strip():
                found.blank += 1
                continue
            found.texts.append(text.strip("\n"))
            found.places.append(inside)
            found.labels.append(label)
            found.documents.append(number)
        else:
            _add_lines(text, path, f"{inside}, ", label, number, found)
    return _finished(folder.resolve().name, found, str(folder), labelled=None not in found.labels)


def _text(path: Path, options: Options, found: _Found) -> str:
    """The whole text of a file with \\n at line ends. Raises UserError if it cannot be read, or is no text."""
    text, encoding = text_of(path, options.encoding)
    found.encodings[encoding] += 1
    if "\r" in text:
        found.ends.update(BREAK.findall(text))
        return BREAK.sub("\n", text)
    return text


def _add_lines(text: str, path: Path, inside: str, label: str | None, document: int, found: _Found) -> None:
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, 1):
        if not line.strip():
            found.blank += 1
            continue
        check("line_chars", len(line), f"line {number} of {path}", "characters")
        found.texts.append(line)
        found.labels.append(label)
        found.documents.append(document)
        found.places.append(f"{inside}line {number}")


def _add_documents(texts: Sequence[str], found: _Found) -> None:
    for number, text in enumerate(texts, 1):
        if text.strip():
            found.texts.append(text)
            found.places.append(f"document {number}")


def _valid(text: str, place: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{place} holds half of a surrogate pair, which is no character: remove it.") from error
    return text


def _finished(name: str, found: _Found, where: str, labelled: bool) -> Texts:
    """Raises UserError if nothing but blank lines was found."""
    if not found.texts:
        what = f"only {found.blank:,} blank lines" if found.blank else "no text"
        raise UserError(f"{where} holds {what}: give at least 8 lines or documents.")
    notes = []
    if (unusual := {name: count for name, count in found.encodings.items() if name != "utf-8"}) and found.encodings:
        files = (
            f"{sum(unusual.values())} of {found.encodings.total()} files are" if found.encodings.total() > 1 else "the file is"
        )
        notes.append(f"{files} not in UTF-8 and read as {listed(sorted(unusual))} (--encoding says otherwise)")
    if len(found.ends) > 1:
        notes.append("its line ends are mixed and all read as one")
    if found.blank:
        notes.append(f"{found.blank:,} blank lines are left out")
    return Texts(
        name=name,
        texts=found.texts,
        labels=[label or "" for label in found.labels] if labelled else None,
        documents=found.documents or None,
        places=found.places,
        notes=tuple(notes),
    )
