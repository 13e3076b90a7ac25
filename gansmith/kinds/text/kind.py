"""The kind "text": lines and documents in any language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.data.dataset import Dataset
from gansmith.data.preview import Medium, Preview
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.kind import LIKELY, POSSIBLE, SURE, Kind, Match, Sampler
from gansmith.kinds.text import toys
from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.codec import TextCodec
from gansmith.kinds.text.grammar import sentences
from gansmith.kinds.text.options import BUILTIN, Options
from gansmith.kinds.text.oracle import oracle_texts
from gansmith.kinds.text.readers.encodings import looks_like_text
from gansmith.kinds.text.readers.lines import TEXTS, from_file, from_folder, from_list
from gansmith.kinds.text.readers.sheets import from_sheet
from gansmith.kinds.text.spec import TextSpec
from gansmith.kinds.text.text import Text, Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.extractors import Extractor
    from gansmith.kinds.choice import Choice

SHEETS = (".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz", ".parquet")
"""Files whose columns may hold texts."""


class TextKind(Kind[Options, TextCodec]):
    """Text files, folders of them, columns of tables, and lists of strings."""

    unit = "texts"
    hub_task = "text-generation"
    suffixes = (".txt", ".txt.gz")
    builtin = BUILTIN
    Options = Options
    Codec = TextCodec
    Spec = TextSpec
    gan = "sequencegan"
    metrics = ("bleu", "self_bleu", "distinct", "text_c2st", "frechet", "precision", "recall", "copied_span", "memorisation")
    exported = "as tokens: see the vocabulary in model.json"

    def recognise(self, source: Source) -> Match | None:
        data, path = source.given, source.path
        if isinstance(data, list | tuple) and data and all(isinstance(each, str) for each in data):
            return Match(LIKELY, "it is a list of strings")
        if path is None:
            return None
        if source.is_folder:
            if source.count("texts.txt", "texts.jsonl"):
                return Match(SURE, "it has a file of texts")
            count = source.count(*TEXTS)
            if count or source.count(".jsonl"):
                return Match(LIKELY if 2 * count > len(source.names) else POSSIBLE - 1, f"it has {count} text files")
            readable = any(looks_like_text(path / name) for name in source.names[:10])
            return Match(POSSIBLE - 1, "its files hold text") if readable else None
        if source.suffix in SHEETS:
            return Match(POSSIBLE if source.suffix.startswith(".jsonl") else POSSIBLE - 1, "it may have a column of texts")
        if path.name.lower().endswith(TEXTS):
            return Match(SURE, "it is a text file")
        return Match(POSSIBLE - 1, "it holds text") if looks_like_text(path) else None

    def open(
        self, source: Source, options: Options, *, cache: Path, like: TextCodec | None = None, originals: bool = False
    ) -> Dataset:
        return build_texts(texts_of(source, options), options, like)

    def like(self, codec: TextCodec, options: Options, source: Source) -> Options:
        named = source.suffix in SHEETS
        kept = {name: getattr(options, name) if named else None for name in ("column", "label", "context")}
        return replace(options, **kept, dialogue=options.dialogue and bool(codec.spec.context) and not named)

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.kinds.text.inspection import inspected

        return inspected(texts_of(source, options), options)

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        replies = data.codec.spec.task == "replies"
        reason = "it reads what is answered before it writes" if replies else "it learns tokens one by one, then a critic draws"
        return Choice(self.gan, {}, reason)

    def baseline_name(self, data: Dataset) -> str:
        return "independent tokens"

    def baseline(self, train: Dataset, n: int, seed: int) -> Dataset:
        from gansmith.kinds.text.chains import independent_tokens

        return independent_tokens(train, n, seed)

    def rivals(self) -> Mapping[str, Sampler]:
        from gansmith.kinds.text.chains import kneser_ney

        return {"Kneser-Ney n-grams": kneser_ney}

    def features(self, train: Dataset, seed: int, folder: Path) -> Extractor:
        from gansmith.kinds.text.features import NgramFeatures

        return NgramFeatures(train, seed, folder)

    def find_features(self, asked: Any, train: Dataset, seed: int, folder: Path, device: Any) -> Extractor:
        from gansmith.kinds.text.encoder import requested

        return requested(asked, device)

    def preview(self, codec: TextCodec, raws: Sequence[Text]) -> Preview:
        return Preview(codec.preview(raws), (Medium("texts.txt", "text/plain", f"{codec.text(raws)}\n".encode()),))

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()


def texts_of(source: Source, options: Options) -> Texts:
    """The texts of a source. Raises UserError where it holds none."""
    path = source.path
    sheet = path is not None and not source.is_folder and source.suffix in SHEETS
    for flag, name in (("column", options.column), ("label", options.label), ("context", options.context)):
        if name is not None and not sheet and not source.is_folder:
            raise UserError(
                f"--{flag} names a column of a CSV, JSON lines or Parquet file, which {source.said()} is not: leave it out."
            )
    if isinstance(source.given, list | tuple):
        return from_list(source.given, options)
    if path is None:
        if source.given in BUILTIN:
            return oracle_texts() if source.given == "oracle" else sentences()
        raise UserError(f"there are no texts {source.said()}: give a .txt file, a folder of them, or a list of strings.")
    if source.is_folder:
        return from_folder(path, options)
    return from_sheet(path, options) if sheet else from_file(path, options)
