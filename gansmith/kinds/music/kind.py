"""The kind "music": MIDI files as voices on a grid of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.data.dataset import Dataset
from gansmith.data.preview import Medium, Preview
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.kind import LIKELY, SURE, Kind, Match, Sampler
from gansmith.kinds.music import toys
from gansmith.kinds.music.build import build_music
from gansmith.kinds.music.codec import MusicCodec, joined
from gansmith.kinds.music.midi import write_midi
from gansmith.kinds.music.options import BUILTIN, Options
from gansmith.kinds.music.piece import Piece
from gansmith.kinds.music.readers import MIDI, read
from gansmith.kinds.music.spec import MusicSpec
from gansmith.kinds.music.synthesis import wav
from gansmith.kinds.music.tunes import tunes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.extractors import Extractor
    from gansmith.kinds.choice import Choice
    from gansmith.model import Model

HEARD = 4
"""Examples of a preview that are played."""


class MusicKind(Kind[Options, MusicCodec]):
    """MIDI files, folders and zips of them."""

    unit = "examples"
    suffixes = MIDI
    builtin = BUILTIN
    Options = Options
    Codec = MusicCodec
    Spec = MusicSpec
    gan = "musicgame"
    metrics = (
        *("scale_share", "pitch_classes", "consonance", "chord_distance", "melody_distance", "rhythm_distance", "copied_music"),
        *("music_c2st", "frechet", "precision", "recall", "memorisation"),
    )
    half_precision = True
    exported = "as tokens: 0 rests, 1 holds, from 2 on pitches, the lowest first (see low in model.json)"

    def recognise(self, source: Source) -> Match | None:
        data, path = source.given, source.path
        if isinstance(data, list | tuple) and data and all(isinstance(each, Piece) for each in data):
            return Match(SURE, "it is a list of pieces")
        if path is None:
            return None
        if source.is_folder or source.suffix == ".zip":
            count = source.count(*MIDI)
            return Match(SURE if 2 * count > len(source.names) else LIKELY, f"it has {count} MIDI files") if count else None
        return Match(SURE, "it is a MIDI file") if path.name.lower().endswith(MIDI) else None

    def open(
        self, source: Source, options: Options, *, cache: Path, like: MusicCodec | None = None, originals: bool = False
    ) -> Dataset:
        pieces, _, notes = music_of(source, options)
        return build_music(_name(source), pieces, options, like, notes)

    def like(self, codec: MusicCodec, options: Options, source: Source) -> Options:
        return replace(options, bars=codec.steps // codec.spec.bar, steps=codec.per_beat, transpose=0, tracks=())

    def translates(self, model: Model) -> bool:
        """Whether it keeps given tracks."""
        return hasattr(model.gan.config, "given")

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.kinds.music.inspection import inspected

        pieces, names, notes = music_of(source, options)
        return inspected(_name(source), pieces, names, options, notes)

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        return Choice(self.gan, {}, "it fills in any cells of a piece that are missing: all of them, other voices, what follows")

    def most_compared(self, spec: MusicSpec) -> int | None:
        return 20_000

    def baseline_name(self, data: Dataset) -> str:
        return "independent columns"

    def baseline(self, train: Dataset, n: int, seed: int) -> Dataset:
        from gansmith.kinds.music.rivals import independent_columns

        return independent_columns(train, n, seed)

    def rivals(self) -> Mapping[str, Sampler]:
        from gansmith.kinds.music.rivals import markov

        return {"Markov columns": markov}

    def features(self, train: Dataset, seed: int, folder: Path) -> Extractor:
        from gansmith.kinds.music.features import MusicFeatures

        return MusicFeatures(train, seed, folder)

    def preview(self, codec: MusicCodec, raws: Sequence[Piece]) -> Preview:
        media = [Medium(f"{number}.wav", "audio/wav", wav(raw)) for number, raw in enumerate(raws[:HEARD])]
        return Preview(codec.preview(raws), (*media, Medium("all.mid", "audio/midi", write_midi(joined(raws)))))

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()


def music_of(source: Source, options: Options) -> tuple[list[Piece], list[str], tuple[str, ...]]:
    """(pieces, names, notes) of a source. Raises UserError where it holds none."""
    if isinstance(source.given, list | tuple):
        return list(source.given), [f"item {place}" for place in range(len(source.given))], ()
    if source.path is None:
        if source.given in BUILTIN:
            made = tunes()
            return made, [f"tune {place}" for place in range(len(made))], ()
        raise UserError(f"there is no music {source.said()}: give a .mid file, a folder or zip of them, or tunes.")
    return read(source.path, options)


def _name(source: Source) -> str:
    if source.path is None:
        return str(source.given) if isinstance(source.given, str) else "pieces"
    return source.path.resolve().stem if source.path.is_file() else source.path.resolve().name
