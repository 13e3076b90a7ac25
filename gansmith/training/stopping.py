"""Requests to stop, by Ctrl-C, a scheduler or a closed terminal: SIGINT, SIGTERM and SIGHUP."""

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

PATIENCE = 30.0
"""Seconds after which a request that nobody answered ends the process."""
GRACE = 5.0
"""Seconds that are left for clearing up after a second request."""
ECHO = 0.3
"""Seconds within which requests are one and the same: a terminal and torchrun both tell the processes of a training."""
INTERRUPTED = 130
"""The exit status of a process that was asked to stop."""
_LEFT, _ANSWERED = 0, 255  # no signal has these numbers


class Stopped(KeyboardInterrupt):
    """A request to stop that ends what is being done; its text is the name of the signal."""


class Listener:
    """Calls `ask` with the name of the signal at the first request, and raises `Stopped` at the second one.

    Python runs handlers between two of its own instructions, which one long computation may keep away for hours. So a thread listens
    too, and ends the process where no handler does: after `PATIENCE` seconds without `answered`, and `GRACE` seconds after a second
    request.
    """

    def __init__(self, ask: Callable[[str], None]) -> None:
        self.ask = ask
        self.asked_at: float | None = None
        self.sockets: tuple[socket.socket, socket.socket] | None = None
        """Where the thread listens, and where it is told; None if there is no thread."""

    def handle(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if self.asked_at is None:
            self.asked_at = now
            self.ask(_name(number))
        elif now - self.asked_at > ECHO:
            raise Stopped(_name(number))

    def answered(self) -> None:
        """To be called when a request is being followed, however long that takes."""
        self._tell(_ANSWERED)

    def left(self) -> None:
        self._tell(_LEFT)

    def _tell(self, number: int) -> None:
        if self.sockets:
            self.sockets[1].send(bytes([number]))

    def watch(self, near: socket.socket) -> None:
        """The work of the thread: every signal that comes is told by the system through a socket."""
        first, asked_at, deadline = 0, 0.0, None
        while True:
            waiting = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([near], [], [], waiting)[0]:
                _end(first)
            for number in near.recv(64):
                now = time.monotonic()
                if number == _LEFT:
                    return
                if number == _ANSWERED:
                    deadline = None
                elif number not in _numbers() or signal.getsignal(number) != self.handle:
                    continue  # another signal, or somebody else handles it now
                elif not first:
                    first, asked_at, deadline = number, now, now + PATIENCE
                elif now - asked_at > ECHO:
                    deadline = now + GRACE


@contextmanager
def listening(ask: Callable[[str], None]) -> Iterator[Listener]:
    """Inside, requests to stop are told to `ask`; see `Listener`. Outside the main thread signals are somebody else's, and none come."""
    listener = Listener(ask)
    if threading.current_thread() is not threading.main_thread():
        yield listener
        return
    before = {number: signal.getsignal(number) for number in _numbers()}
    kept = before.get(getattr(signal, "SIGHUP", None)) == signal.SIG_IGN  # nohup has been asked to let it live
    taken = [number for number in before if not (kept and signal.Signals(number).name == "SIGHUP")]
    listener.sockets = near, far = socket.socketpair()
    far.setblocking(False)
    thread = threading.Thread(target=listener.watch, args=(near,), daemon=True)
    thread.start()
    descriptor = signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
    try:
        for number in taken:
            signal.signal(number, listener.handle)
        yield listener
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
        signal.set_wakeup_fd(descriptor)
        listener.left()
        thread.join()
        near.close()
        far.close()


def _numbers() -> list[int]:
    return [int(number) for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]


def _name(number: int) -> str:
    return signal.Signals(number).name


def _end(number: int) -> NoReturn:
    if os.environ.get("RANK", "0") == "0":  # of several processes, one speaks
        sentence = f"gansmith: ended at once, as {_name(number)} could not be answered: what was saved before is whole.\n"
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, sentence.encode())
    os._exit(INTERRUPTED)
