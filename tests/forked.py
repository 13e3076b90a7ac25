"""Work in a forked child, which may be killed right before a write."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gansmith.data.tensors import read_tensors
from gansmith.runs.folder import RunFolder
from gansmith.training.checkpoint import checkpoints

WRITES = ("os.rename", "os.remove", "os.mkdir", "os.truncate")


def forked(work: Callable[[], Any]) -> tuple[int, str]:
    """The exit status of a child that does this work, that of a signal being negative, and what it wrote to stderr."""
    near, far = os.pipe()
    process = os.fork()
    if process:
        os.close(far)
        with open(near, encoding="utf-8", errors="replace") as pipe:
            said = pipe.read()
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), said
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(far, 2)
        os.close(far)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115, pytest has put another one in its place
        status = work() or 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        sys.stderr.flush()
        os._exit(status)


def killed_at(write: int, number: int, work: Callable[[], Any]) -> tuple[int, str]:
    """The same; the child sends itself a signal before its `write`-th write."""

    def counted() -> Any:
        seen = 0

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal seen
            writes = event in WRITES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))
            seen += bool(writes)
            if writes and seen == write:
                os.kill(os.getpid(), number)

        sys.addaudithook(hook)
        return work()

    return forked(counted)


def drafts(folder: Path) -> list[str]:
    """What killed writers left."""
    return [path.name for path in folder.rglob(".*") if ".tmp" in path.name]


def state(run: Path) -> tuple[dict[str, bytes], list[Any]]:
    """What decides the future of a training, and what its log says: two trainings that went the same way have the same."""
    tensors, _ = read_tensors(checkpoints(run / "checkpoints")[-1])
    log = [(line["samples"], line["terms"]) for line in RunFolder(run).records("log.jsonl")]
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}, log
