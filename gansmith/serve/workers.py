"""The server's side of a worker: starts its process, hands it requests, and starts it anew when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gansmith.errors import UserError
from gansmith.serve.refusals import BusyError, CancelledError, FaultError, GoneError, ShortError

LINE = 2**24
"""The longest answer of a worker in bytes."""
AGAIN = 2
"""How often a request is handed to a new worker after the one before ended without having begun it."""
START = 120.0
"""Seconds that a worker may take to load its model."""


@dataclass
class Waiting:
    """A request that is not answered yet."""

    request: Mapping[str, Any]
    answer: asyncio.Future[Mapping[str, Any]]
    progress: Callable[[float], None]
    begun: float | None = None
    tries: int = 0
    asked: float = field(default_factory=time.monotonic)


class Worker:
    """One process for one model (or for whatever `module` does with lines)."""

    def __init__(self, given: Mapping[str, Any], *, most: int, seconds: float, module: str = "gansmith.serve.worker") -> None:
        """`most` requests wait at a time; each may compute for `seconds`."""
        self.given, self.most, self.seconds, self.module = given, most, seconds, module
        self.waiting: dict[int, Waiting] = {}
        self.card: dict[str, Any] | None = None
        self.starts, self.number = 0, 0
        self.process: asyncio.subprocess.Process | None = None
        self.ready = asyncio.Event()
        self.failure: Exception | None = None
        self.started = 0.0
        """Seconds that the last start took."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def start(self) -> None:
        """Starts the process; `ready` is set when its model is loaded, or cannot be."""
        self.ready.clear()
        self.failure, began = None, time.monotonic()
        self.starts += 1
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self.module, json.dumps(self.given, default=str)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE,
        )
        self._do(self._read(self.process, began))
        if self.starts == 1:
            self._do(self._watch())

    def _do(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ask(self, request: Mapping[str, Any], progress: Callable[[float], None] = lambda _: None) -> Mapping[str, Any]:
        """The result of a request. Raises what `problems` says of refusals, faults and ends."""
        number, answer = self.enter(request, progress)
        try:
            return await answer
        except asyncio.CancelledError:
            self.cancel(number)
            raise

    def enter(
        self, request: Mapping[str, Any], progress: Callable[[float], None] = lambda _: None
    ) -> tuple[int, asyncio.Future[Mapping[str, Any]]]:
        """Puts a request into the queue: its number, and its future result. Raises BusyError where the queue is full."""
        if self.failure is not None:
            raise self.failure
        if len(self.waiting) >= self.most:
            raise BusyError(self.most)
        self.number += 1
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting[self.number] = Waiting({"id": self.number, **request}, answer, progress)
        if self.ready.is_set():
            self._send(self.waiting[self.number].request)
        return self.number, answer

    def place(self, number: int) -> int:
        """How many requests are before this one; 0 while it is computed."""
        held = self.waiting.get(number)
        if held is None or held.begun is not None:
            return 0
        return sum(1 for other in self.waiting if other < number)

    def cancel(self, number: int) -> None:
        """Takes a request out of the queue, or stops its computation."""
        held = self.waiting.pop(number, None)
        if held is not None:
            if not held.answer.done():
                held.answer.set_exception(CancelledError())
                held.answer.exception()  # whoever waited may have gone
            self._send({"cancel": number})

    async def close(self) -> None:
        """Ends the process and everything that waits for it."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        self._fail(list(self.waiting), GoneError("the server is ending"))
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    def _send(self, line: Mapping[str, Any]) -> None:
        pipe = self.process.stdin if self.process else None
        if pipe is not None and not pipe.is_closing():
            with contextlib.suppress(OSError, RuntimeError):
                pipe.write(f"{json.dumps(line, default=str)}\n".encode())

    async def _read(self, process: asyncio.subprocess.Process, began: float) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            answer = json.loads(line)
            if "ready" in answer:
                self.card, self.started = answer["ready"], time.monotonic() - began
                self.ready.set()
                for held in self.waiting.values():
                    self._send(held.request)
            elif "failed" in answer:
                self.failure = _exception(answer["failed"])
                self._fail(list(self.waiting), self.failure)
                self.ready.set()
            else:
                self._take(answer)
        code = await process.wait()
        if not self._closed and self.failure is None:
            await self._restart(code)

    def _take(self, answer: Mapping[str, Any]) -> None:
        held = self.waiting.get(answer["id"])
        if held is None:
            return
        if "begun" in answer:
            held.begun = held.begun or time.monotonic()
        elif "progress" in answer:
            held.progress(answer["progress"])
        else:
            del self.waiting[answer["id"]]
            if held.answer.done():
                return
            if "result" in answer:
                held.answer.set_result(answer["result"])
            else:
                held.answer.set_exception(_exception(answer))

    async def _restart(self, code: int) -> None:
        """After the process ended by itself: what it had begun failed, all else is handed to a new one."""
        loading = not self.ready.is_set()
        begun = [number for number, held in self.waiting.items() if held.begun is not None or held.tries >= AGAIN or loading]
        self._fail(begun, GoneError(f"the process that computed it {_ended(code)}"))
        for held in self.waiting.values():
            held.tries += 1
        if loading:
            self.failure = GoneError(f"the process that loads this model {_ended(code)}")
            self.ready.set()
        else:
            await self.start()

    def _fail(self, numbers: list[int], error: Exception) -> None:
        for number in numbers:
            held = self.waiting.pop(number)
            if not held.answer.done():
                held.answer.set_exception(error)
                held.answer.exception()

    async def _watch(self) -> None:
        """Ends a process whose request computes too long."""
        while True:
            await asyncio.sleep(min(1.0, self.seconds / 4))
            late = [held for held in self.waiting.values() if held.begun and time.monotonic() - held.begun > self.seconds]
            if late and self.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()


def _ended(code: int) -> str:
    if code == -9:
        return "was killed: it took too long, or the machine ran out of memory"
    return f"ended with signal {-code}" if code < 0 else f"ended with status {code}"


def _exception(answer: Mapping[str, Any]) -> Exception:
    if "refused" in answer:
        return UserError(answer["refused"])
    if "cancelled" in answer:
        return CancelledError()
    if "short" in answer:
        return ShortError(answer["short"])
    return FaultError(answer.get("fault", "unknown"))


def worker_of(run: Path, files: Path, device: str, trust: bool, most: int, seconds: float) -> Worker:
    """A worker of the model of a run."""
    return Worker({"run": str(run), "files": str(files), "device": device, "trust": trust}, most=most, seconds=seconds)
