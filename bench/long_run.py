"""A long training in small: 50,000 rounds with as many ticks as a budget of 10^9 samples has. Memory, log and previews must stay flat.

    python bench/long_run.py

Ticks are made short, so that there are 2,000 of them, each with a line of log and every other one with a preview. The memory is what the
process holds (resident), read at every hundredth of the way after the first tenth.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import gansmith
from gansmith.training import trainer
from gansmith.watch.watcher import Watcher

RESULTS = Path(__file__).parent / "results" / "long_run.json"
MAX_GROWTH = 5.0
"""MB that the second half of the training may hold more than the first."""
BATCH = 8


class Memory(Watcher):
    """Reads the resident memory of this process as the training goes on."""

    def __init__(self) -> None:
        self.held: list[tuple[int, float]] = []

    def tick(self, record) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.held.append((record["samples"], pages * os.sysconf("SC_PAGE_SIZE") / 2**20))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50_000)
    rounds = parser.parse_args().rounds
    samples, memory = rounds * BATCH, Memory()
    trainer.LONGEST_TICK = samples // trainer.MAX_TICKS
    with tempfile.TemporaryDirectory() as name:
        began = time.monotonic()
        run = gansmith.train(
            "ring",
            gan="gan",
            options={"width": 16, "noise": 4},
            samples=samples,
            batch=BATCH,
            evaluate=False,
            threads=1,
            out=Path(name) / "run",
            watchers=[memory],
        )
        seconds = time.monotonic() - began
        log = run.folder / "log.jsonl"
        result = {
            "rounds": rounds,
            "seconds": round(seconds, 1),
            "ticks": len(run.records("log.jsonl")),
            "log_megabytes": round(log.stat().st_size / 1e6, 3),
            "previews": len(list(run.samples.glob("[0-9]*.png"))),
            "run_megabytes": round(sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file()) / 1e6, 2),
        }
    settled = [held for seen, held in memory.held if seen >= samples / 10]
    first, second = settled[: len(settled) // 2], settled[len(settled) // 2 :]
    result |= {
        "megabytes_first_half": round(statistics.median(first), 2),
        "megabytes_second_half": round(statistics.median(second), 2),
        "megabytes_at_end": round(settled[-1], 2),
    }
    print(json.dumps(result, indent=1))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    raise SystemExit(1 if result["megabytes_second_half"] > result["megabytes_first_half"] + MAX_GROWTH else 0)


if __name__ == "__main__":
    main()
