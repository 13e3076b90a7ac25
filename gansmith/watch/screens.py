"""Where the live line is shown: a terminal, or a file that only grows."""

import atexit
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TextIO

from gansmith.watch.moment import Moment

if TYPE_CHECKING:
    from rich.text import Text


BAR_WIDTH = 16


class Screen(Protocol):
    """A place that shows where the run stands."""

    def show(self, moment: Moment) -> None:
        """The line as it is now; may be called hundreds of times a second."""
        ...

    def note(self, sentence: str) -> None:
        """What is being done now, in place of the line."""
        ...

    def say(self, sentence: str, level: str = "") -> None:
        """A sentence that stays, above the line."""
        ...

    def close(self, moment: Moment | None) -> None:
        """The line for the last time (None: there never was one)."""
        ...


class Lasting:
    """Another screen, without which a training goes on: when a terminal was closed, or a reader has seen enough, nothing more is shown."""

    def __init__(self, screen: Screen, stream: TextIO) -> None:
        self.screen, self.stream = screen, stream

    def show(self, moment: Moment) -> None:
        with self._going_on():
            self.screen.show(moment)

    def note(self, sentence: str) -> None:
        with self._going_on():
            self.screen.note(sentence)

    def say(self, sentence: str, level: str = "") -> None:
        with self._going_on():
            self.screen.say(sentence, level)

    def close(self, moment: Moment | None) -> None:
        with self._going_on():
            self.screen.close(moment)

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EIO):  # it will not come back, and Python would complain of it at its end
                with suppress(OSError, ValueError):
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, self.stream.fileno())
                    os.close(nowhere)


class Plain:
    """For log files and pipes: one line every few seconds, no colours, nothing overwritten."""

    def __init__(self, stream: TextIO, clock: Callable[[], float], pause: float = 10.0) -> None:
        self.stream, self.clock, self.pause = stream, clock, pause
        self._shown_at: float | None = None
        self._shown_samples: int | None = None

    def show(self, moment: Moment) -> None:
        now = self.clock()
        if self._shown_at is not None and now - self._shown_at < self.pause:
            return
        self._shown_at = now
        self._write(moment)

    def note(self, sentence: str) -> None:
        now = self.clock()
        if self._shown_at is None or now - self._shown_at >= self.pause:
            self._shown_at = now
            print(sentence, file=self.stream, flush=True)

    def say(self, sentence: str, level: str = "") -> None:
        print(f"{level}: {sentence}" if level else sentence, file=self.stream, flush=True)

    def close(self, moment: Moment | None) -> None:
        if moment is not None and moment.samples != self._shown_samples:
            self._write(moment)

    def _write(self, moment: Moment) -> None:
        self._shown_samples = moment.samples
        print("  ".join(moment.before_bar() + moment.after_bar() + moment.named_terms()), file=self.stream, flush=True)


class Terminal:
    """One line that is drawn over itself at most ten times a second; sentences scroll away above it."""

    STYLES = {"error": "bold red", "warning": "yellow", "notice": "cyan"}

    def __init__(self, stream: TextIO, clock: Callable[[], float], pause: float = 0.1) -> None:
        from rich.console import Console
        from rich.live import Live

        self.clock, self.pause = clock, pause
        self._shown_at: float | None = None
        self.console = Console(file=stream, highlight=False, markup=False, emoji=False)
        # No thread of its own: it would compete with the training for the processor.
        self.line = Live(console=self.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        # A training that dies must not leave the terminal without a cursor.
        atexit.register(self.line.stop)

    def show(self, moment: Moment) -> None:
        now = self.clock()
        if self._shown_at is not None and now - self._shown_at < self.pause:
            return
        self._shown_at = now
        if not self.line.is_started:
            self.line.start()
        self.line.update(self._drawn(moment), refresh=True)

    def note(self, sentence: str) -> None:
        from rich.text import Text

        if not self.line.is_started:
            self.line.start()
        self.line.update(Text(sentence, no_wrap=True, overflow="ellipsis", end=""), refresh=True)

    def say(self, sentence: str, level: str = "") -> None:
        self.console.print(sentence, style=self.STYLES.get(level, ""), soft_wrap=True)

    def close(self, moment: Moment | None) -> None:
        if moment is not None and self.line.is_started:
            self.line.update(self._drawn(moment), refresh=True)
        self.line.stop()
        atexit.unregister(self.line.stop)

    def _drawn(self, moment: Moment) -> "Text":
        from rich.text import Text

        # The terms come last: on a narrow terminal they are the first to be cut.
        return Text("  ", no_wrap=True, overflow="ellipsis", end="").join(
            [
                *(Text(part, style="bold") for part in moment.before_bar()),
                *([self._bar(moment.share)] if moment.share is not None else []),
                *(Text(part) for part in moment.after_bar()),
                *(Text(part, style="dim") for part in moment.named_terms()),
            ]
        )

    def _bar(self, share: float) -> "Text":
        from rich.text import Text

        stroke = "-" if self.console.options.ascii_only else "━"
        full = round(share * BAR_WIDTH)
        return Text.assemble((stroke * full, "green"), (stroke * (BAR_WIDTH - full), "bright_black"))
