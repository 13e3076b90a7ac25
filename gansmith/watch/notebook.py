"""The training in a notebook: a bar, the terms and the newest picture in one place, drawn anew as it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gansmith.report.markup import Markup, join, tag
from gansmith.watch.live import Live
from gansmith.watch.moment import Moment
from gansmith.watch.shown import picture

KEPT = 8
"""The newest sentences that stay in view."""


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which shows HTML in place."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


class Notebook(Live):
    """The live line of a notebook."""

    def __init__(self, display: Callable[..., Any] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`display` is that of IPython unless another is given."""
        super().__init__(clock=clock)
        self.screen = Cell(display, clock)

    def preview(self, samples: int, path: Path) -> None:
        self.screen.newest = path


class Cell:
    """A place in a notebook that is drawn anew at most once a second."""

    def __init__(self, display: Callable[..., Any] | None, clock: Callable[[], float], pause: float = 1.0) -> None:
        self.display, self.clock, self.pause = display, clock, pause
        self.newest: Path | None = None
        self._handle: Any = None
        self._shown_at: float | None = None
        self._moment: Moment | None = None
        self._note = ""
        self._said: list[str] = []

    def show(self, moment: Moment) -> None:
        self._moment, self._note = moment, ""
        now = self.clock()
        if self._shown_at is None or now - self._shown_at >= self.pause:
            self._shown_at = now
            self._draw()

    def note(self, sentence: str) -> None:
        self._note = sentence
        self._draw()

    def say(self, sentence: str, level: str = "") -> None:
        self._said.append(f"{level}: {sentence}" if level else sentence)
        self._draw()

    def close(self, moment: Moment | None) -> None:
        self._moment, self._note = moment or self._moment, ""
        self._draw()

    def _draw(self) -> None:
        page = _Page(self._html())
        if self._handle is not None:
            self._handle.update(page)
            return
        if self.display is None:
            from IPython.display import display  # pyright: ignore[reportMissingImports], it is there in a notebook

            self.display = display
        self._handle = self.display(page, display_id=True)

    def _html(self) -> Markup:
        return join(
            _bar(self._moment) if self._moment is not None else None,
            tag("p", self._note) if self._note else None,
            picture(self.newest, "Generated examples") if self.newest is not None and self.newest.is_file() else None,
            tag("div", *(tag("div", sentence) for sentence in self._said[-KEPT:])),
        )


class _Page:
    """HTML that knows its own form."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


def _bar(moment: Moment) -> Markup:
    words: Sequence[str] = [*moment.before_bar(), *moment.after_bar(), *moment.named_terms()]
    bar = tag("progress", value=f"{moment.share:.4f}", max="1") if moment.share is not None else None
    return tag("p", bar, " ", "  ".join(words))
