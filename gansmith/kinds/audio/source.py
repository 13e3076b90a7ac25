"""Where sounds come from: folders, zips, single files, arrays, Parquet files, and objects from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

import numpy as np

from gansmith.data.readers.archives import opened_archive, read_member
from gansmith.data.readers.files import Unreadable, file_key, files_below, read_whole
from gansmith.data.readers.parquet_files import hub_features, opened_parquet
from gansmith.data.readers.rows import array_names, load_small
from gansmith.data.source import Source
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.audio.drums import CLASSES, RATE, drums
from gansmith.kinds.audio.options import BUILTIN, Options
from gansmith.kinds.audio.readers.files import FOREIGN, SUFFIXES, decoded
from gansmith.kinds.audio.sound import Recording, Recordings, Sound
from gansmith.kinds.audio.speech.times import SUFFIXES as TIMES
from gansmith.kinds.audio.speech.times import times_of
from gansmith.kinds.audio.speech.transcripts import COLUMNS as TEXTS
from gansmith.kinds.audio.speech.transcripts import transcripts
from gansmith.kinds.audio.tables import Told, told
from gansmith.kinds.images.readers.collection import natural
from gansmith.kinds.images.readers.label_tables import TABLES

ARRAYS = ("wave", "waves", "audio", "samples", "x")
"""Names of the array of waves in an .npz file, [N, samples] or [N, channels, samples]."""
RATES = ("rate", "sample_rate", "sampling_rate", "sr")
HELD_OUT = ("test", "tests", "valid", "validation", "val", "heldout", "held_out")
"""Sub-folders beside "train" that are held out."""
SIDES = (("noisy", "clean"), ("a", "b"), ("input", "target"))
"""Names of two sub-folders whose files are partners: inputs, and their targets."""
COLUMNS = ("audio", "sound", "wav", "file", "bytes")
LABELS = ("label", "labels", "class", "category", "target")
SPEAKERS = ("speaker", "speaker_id", "client_id")


def recordings_of(source: Source, options: Options) -> Recordings:
    """The recordings of a source. Raises UserError where it holds none."""
    path = source.path
    if source.from_python:
        return _from_python(source.given, options)
    if path is None:
        if source.given in BUILTIN:
            return builtin()
        raise UserError(
            f"there are no sounds {source.said()}: give a folder of sound files, one of them, a .zip, .npz or Parquet file."
        )
    if source.is_folder:
        return _from_folder(path, options)
    if source.suffix == ".zip":
        return _from_zip(path, options)
    if source.suffix == ".npz":
        return _from_npz(path, options)
    if source.suffix == ".parquet":
        return _from_parquet(path, options)
    one = Recording(path.name, partial(_read, path))
    return Recordings(name=path.stem, recordings=[one], key=file_key([path]))


def builtin() -> Recordings:
    """The drum hits."""
    waves, labels = drums()
    return _in_memory("drums", waves, RATE, labels, classes=CLASSES)


def _read(path: Path) -> tuple[int, np.ndarray]:
    if path.suffix.lower() in FOREIGN:
        return decoded(b"?", path.name)
    return decoded(read_whole(path, "array_bytes"), path.name)


def _from_folder(folder: Path, options: Options) -> Recordings:
    below = files_below(folder, lambda name: name.lower().endswith((*SUFFIXES, *FOREIGN)))
    paths = {path.relative_to(folder).as_posix(): path for path in below}
    sounds = [name for name in paths if name.lower().endswith((*SUFFIXES, *FOREIGN))]
    if not sounds:
        raise UserError(f"there are no sound files in {folder}: give a folder of {listed(SUFFIXES[:7], 7)} files.")
    tables = {name: path for name, path in paths.items() if PurePosixPath(name).name.lower() in TABLES}
    texts = {name: read_whole(path, "label_bytes").decode("utf-8", errors="replace") for name, path in tables.items()}
    beside = {name: path for name, path in paths.items() if name.lower().endswith(TIMES)}
    texts |= {name: read_whole(path, "label_bytes").decode("utf-8", errors="replace") for name, path in beside.items()}
    key = file_key([paths[name] for name in sorted([*sounds, *tables, *beside])])
    named = _Named(
        name=folder.resolve().name, sounds=sounds, reader=lambda name: partial(_read, paths[name]), tables=texts, key=key
    )
    return named.recordings(options)


def _from_zip(path: Path, options: Options) -> Recordings:
    try:
        archive = opened_archive(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read as a zip ({error}): download or write it again.") from error
    names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
    sounds = [name for name in names if name.lower().endswith((*SUFFIXES, *FOREIGN))]
    if not sounds:
        raise UserError(f"there are no sound files in {path}: pack {listed(SUFFIXES[:7], 7)} files.")
    tables = [name for name in names if PurePosixPath(name).name.lower() in TABLES or name.lower().endswith(TIMES)]
    texts = {name: read_member(archive, name, "label_bytes").decode("utf-8", errors="replace") for name in tables}

    def member(name: str, archive: ZipFile = archive) -> tuple[int, np.ndarray]:
        return decoded(read_member(archive, name), name)

    named = _Named(name=path.stem, sounds=sounds, reader=lambda name: partial(member, name), tables=texts, key=file_key([path]))
    return named.recordings(options)


@dataclass(frozen=True, kw_only=True)
class _Named:
    """Sounds by their paths, and the tables beside them."""

    name: str
    sounds: Sequence[str]
    reader: Callable[[str], Callable[[], tuple[int, np.ndarray]]]
    """How the sound of a path is read."""
    tables: Mapping[str, str]
    """Texts by their paths."""
    key: str

    def recordings(self, options: Options) -> Recordings:
        """Held out by folders "train" and "test", labelled by tables or else by their first sub-folder."""
        tops = {_top(sound) for sound in self.sounds}
        if tops in map(set, SIDES):
            return _paired(self.name, self.sounds, self.reader, self.key)
        if "train" in tops and tops - {"train"} and tops - {"train"} <= set(HELD_OUT):
            return self._split(options, tops)
        return self._told(options)

    def _split(self, options: Options, tops: Set[str]) -> Recordings:
        """Folders "train" and "test": tables above both of them tell of both, else each has its own tables or sub-folders."""
        common = {table: text for table, text in self.tables.items() if PurePosixPath(table).parts[0] not in tops}
        if common:
            times = {table: text for table, text in self.tables.items() if table.lower().endswith(TIMES)}
            whole = replace(self, tables={**times, **common})._told(options, above=1)
            train, test = (
                [own for own in whole.recordings if (_top(own.name) == "train") == is_train] for is_train in (True, False)
            )
            return replace(
                whole, recordings=train, held_out=replace(whole, recordings=test, key=f"{self.key} held out", notes=())
            )
        train, test = (self._below(is_train).recordings(options) for is_train in (True, False))
        return replace(train, held_out=test)

    def _below(self, is_train: bool) -> _Named:
        """What lies below the folder "train", or below those beside it."""
        own = [sound for sound in self.sounds if (_top(sound) == "train") == is_train]
        above = _top(own[0])
        tables = {
            PurePosixPath(table).relative_to(above).as_posix(): text
            for table, text in self.tables.items()
            if PurePosixPath(table).parts[0] == above
        }
        real = {PurePosixPath(sound).relative_to(_top(sound)).as_posix(): sound for sound in own}
        return replace(
            self, sounds=list(real), reader=lambda sound: self.reader(real[sound]), tables=tables, key=f"{self.key} {above}"
        )

    def _told(self, options: Options, above: int = 0) -> Recordings:
        """Sounds, and what their tables, else their first folders below so many, say of them."""

        def folder_of(sound: str) -> str:
            parts = PurePosixPath(sound).parts
            return parts[above] if len(parts) > above + 1 else ""

        tops = set(map(folder_of, self.sounds))
        sounds, tables = sorted(self.sounds, key=natural), self.tables
        beside = {name.rpartition(".")[0]: name for name in tables if name.lower().endswith(TIMES)}
        labels_of = {sound: beside[stem] for sound in sounds if (stem := sound.rpartition(".")[0]) in beside}
        times = {sound: times_of(own, tables[own]) for sound, own in labels_of.items()} if options.transcripts else {}
        texts, tables = transcripts({name: text for name, text in tables.items() if name not in beside.values()}, sounds)
        said = told(tables, sounds) if tables else Told(None, {})
        found = said.labels
        if found is not None and found.trouble and options.labels:
            raise UserError(found.trouble.replace("images", "sounds").replace("image", "sound"))
        notes = tuple(note.replace("images", "sounds").replace("image", "sound") for note in found.notes) if found else ()
        if texts and options.transcripts is None:
            notes = (*notes, f"the table says what is said in {len(texts):,} recordings (--gan speech learns to say it)")
        labels: Mapping[str, Any] = found.labels if found else {}
        attributes = found.attributes if found and options.labels else ()
        if not labels and len(tops) > 1 and "" not in tops:
            labels = {sound: folder_of(sound) for sound in sounds}
            notes = (*notes, f"the {len(tops)} sub-folders are the classes")
        if not options.labels:
            labels, notes = {}, ()
        if labels and len(labels) < len(sounds):
            missing = next(sound for sound in sounds if sound not in labels)
            raise UserError(f"the table of labels does not name {missing} of {self.name}: add it, or pass --no-labels.")
        speakers = {sound: folder_of(sound) for sound in sounds} if not said.speakers and "" not in tops else said.speakers
        recordings = [
            Recording(
                sound, self.reader(sound), _label(labels.get(sound)), speakers.get(sound), texts.get(sound), times.get(sound, ())
            )
            for sound in sounds
        ]
        return Recordings(
            name=self.name, recordings=recordings, key=f"{self.key} {options.labels}", attributes=attributes, notes=notes
        )


def _top(path: str) -> str:
    """The first folder of a path, "" if it lies in none."""
    return PurePosixPath(path).parts[0] if "/" in path else ""


def _paired(
    name: str, sounds: Sequence[str], reader: Callable[[str], Callable[[], tuple[int, np.ndarray]]], key: str
) -> Recordings:
    """Folders "noisy" and "clean" (or "a" and "b") with files of the same names. Raises UserError for one without its partner."""
    first, second = next(side for side in SIDES if set(side) == {PurePosixPath(sound).parts[0] for sound in sounds})
    sides: dict[str, dict[str, str]] = {first: {}, second: {}}
    for sound in sounds:
        path = PurePosixPath(sound)
        sides[path.parts[0]][path.relative_to(path.parts[0]).with_suffix("").as_posix()] = sound
    if alone := sorted(sides[first].keys() ^ sides[second].keys()):
        raise UserError(
            f"{alone[0]} is in one of the folders {first} and {second} of {name} alone: add its partner, or remove it."
        )
    names = sorted(sides[second], key=natural)
    given, clean = ([Recording(sides[side][own], reader(sides[side][own])) for own in names] for side in (first, second))
    return Recordings(name=name, recordings=clean, given=given, key=key, notes=(f"{first} is given, and {second} is made of it",))


def _label(found: Any) -> str | tuple[float, ...] | None:
    return found if found is None or isinstance(found, tuple) else str(found)


def _in_memory(
    name: str, waves: np.ndarray, rate: int, labels: Sequence[Any] | None = None, *, key: str | None = None, **facts: Any
) -> Recordings:
    """Waves [N, samples] or [N, channels, samples]; integers are divided by their range."""
    if waves.dtype.kind in "iu":
        waves = waves.astype(np.float32) / float(np.iinfo(waves.dtype).max + 1)

    def read(place: int) -> tuple[int, np.ndarray]:
        wave = np.asarray(waves[place], np.float32)
        if not np.isfinite(wave).all():
            raise Unreadable("it holds NaN or infinite samples")
        return rate, wave[:, None] if wave.ndim == 1 else wave.T

    recordings = [
        Recording(f"{name}[{place}]", partial(read, place), None if labels is None else labels[place])
        for place in range(len(waves))
    ]
    return Recordings(name=name, recordings=recordings, key=key, **facts)


def _from_npz(path: Path, options: Options) -> Recordings:
    """Arrays: wave [N, samples], rate, and label [N] with classes, or attributes [N, K] with attribute_names."""
    try:
        arrays = {name: load_small(path, name) for name in array_names(path)}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise UserError(f"{path} cannot be read as arrays ({error}): write it again with numpy.savez.") from error
    name = next((name for name in ARRAYS if name in arrays and arrays[name].ndim in (2, 3)), None)
    if name is None:
        raise UserError(
            f"{path} holds {listed(list(arrays), 10) or 'nothing'}, but needs waves [N, samples]: name them wave, with rate beside it."
        )
    rate = next((int(arrays[own]) for own in RATES if own in arrays and arrays[own].size == 1), options.rate)
    if rate is None or rate < 1:
        raise UserError(f"{path} does not say how many samples a second has: add rate to the arrays, or give --rate.")
    count = len(arrays[name])
    labels, facts = None, {}
    if options.labels and "attributes" in arrays and "attribute_names" in arrays:
        labels = [tuple(map(float, row)) for row in arrays["attributes"]]
        facts["attributes"] = tuple(map(str, arrays["attribute_names"]))
    elif options.labels and (own := next((own for own in LABELS if own in arrays), None)):
        names = [str(each) for each in arrays["classes"]] if "classes" in arrays else None
        labels = [names[int(each)] if names else str(each) for each in arrays[own]]
        facts["classes"] = tuple(names) if names else None
    if labels is not None and len(labels) != count:
        raise UserError(f"{path} has {count} waves, but labels for {len(labels)}: make them as many.")
    return _in_memory(path.stem, arrays[name], rate, labels, key=f"{file_key([path])} {options.labels}", **facts)


def _from_parquet(path: Path, options: Options) -> Recordings:
    """A column of encoded files, as hubs store them, with a column of classes and one of speakers if there are any."""
    with opened_parquet(path) as file:
        schema = file.schema_arrow
        holding = [name for name in COLUMNS if name in schema.names] or [
            own.name for own in schema if "binary" in str(own.type) or "bytes" in str(own.type)
        ]
        if not holding:
            raise UserError(
                f'{path} has the columns {listed(schema.names, 10)}: name the one of encoded sound files "{COLUMNS[0]}".'
            )
        label = next((name for name in LABELS if name in schema.names), None) if options.labels else None
        speaker = next((name for name in SPEAKERS if name in schema.names), None)
        text = next((name for name in TEXTS if name in schema.names), None)
        said = hub_features(schema, str(path)).get(label or "")
        names = said.get("names") if isinstance(said, dict) else None
        table = file.read([name for name in (holding[0], label, speaker, text) if name]).to_pydict()
    recordings = []
    for row, cell in enumerate(table[holding[0]]):
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        where = f"{path.name}[{row}]"
        own = table[label][row] if label else None
        own = names[own] if isinstance(names, list) and isinstance(own, int) and own < len(names) else own
        who = table[speaker][row] if speaker else None
        words = table[text][row] if text else None
        read = partial(decoded, content if isinstance(content, bytes) else b"", where)
        recordings.append(
            Recording(
                where,
                read,
                None if own is None else str(own),
                None if who is None else str(who),
                str(words).strip() if words else None,
            )
        )
    if not recordings:
        raise UserError(f"{path} has no rows: give a file with sounds.")
    return Recordings(name=path.stem, recordings=recordings, key=f"{file_key([path])} {options.labels}")


def _from_python(given: Any, options: Options) -> Recordings:
    """(waves [N, samples], rate), or sounds."""
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], int) and hasattr(given[0], "ndim"):
        waves = np.asarray(given[0])
        waves = waves[None] if waves.ndim == 1 else waves
        if waves.ndim in (2, 3) and waves.size:
            return _in_memory("data", waves, given[1])
    if isinstance(given, list) and given and all(isinstance(one, Sound) for one in given):
        labels = [one.label for one in given]
        recordings = [
            Recording(f"data[{place}]", partial(_of_sound, one), label)
            for place, (one, label) in enumerate(zip(given, labels, strict=True))
        ]
        return Recordings(name="data", recordings=recordings)
    raise UserError("sounds from Python are given as (waves, rate), waves being an array [N, samples], or as a list of Sound.")


def _of_sound(sound: Sound) -> tuple[int, np.ndarray]:
    return sound.rate, np.asarray(sound.wave, np.float32)[:, None]
