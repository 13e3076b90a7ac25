"""What a server holds: models by name with their workers, jobs, files and counts."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gansmith.errors import UserError
from gansmith.runs.parts import MARK as PARTS
from gansmith.serve.jobs import Jobs
from gansmith.serve.limits import Limits
from gansmith.serve.places import Place
from gansmith.serve.refusals import GoneError, MissingError, ServerError
from gansmith.serve.workers import START, Worker, worker_of

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
"""Names of models and runs in addresses."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the classes in which durations are counted, in seconds."""


class Hall:
    """The models that are offered, each with a worker that is started when it is first needed."""

    def __init__(
        self,
        runs: Mapping[str, Path],
        *,
        limits: Limits | None = None,
        device: str = "auto",
        trust: bool = False,
        most_workers: int = 4,
    ) -> None:
        """`most_workers` models are in memory at a time; the one that was not asked for the longest makes room."""
        self.runs, self.limits, self.device, self.trust = dict(runs), limits or Limits(), device, trust
        self.most_workers = max(1, most_workers)
        self._place = Place()
        self.folder = self._place.folder
        self.jobs = Jobs(self.folder, self.limits)
        self.workers: dict[str, Worker] = {}
        self.requests: Counter[tuple[str, str]] = Counter()
        self.durations: Counter[float] = Counter()
        self.seconds, self.counted = 0.0, 0
        self._opening = asyncio.Lock()
        self._looker: Worker | None = None

    async def open(self, names: Sequence[str]) -> None:
        """Starts the workers of these models, so that the first request finds them ready."""
        await asyncio.gather(*(self.worker(name) for name in names[: self.most_workers]))

    async def close(self) -> None:
        """Ends all workers and removes all files."""
        ends = [worker.close() for worker in (*self.workers.values(), *((self._looker,) if self._looker else ()))]
        await asyncio.gather(*ends)
        self._place.remove()

    def find(self, name: str) -> Path:
        """The folder of a model. Raises MissingError for a name that is not offered."""
        if not NAME.fullmatch(name) or name not in self.runs:
            raise MissingError(f"there is no model {name[:80]!r} here: see /api/v1/models for those there are.")
        return self.runs[name]

    async def worker(self, name: str) -> Worker:
        """The worker of a model, with its model loaded. Raises what kept it from loading."""
        worker = await self.begin(name)
        try:
            await asyncio.wait_for(worker.ready.wait(), START)
        except TimeoutError as error:
            raise UserError(f"{name} takes more than {START:g} seconds to load: look at the server's log.") from error
        if worker.failure is not None:
            raise worker.failure
        return worker

    async def begin(self, name: str) -> Worker:
        """The worker of a model, whose process is started if need be."""
        folder = self.find(name)
        async with self._opening:
            worker = self.workers.get(name)
            if worker is not None and worker.failure is not None:
                await self.shut(name)
                worker = None
            if worker is None:
                idle = [held for held, own in self.workers.items() if not own.waiting]
                for held in idle[: max(0, len(self.workers) + 1 - self.most_workers)]:
                    await self.shut(held)
                worker = worker_of(folder, self.folder, self.device, self.trust, self.limits.waiting, self.limits.seconds)
                self.workers[name] = worker
                await worker.start()
            else:
                self.workers[name] = self.workers.pop(name)  # the last one used stands last
        return worker

    async def look(self, path: Path) -> None:
        """Decodes an uploaded picture in a process of its own, which does nothing else. Raises UserError for one that is none, that has too
        many pixels, or that takes too long; whoever reads it afterwards knows that it can be read."""
        if self._looker is None:
            self._looker = Worker({}, most=self.limits.waiting, seconds=self.limits.look_seconds, module="gansmith.serve.looking")
            await self._looker.start()
        try:
            await self._looker.ask({"path": str(path), "pixels": self.limits.pixels})
        except GoneError as error:
            raise UserError(
                "the uploaded picture cannot be decoded in reasonable time and memory: give a smaller or a sound one."
            ) from error

    async def shut(self, name: str) -> None:
        """Ends the worker of a model, whose folder has changed or which must make room."""
        worker = self.workers.pop(name, None)
        if worker is not None:
            await worker.close()

    @property
    def ready(self) -> bool:
        """Whether every worker that was started has loaded its model."""
        return all(worker.ready.is_set() and worker.failure is None for worker in self.workers.values())

    # ---- counts -----------------------------------------------------------------------------------------------------------------

    def count(self, route: str, status: int, seconds: float) -> None:
        """Counts an answered request."""
        self.requests[route, str(status)] += 1
        self.seconds += seconds
        self.counted += 1
        for end in BUCKETS:
            self.durations[end] += seconds <= end

    def metrics(self) -> str:
        """The counts as Prometheus reads them."""
        lines = ["# HELP gansmith_requests_total Answered requests.", "# TYPE gansmith_requests_total counter"]
        lines += [
            f'gansmith_requests_total{{route="{_label(route)}",status="{status}"}} {count}'
            for (route, status), count in sorted(self.requests.items())
        ]
        lines += ["# HELP gansmith_request_seconds Time to answer.", "# TYPE gansmith_request_seconds histogram"]
        lines += [f'gansmith_request_seconds_bucket{{le="{end:g}"}} {self.durations[end]}' for end in BUCKETS]
        lines += [
            f'gansmith_request_seconds_bucket{{le="+Inf"}} {self.counted}',
            f"gansmith_request_seconds_sum {self.seconds:.6f}",
        ]
        lines += [f"gansmith_request_seconds_count {self.counted}"]
        gauges: dict[str, tuple[str, Mapping[str, Any]]] = {
            "gansmith_waiting": ("Requests that wait for a model.", {n: len(w.waiting) for n, w in self.workers.items()}),
            "gansmith_worker_ready": ("Whether a model is loaded.", {n: int(w.ready.is_set()) for n, w in self.workers.items()}),
            "gansmith_worker_starts": ("How often its process was started.", {n: w.starts for n, w in self.workers.items()}),
            "gansmith_worker_start_seconds": (
                "What its last start took.",
                {n: round(w.started, 3) for n, w in self.workers.items()},
            ),
        }
        for name, (about, values) in gauges.items():
            lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
            lines += [f'{name}{{model="{_label(model)}"}} {value}' for model, value in values.items()]
        lines += ["# HELP gansmith_files_bytes Bytes of results that are kept.", "# TYPE gansmith_files_bytes gauge"]
        return "\n".join([*lines, f"gansmith_files_bytes {self.jobs.bytes}", ""])


def _label(text: str) -> str:
    return re.sub(r'[\\"\n]', "_", text)


def is_model(folder: Path) -> bool:
    """Whether a model lies here; said without loading torch, which the server itself does not need."""
    return any((folder / name).is_file() for name in ("model.json", "model.safetensors", PARTS))


def named(runs: Sequence[Path]) -> dict[str, Path]:
    """Names for runs: those of their folders. Raises UserError for a place without a model, and for a name that comes twice."""
    found: dict[str, Path] = {}
    for run in runs:
        if not is_model(run) and not is_model(run / "model"):
            raise UserError(f"{run} holds no model: give a run folder or a folder with model.json and model.safetensors.")
        place = run.resolve()
        name = re.sub(
            r"[^\w.-]", "-", place.parent.name if place.name in ("model", "best") else place.name, flags=re.ASCII
        ).lstrip(".-_")
        name = name[:100] or "model"
        if name in found:
            raise UserError(f"{run} and {found[name]} would both be called {name}: rename one of the folders.")
        found[name] = place
    return found


__all__ = ["Hall", "ServerError", "named"]
