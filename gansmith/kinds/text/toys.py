"""Tiny texts, for tests that run over every kind of data."""

from dataclasses import replace

from gansmith.data.dataset import Dataset
from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.grammar import sentences
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.text import Texts


def toys() -> dict[str, Dataset]:
    """Characters without classes, replies, and words with classes."""
    return {"texts": texts(), "replies": replies(), "labelled texts": labelled()}


def texts(count: int = 96) -> Dataset:
    """The first three words of sentences, in characters."""
    found = replace(sentences(count), name="openings", labels=None)
    return build_texts(
        replace(found, texts=[" ".join(text.split(" ")[:3]) for text in found.texts]), Options(tokens="characters")
    )


def labelled(count: int = 96) -> Dataset:
    """Statements and questions in words."""
    found: Texts = sentences(count)
    return build_texts(found, Options(tokens="words"))


def replies(count: int = 96) -> Dataset:
    """The last words of sentences, in words, as replies to the first ones."""
    found = sentences(count)
    lines = ["\t".join(" ".join(part) for part in (text.split(" ")[:3], text.split(" ")[3:])) for text in found.texts]
    return build_texts(replace(found, name="replies", texts=lines, labels=None), Options(tokens="words", dialogue=True))
