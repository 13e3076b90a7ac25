"""The process that computes for one model: reads requests from its standard input, one JSON object a line, and answers likewise.

    python -m gansmith.serve.worker '{"run": "runs/digits-0001", "files": "/tmp/..."}'

Requests that wait together and fit each other are computed in one batch (`fusing`); their files are written by threads meanwhile. What a
request asks for beyond generation is a command of the command line (`commands`), which runs here as it would there.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gansmith.errors import UserError, is_out_of_memory
from gansmith.runs.parts import MARK as PARTS

if TYPE_CHECKING:
    from gansmith.serve.making import Maker

WRITERS = 2
"""Threads that write files while the next batch is computed."""
Request = dict[str, Any]
Answer = Callable[[Mapping[str, Any]], None]


class CancelledRequest(BaseException):
    """Raised in the thread that computes, when whoever asked no longer wants the answer."""


class Loop:
    """Takes requests from a line-based stream in the order in which they came, and answers each exactly once."""

    def __init__(self, maker: Maker, lines: IO[str], say: Answer) -> None:
        self.maker, self.lines, self.say = maker, lines, say
        self.waiting: queue.Queue[Request | None] = queue.Queue()
        self.cancelled: set[int] = set()
        self.current: set[int] = set()
        self.held: list[Request] = []
        """Requests that were taken off the queue and did not fit the last batch."""

    def run(self) -> None:
        """Until the stream ends."""
        threading.Thread(target=self._read, daemon=True).start()
        with ThreadPoolExecutor(WRITERS) as pool:
            while (first := self._next()) is not None:
                batch = [first, *self._fitting(first)]
                self.current = {request["id"] for request in batch}
                for request in batch:
                    self.say({"id": request["id"], "begun": True})
                try:
                    self._answer(batch, pool)
                except CancelledRequest:
                    self._refuse(batch, {"cancelled": True})
                finally:
                    self.current = set()

    def _read(self) -> None:
        for line in self.lines:
            request = json.loads(line)
            if "cancel" in request:
                self.cancelled.add(request["cancel"])
                if request["cancel"] in self.current and threading.main_thread().is_alive():
                    signal.raise_signal(signal.SIGUSR1) if hasattr(signal, "SIGUSR1") and INSTALLED else None
            else:
                self.waiting.put(request)
        self.waiting.put(None)

    def _next(self) -> Request | None:
        while True:
            request = self.held.pop(0) if self.held else self.waiting.get()
            if request is None or request["id"] not in self.cancelled:
                return request
            self._refuse([request], {"cancelled": True})

    def _fitting(self, first: Request) -> list[Request]:
        """Waiting requests that can be computed in one batch with the first one, in their order."""
        found, room = [], self.maker.room(first)
        while room > 0:
            try:
                request = self.held.pop(0) if self.held else self.waiting.get_nowait()
            except queue.Empty:
                break
            if request is None:
                self.waiting.put(None)
                break
            if request["id"] in self.cancelled:
                self._refuse([request], {"cancelled": True})
                continue
            taken = self.maker.fits(first, request, room)
            if not taken:
                self.held.insert(0, request)
                break
            found.append(request)
            room -= taken
        return found

    def _answer(self, batch: list[Request], pool: ThreadPoolExecutor) -> None:
        def progress(share: float) -> None:
            if self.current <= self.cancelled:
                raise CancelledRequest
            for number in self.current:
                self.say({"id": number, "progress": round(share, 3)})

        try:
            written = self.maker.make(batch, progress)
        except Exception as error:
            if len(batch) > 1:  # one of them is at fault: each on its own
                for request in batch:
                    self._answer([request], pool)
                return
            self._refuse(batch, fault_of(error))
            return
        for request, write in zip(batch, written, strict=True):
            pool.submit(self._write, request, write)

    def _write(self, request: Request, write: Callable[[], Mapping[str, Any]]) -> None:
        self.cancelled.discard(request["id"])
        try:
            self.say({"id": request["id"], "result": write()})
        except Exception as error:
            self._refuse([request], fault_of(error))

    def _refuse(self, batch: list[Request], answer: Mapping[str, Any]) -> None:
        for request in batch:
            self.cancelled.discard(request["id"])
            self.say({"id": request["id"], **answer})


INSTALLED: list[bool] = []
"""Whether the main thread of this process answers requests, so that a signal may interrupt it."""


def fault_of(error: Exception) -> dict[str, Any]:
    """What is answered to a request that cannot be done: the sentence that the command line would say, or that the fault is ours."""
    if isinstance(error, UserError):
        return {"refused": str(error)}
    if is_out_of_memory(error):
        return {"short": "there is not enough memory for this: ask for less at a time."}
    if isinstance(error, OSError) and error.strerror:
        return {"short": f"the server cannot write its files ({error.strerror}): make room on its disk."}
    traceback.print_exception(error)
    return {"fault": f"{type(error).__name__}: {error}"}


def maker_of(run: Path, files: Path, device: str, *, trust: bool) -> Any:
    """Who answers for what lies in a folder: one model, or several. Raises UserError where there is none."""
    if (run / PARTS).is_file():
        from gansmith.serve.parts import Parts

        return Parts(run, files, trust=trust)
    from gansmith.serve.making import Maker

    return Maker(run, files, device, trust=trust)


def main(argv: list[str]) -> int:
    """The process: says what its model is, then answers requests until its standard input ends."""
    given = json.loads(argv[0])
    out, lock = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1), threading.Lock()
    os.dup2(2, 1)  # whatever is printed must not stand between answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is the server's to answer

    def say(answer: Mapping[str, Any]) -> None:
        line = json.dumps(answer, default=str)
        with lock:
            out.write(f"{line}\n")

    try:
        maker = maker_of(Path(given["run"]), Path(given["files"]), given.get("device", "auto"), trust=given.get("trust", False))
        loop = Loop(maker, sys.stdin, say)

        def interrupt(*_: Any) -> None:
            if loop.current and loop.current <= loop.cancelled:
                raise CancelledRequest

        signal.signal(signal.SIGUSR1, interrupt)
        INSTALLED.append(True)
        say({"ready": maker.card()})
    except Exception as error:
        say({"failed": fault_of(error)})
        return 1
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
