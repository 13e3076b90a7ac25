"""Commands in forked children, which are killed, starved of disk or left without a folder, and what they leave behind.

The parent has loaded everything, so a child is where its work begins within milliseconds. `bench/kills.py` kills whole processes.
"""

import faulthandler
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gansmith.cli import main
from gansmith.data.tensors import read_tensors

MOST_CPU = 120.0
"""CPU seconds after which a child that has not ended counts as hanging: wall time would measure the load of the machine."""
LONGEST_REST = 120.0
"""Seconds without a hundredth of a second of CPU after which it does too."""


@dataclass(frozen=True)
class Ended:
    """How a child ended."""

    status: int
    """The exit status; that of a signal is negative."""
    said: str
    """Its standard error."""
    seconds: float
    hung: bool
    """Whether it was ended for taking too long; what it was doing stands in what it said."""
    writes: int
    """Files that it opened to write, moved, removed or made, as far as it came."""
    left: list[str]
    """The command lines of its own children that lived on for five seconds."""

    @property
    def sentences(self) -> list[str]:
        return [line for line in self.said.splitlines() if line.startswith("gansmith: ")]

    @property
    def broke(self) -> bool:
        """Whether it was a traceback, a hang or a signal of the system that ended it."""
        return "Traceback" in self.said or self.hung or self.status not in (0, 2, 130, -signal.SIGKILL)


def child(
    argv: list[str],
    folder: Path,
    *,
    after: float | None = None,
    at_write: int | None = None,
    number: int = signal.SIGKILL,
    before: Callable[[], Any] = lambda: None,
) -> Ended:
    """Runs a command in a forked child, in `folder`.

    It gets the signal `number` after so many seconds, or right before its `at_write`-th write; `before` is called in the child first.
    """
    counted = Path(tempfile.gettempdir()) / f"faults-{os.getpid()}.writes"
    near, far = os.pipe()  # no file, whose size may be limited
    began = time.monotonic()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            os.setsid()
            os.chdir(folder)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            os.close(near)
            for descriptor, stream in ((far, sys.stderr), (os.open(os.devnull, os.O_WRONLY), sys.stdout)):
                os.dup2(descriptor, stream.fileno())
            os.close(far)
            faulthandler.register(signal.SIGUSR1, sys.stderr)
            _count_writes(counted, at_write, number)
            before()
            status = main(argv)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(far)
    heard: list[bytes] = []
    listener = threading.Thread(target=_listen, args=(near, heard), daemon=True)
    listener.start()
    status, hung = _wait(process, after, number)
    left = _left(process)
    listener.join(10)
    said = b"".join(heard).decode(errors="replace")
    writes = counted.stat().st_size if counted.exists() else 0
    return Ended(status, said, time.monotonic() - began, hung, writes, left)


def _listen(pipe: int, heard: list[bytes]) -> None:
    with open(pipe, "rb", buffering=0) as file:
        while part := file.read(65536):
            heard.append(part)


def _wait(process: int, after: float | None, number: int) -> tuple[int, bool]:
    """Its exit status, and whether it hung."""
    began, sent = time.monotonic(), after is None
    moved, used = began, 0.0
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), False
        now = time.monotonic()
        if not sent and after is not None and now - began > after:
            os.kill(process, number)
            sent = True
        if (cpu := _cpu(process)) != used:
            moved, used = now, cpu
        if cpu > MOST_CPU or now - moved > LONGEST_REST:
            os.kill(process, signal.SIGUSR1)  # it writes where it is
            time.sleep(1)
            os.killpg(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            return os.waitstatus_to_exitcode(status), True
        time.sleep(0.005)


def _cpu(process: int) -> float:
    """The CPU seconds that a process has taken, with its children that ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _count_writes(counted: Path, at_write: int | None, number: int) -> None:
    """Appends a byte to a file for every write, and sends the signal before the one that is asked for."""
    tally = os.open(counted, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event == "open":
            path, _, flags = arguments
            if not flags & (os.O_WRONLY | os.O_RDWR) or str(path).startswith(("/dev/", "/proc/")):
                return
        elif event not in ("os.rename", "os.remove", "os.mkdir", "os.truncate", "os.rmdir"):
            return
        seen += 1
        with suppress(OSError):  # a full disk takes no count either, and an error here would keep files from being removed
            os.write(tally, b".")
        if seen == at_write:
            os.kill(os.getpid(), number)

    sys.addaudithook(hook)


def _left(session: int) -> list[str]:
    for _ in range(50):
        if not (found := alive(session)):
            return []
        time.sleep(0.1)
    return found


def alive(session: int) -> list[str]:
    """The command lines of processes that are left of a session."""
    found = []
    for facts in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = facts.read_text().rpartition(") ")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((facts.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def drafts(folder: Path) -> list[Path]:
    """What killed writers left."""
    return [path for path in folder.rglob(".*") if ".tmp" in path.name or ".part" in path.name]


def torn(folder: Path) -> list[str]:
    """Files that are finished by their names and half by their content."""
    found = []
    for path in folder.rglob("*"):
        if path.is_dir() or path.name.startswith(".") or path in drafts(folder):
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".jsonl":
                [json.loads(line) for line in path.read_text().splitlines()]
            elif path.suffix == ".safetensors" and path.parent.name != "datasets":
                read_tensors(path)
            elif path.suffix in (".png", ".gif", ".tif"):
                with Image.open(path) as image:
                    image.load()
            elif path.suffix in (".npy", ".npz") and ".partial" not in str(path):
                np.load(path)
            elif path.suffix in (".csv", ".html") and not path.read_text().endswith(("\n", ">")):
                raise ValueError("its end is missing")
        except Exception as error:
            found.append(f"{path}: {error}")
    return found
