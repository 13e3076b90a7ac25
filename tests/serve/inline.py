"""A worker in a thread of the test's process: the same loop on the same lines, without the seconds that a process takes to import torch."""

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

from gansmith.serve.making import Maker
from gansmith.serve.worker import Loop
from gansmith.serve.workers import Worker


class InlineWorker(Worker):
    """Answers in this process."""

    async def start(self) -> None:
        self.starts += 1
        ours, theirs = os.pipe()
        self.pipe = os.fdopen(theirs, "w", buffering=1)
        events = asyncio.get_running_loop()
        maker = Maker(Path(self.given["run"]), Path(self.given["files"]), "cpu", trust=self.given["trust"])
        self.card = maker.card()

        def say(answer: Any) -> None:
            answer = json.loads(json.dumps(answer, default=str))
            if not events.is_closed():
                events.call_soon_threadsafe(self._take, answer)

        lines = os.fdopen(ours)
        self.loop = Loop(maker, lines, say)

        def work() -> None:
            with lines:
                self.loop.run()

        threading.Thread(target=work, daemon=True).start()
        self.ready.set()

    def _send(self, line: Any) -> None:
        self.pipe.write(f"{json.dumps(line, default=str)}\n")

    async def close(self) -> None:
        self.pipe.close()
