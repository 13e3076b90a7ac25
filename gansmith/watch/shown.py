"""What notebooks show of examples, runs and judgements: small pieces of HTML without scripts."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.report.markup import Markup, join, tag
from gansmith.report.media import players
from gansmith.report.numbers import significant

if TYPE_CHECKING:
    from gansmith.evaluation.score import Score
    from gansmith.model import Model
    from gansmith.report.verdict import Verdict

SHOWN = 64
"""Examples in the picture of a list."""
SEEN = 8
"""Examples that a model makes to be seen."""


class Examples(list[Any]):
    """Generated examples: a plain list that notebooks show as pictures, players and texts."""

    def __init__(self, raws: Iterable[Any] = (), codec: Any = None) -> None:
        super().__init__(raws)
        self._codec = codec

    def __reduce__(self) -> tuple[type, tuple[list[Any]]]:
        """Pickled and copied as a plain list."""
        return list, (list(self),)

    def _repr_html_(self) -> str | None:
        return examples(self._codec, self) if self._codec is not None and self else None


def examples(codec: Any, raws: Sequence[Any]) -> Markup:
    """The picture of the first examples, and their sounds, clips and texts."""
    from gansmith.runs.previews import preview_of, write_preview

    with tempfile.TemporaryDirectory() as folder:
        path = write_preview(Path(folder), "examples", preview_of(codec, raws[: min(SHOWN, codec.previewed)]))
        return picture(path, f"{len(raws):,} generated examples")


def model(shown: Model) -> Markup:
    """A model: what it is, and a few examples where it needs nothing given."""
    card, spec = shown.card, shown.codec.spec
    facts = f"{card['gan']}, trained on {card.get('data', 'data')}" + (
        f" ({card['samples']:,} samples)" if isinstance(card.get("samples"), int) else ""
    )
    known = f"Classes: {', '.join(map(str, spec.classes))}" if spec.classes else None
    made = examples(shown.codec, shown.generate(SEEN)) if spec.source is None else None
    return join(tag("p", tag("b", facts)), tag("p", known) if known else None, made)


def picture(path: Path, words: str) -> Markup:
    """A picture of a preview with the media beside it."""
    source = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return join(tag("img", src=source, alt=words, style="max-width: 100%; image-rendering: pixelated"), players(path, words)[0])


def run(folder: Path, name: str, verdict: Verdict) -> Markup:
    """A run: its verdict, the command that helps most, and the newest picture."""
    latest = folder / "samples" / "latest.png"
    return join(
        tag("p", tag("b", name), " ", str(verdict)),
        tag("pre", verdict.command) if verdict.command else None,
        picture(latest, "Generated examples") if latest.is_file() else None,
        tag("p", f"Report: {folder / 'report.html'}"),
    )


def scores(found: Sequence[Score]) -> Markup:
    """A table of scores beside baseline, rival and ceiling."""
    rivals = any(score.rival is not None for score in found)
    heads = ("score", "value", "95%", "baseline", *(["rival"] if rivals else []), "ceiling")
    rows = []
    for score in found:
        beside = (score.baseline, *([score.rival] if rivals else []), score.ceiling)
        cells = (
            f"{score.name} {'↓' if score.better == 'lower' else '↑'}",
            tag("b", significant(score.value)),
            f"{significant(score.low)} to {significant(score.high)}",
            *("–" if value is None else significant(value) for value in beside),
        )
        rows.append(tag("tr", *(tag("td", cell) for cell in cells)))
    return tag("table", tag("thead", tag("tr", *(tag("th", head) for head in heads))), tag("tbody", *rows))
