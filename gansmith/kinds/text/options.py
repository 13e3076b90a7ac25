"""How texts are read, cut into tokens and into examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from gansmith.data.options import DataOptions, check_encoding, option
from gansmith.data.values import AtLeastTwo, Whole
from gansmith.errors import UserError

BUILTIN = {
    "oracle": "10,000 texts of a random network whose probabilities are known (SeqGAN's experiment); offline",
    "sentences": "4,000 statements and questions of a small grammar, 2 classes; offline",
}
"""The built-in data of this kind, each with one line of description."""
TOKENS = ("characters", "words", "bytepairs")
"""What a token may be."""
MINIMUM = 300
"""The smallest vocabulary that can be asked for: byte pairs begin with 256 bytes."""


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Texts."""

    tokens: Literal["auto", "characters", "words", "bytepairs"] = option("auto")
    """What a text is cut into; auto takes characters, and byte pairs for long texts of an alphabet."""
    vocabulary: Annotated[int, Whole(MINIMUM)] | None = option(None, "N", "by the amount of text")
    """The most words or byte pairs."""
    length: AtLeastTwo | None = option(None, "T", "that of 99 in 100 texts, up to 64; 128 characters")
    """Tokens of an example: longer texts are cut."""
    document: bool = option(False)
    """An example is a document, not a line: a file of a folder, or what blank lines set apart in a single file."""
    column: str | None = option(None, "COLUMN", "text, or the only one")
    """The texts in a CSV, JSON lines or Parquet file."""
    label: str | None = option(None, "COLUMN")
    """The classes in a CSV, JSON lines or Parquet file."""
    context: str | None = option(None, "COLUMN")
    """What each text answers, in a CSV, JSON lines or Parquet file: the model then learns replies."""
    dialogue: bool = option(False)
    """Each example answers the one before it; of lines with a tab, what stands behind it answers what stands before it."""
    labels: bool = option(True)
    """Do not take sub-folders for classes."""
    encoding: str | None = option(None, "NAME", "what is detected")
    """The encoding of files that are not UTF-8, such as cp1252 or shift_jis."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vocabulary is not None and self.tokens == "characters":
            raise UserError("--vocabulary is for words and byte pairs, and --tokens is characters: leave one of them out.")
        check_encoding(self.encoding)
