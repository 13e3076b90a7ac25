"""Work that takes time: its place in the queue, progress, result, and who watches it."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from gansmith.serve.limits import Limits
from gansmith.serve.refusals import CancelledError, MissingError
from gansmith.serve.workers import Worker

BEAT = 15.0
"""Seconds after which a stream without news sends a comment, so that nobody thinks it dead."""


class Job:
    """One request to one worker."""

    def __init__(self, model: str, what: str, worker: Worker, request: Mapping[str, Any], command: str) -> None:
        """Enters the worker's queue. Raises BusyError where that is full."""
        self.id, self.model, self.what, self.command = secrets.token_urlsafe(18), model, what, command
        self.worker, self.progress, self.state = worker, 0.0, "queued"
        self.result: Mapping[str, Any] | None = None
        self.error: Exception | None = None
        self.began = time.time()
        self.changed = asyncio.Event()
        self.number, self.answer = worker.enter(request, self._advance)
        self.answer.add_done_callback(self._end)

    def _advance(self, share: float) -> None:
        self.state, self.progress = "running", share
        self._tell()

    def _end(self, answer: asyncio.Future[Mapping[str, Any]]) -> None:
        if answer.cancelled() or isinstance(answer.exception(), CancelledError):
            self.state, self.error = "cancelled", CancelledError()
        elif (error := answer.exception()) is not None:
            assert isinstance(error, Exception)
            self.state, self.error = "failed", error
        else:
            self.state, self.progress, self.result = "done", 1.0, answer.result()
        self._tell()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    def cancel(self) -> None:
        """Takes it out of the queue, or stops it; over is over."""
        if not self.over:
            self.worker.cancel(self.number)

    async def done(self) -> Mapping[str, Any]:
        """Its result. Raises what it failed with."""
        try:
            return await asyncio.shield(self.answer)
        except asyncio.CancelledError:  # the client has gone
            self.cancel()
            raise


class Jobs:
    """The jobs of a server, and the files of their results by random names."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self.limits = folder, limits
        self.jobs: OrderedDict[str, Job] = OrderedDict()
        self.files: OrderedDict[str, tuple[Path, str, str]] = OrderedDict()
        """By id: where a file lies, its type, and the name under which it is saved."""
        self.bytes = 0

    def add(self, job: Job) -> Job:
        """Remembers a job; the oldest that are over are forgotten."""
        self.jobs[job.id] = job
        for old in [key for key, held in self.jobs.items() if held.over][: max(0, len(self.jobs) - self.limits.kept)]:
            del self.jobs[old]
        return job

    def find(self, number: str) -> Job:
        """Raises MissingError for one that there is not."""
        if number not in self.jobs:
            raise MissingError("there is no such job: it may be long over.")
        return self.jobs[number]

    def shown(self, job: Job) -> dict[str, Any]:
        """A job for clients."""
        found: dict[str, Any] = {
            "id": job.id,
            "model": job.model,
            "what": job.what,
            "state": job.state,
            "place": job.worker.place(job.number),
            "progress": job.progress,
            "command": job.command,
            "began": job.began,
        }
        if job.error is not None:
            found["detail"] = str(job.error)
        if job.result is not None:
            found["result"] = self.published(job)
        return found

    def published(self, job: Job) -> dict[str, Any]:
        """The result with its files under /api/v1/files."""
        assert job.result is not None
        result = dict(job.result)
        if "published" not in result:
            result = {**_published(result, self.keep), "published": True}
            job.result = result
        return {key: value for key, value in result.items() if key != "published"}

    def keep(self, file: Mapping[str, Any]) -> dict[str, Any]:
        """Makes a file of a result available, and forgets the oldest where there are too many."""
        path = Path(file["path"])
        number = path.stem if path.parent == self.folder else secrets.token_urlsafe(18)
        self.files[number] = (path, file["type"], f"{file.get('called') or path.name}")
        self.bytes += file["bytes"]
        while len(self.files) > 64 * self.limits.kept or (self.bytes > self.limits.file_bytes and len(self.files) > 1):
            _, (old, _, _) = self.files.popitem(last=False)
            self.bytes -= old.stat().st_size if old.is_file() else 0
            discard(old, self.folder)
        shown = {key: value for key, value in file.items() if key in ("bytes", "type", "called")}
        return {"id": number, "url": f"/api/v1/files/{number}", "name": path.name, **shown}

    def take(self, number: str) -> tuple[Path, str, str]:
        """Where a file lies, its type and name. Raises MissingError for one that there is not."""
        if number not in self.files or not self.files[number][0].is_file():
            raise MissingError("there is no such file: results are kept for a while only.")
        return self.files[number]


def discard(path: Path, folder: Path) -> None:
    """Removes a file of a result, and the folder that was made for it alone."""
    path.unlink(missing_ok=True)
    if path.parent != folder and folder in path.parents and not any(path.parent.iterdir()):
        shutil.rmtree(path.parent, ignore_errors=True)


def _published(value: Any, keep: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(value, Mapping):
        if "path" in value and "type" in value:
            return keep(value)
        return {key: _published(own, keep) for key, own in value.items()}
    return [_published(own, keep) for own in value] if isinstance(value, list) else value


async def events(jobs: Jobs, job: Job) -> AsyncIterator[str]:
    """Server-sent events: the job whenever it changes, until it is over."""
    while True:
        changed, over = job.changed, job.over  # before it is shown: what changes while that is sent is sent too
        yield f"event: job\ndata: {json.dumps(jobs.shown(job))}\n\n"
        if over:
            return
        try:
            await asyncio.wait_for(changed.wait(), BEAT)
        except TimeoutError:
            yield ": still here\n\n"
