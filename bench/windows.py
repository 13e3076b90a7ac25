"""Long series cut at every step: memory and CPU seconds by their length; the memory must not grow with it.

    python bench/windows.py [--most 100000000]

A random walk of so many steps, float32 in a .npy file, is opened with windows of 24 at stride 1, a small GAN is trained on it for a
moment and judged by 500 examples; each length runs in a process of its own. Megabytes are the most memory of its own that the process
held, looked at 50 times a second, above what it holds after training on a short series; beside them stand those of the file whose pages
were mapped at a time (the system drops them when memory is short), and what the windows would take if each were copied. One thread, Linux.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from machine import machine

RESULTS = Path(__file__).parent / "results" / "windows.json"
WINDOW, SAMPLES, BATCHES, JUDGED = 24, 2000, 1000, 500


def make(path: Path, steps: int) -> None:
    """A random walk in a file, written a part at a time."""
    rng, level = np.random.default_rng(0), 0.0
    walk = np.lib.format.open_memmap(path, "w+", np.float32, (steps,))
    for start in range(0, steps, 10**6):
        part = level + rng.standard_normal(min(10**6, steps - start)).cumsum()
        walk[start : start + len(part)], level = part, float(part[-1])
    walk.flush()


class Memory:
    """The most megabytes so far, as a thread of its own sees them."""

    def __init__(self) -> None:
        self.own, self.mapped = 0.0, 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            facts = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
            own, mapped = (float(facts[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
            self.own, self.mapped = max(self.own, own), max(self.mapped, mapped)
            time.sleep(0.02)

    def begin(self) -> tuple[float, float]:
        """Begins anew, and returns what is held now."""
        self.own = self.mapped = 0.0
        time.sleep(0.1)
        return self.own, self.mapped


def measure(path: Path, place: Path) -> dict[str, float]:
    """CPU seconds and memory of this process."""
    import gansmith
    from gansmith.data.dataset import Order
    from gansmith.kinds.opening import open_dataset

    def play(path: Path, name: str) -> None:
        run = gansmith.train(
            path, kind="series", window=WINDOW, gan="rcgan", samples=SAMPLES, out=place / name, evaluate=False, device="cpu"
        )
        run.evaluate(samples=JUDGED, metrics=["frechet", "precision", "tails", "memorisation"])

    short = place / "short.npy"
    make(short, 5000)
    play(short, "short")
    memory = Memory()
    (own, mapped), start = memory.begin(), time.process_time()
    data = open_dataset(path, kind="series", window=WINDOW)
    found = {"windows": len(data), "copied_megabytes": data.arrays["series"].nbytes / 1e6}
    found |= {"open_seconds": time.process_time() - start, "open_megabytes": memory.own - own}
    order, start = Order(len(data), 0), time.process_time()
    for _ in range(BATCHES):
        data.batch(order.take(64))
    found["batch_milliseconds"] = (time.process_time() - start) / BATCHES * 1000
    start = time.process_time()
    play(path, "long")
    found |= {"train_and_judge_seconds": time.process_time() - start}
    found |= {"megabytes": memory.own - own, "mapped_megabytes": memory.mapped - mapped}
    return {name: round(value, 2) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=10**8)
    parser.add_argument("--of", type=Path)
    options = parser.parse_args()
    if options.of:
        print("\n" + json.dumps(measure(options.of, options.of.parent)))
        return
    cases = []
    steps = 10**5
    while steps <= options.most:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "walk.npy"
            make(path, steps)
            environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent), "GANSMITH_CACHE": f"{place}/cache"}
            command = [sys.executable, __file__, "--of", str(path)]
            said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            cases.append({"steps": steps, **json.loads(said.splitlines()[-1])})
            print(cases[-1], flush=True)
        steps *= 10
    facts = {"machine": machine(), "python": platform.python_version(), "window": WINDOW, "samples": SAMPLES}
    RESULTS.write_text(json.dumps({**facts, "cases": cases}, indent=2) + "\n")


if __name__ == "__main__":
    main()
