"""A text, and the texts of a source."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """One example."""

    text: str
    label: str | None = None
    """Its class, if the data have classes."""
    context: str | None = None
    """What it answers, if the data are replies."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Texts as they were found, before any is cut or numbered."""

    name: str
    texts: Sequence[str]
    labels: Sequence[str] | None = None
    """The class of each, if there are classes."""
    contexts: Sequence[str] | None = None
    """What each answers, if they are replies."""
    documents: Sequence[int] | None = None
    """The document that each text is of, where they come from several."""
    places: Sequence[str] | None = None
    """Where each was found: "a.txt, line 3"."""
    notes: tuple[str, ...] = ()
    """Sentences about how the source was read."""
    held_out: "Texts | None" = None
    """What the source itself holds out."""
