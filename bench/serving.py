"""A server under load, held against the same work without a server.

    python bench/serving.py RUN [--seconds 6] [--requests 10000]

Clients are connections of one other process that ask, each again as soon as it is answered, for n examples of a seed of its own as .npz.
Beside each row stands what `Model.generate(n)` and the codec's writer do in one process and one thread, measured right before and right
after; "together" is `Model.generate` at the batch that the waiting requests could fill. Then memory over many requests, and the time from
the command to the first answer.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from gansmith.model import CHUNK, Model

RESULTS = Path(__file__).parent / "results" / "serving.json"
PORT = 8765
SEEDS = itertools.count(1)


def direct(model: Model, n: int, seconds: float, folder: Path, written: int | None = None) -> float:
    """Examples a second without a server; `written` splits them over so many files."""
    model.codec.write(model.generate(n, seed=0), folder / "warm.npz")
    made, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        raws = model.generate(n, seed=next(SEEDS))
        for start in range(0, n, written or n):
            model.codec.write(raws[start : start + (written or n)], folder / "x.npz")
        made += n
    return made / (time.monotonic() - began)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, n: int) -> tuple[int, float]:
    """(status, seconds) of one request."""
    body = json.dumps({"n": n, "seed": next(SEEDS), "format": "npz"}).encode()
    head = f"POST /api/v1/models/{name}/generate HTTP/1.1\r\nHost: localhost:{PORT}\r\nContent-Type: application/json\r\n"
    began = time.monotonic()
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(length)
    return int(head.split()[1]), time.monotonic() - began


async def load(name: str, n: int, clients: int, seconds: float, most: int | None = None) -> dict[str, float]:
    """Throughput and latencies of so many clients."""
    times: list[float] = []
    statuses: dict[int, int] = {}
    end = time.monotonic() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        while time.monotonic() < end and (most is None or len(times) < most):
            status, took = await ask(reader, writer, name, n)
            statuses[status] = statuses.get(status, 0) + 1
            times.append(took)
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(clients)))
    wall = time.monotonic() - began
    times.sort()
    return {
        "requests": len(times),
        "refused": sum(count for status, count in statuses.items() if status != 200),
        "examples_per_second": round(n * statuses.get(200, 0) / wall, 1),
        "p50_ms": round(1e3 * statistics.median(times), 2),
        "p95_ms": round(1e3 * times[int(0.95 * (len(times) - 1))], 2),
    }


def memory(process: int) -> int:
    """Megabytes that a process and its children hold."""
    total, children = 0, [process]
    while children:
        own = children.pop()
        try:
            status = Path(f"/proc/{own}/status").read_text()
            children += map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
    return total // 1024


def processor(process: int) -> float:
    """CPU seconds that a process and its children have used so far."""
    total, children = 0.0, [process]
    while children:
        own = children.pop()
        fields = Path(f"/proc/{own}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        children += map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())
    return round(total, 2)


def started(run: Path) -> tuple[subprocess.Popen[bytes], float]:
    """A server that is ready, and the seconds from its command to its first answer."""
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, "-m", "gansmith", "serve", str(run), "--port", str(PORT)], stderr=subprocess.DEVNULL
    )
    while server.poll() is None:
        try:
            asyncio.run(load(run.name, 1, 1, 0.01, 1))
            return server, time.monotonic() - began
        except OSError:
            time.sleep(0.02)
    raise SystemExit("the server did not start")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--requests", type=int, default=10_000)
    asked = parser.parse_args()
    run, model = asked.run.resolve(), Model.load(asked.run)
    rows = []
    server, cold = started(run)
    try:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for n, clients in itertools.product((4, 64), (1, 8, 64)):
                asyncio.run(load(run.name, n, clients, 1))
                before = direct(model, n, asked.seconds / 3, folder)
                served = asyncio.run(load(run.name, n, clients, asked.seconds))
                after = direct(model, n, asked.seconds / 3, folder)
                batch = max(n, min(CHUNK, n * clients))
                together = direct(model, batch, asked.seconds / 3, folder, written=n)
                same = (before + after) / 2
                rows.append({"n": n, "clients": clients, **served, "direct": round(same, 1), "together": round(together, 1)})
                rows[-1]["share"] = round(served["examples_per_second"] / same, 2)
                print(rows[-1], flush=True)
        held = [memory(server.pid)]
        for _ in range(10):
            asyncio.run(load(run.name, 1, 8, 3600, asked.requests // 10))
            held.append(memory(server.pid))
        print("megabytes", held)
    finally:
        server.terminate()
        server.wait()
    cold_starts = [round(cold, 2)]
    for _ in range(2):
        server, seconds = started(run)
        server.terminate()
        server.wait()
        cold_starts.append(round(seconds, 2))
    print("cold starts", cold_starts)
    RESULTS.write_text(
        json.dumps({"run": run.name, "rows": rows, "megabytes": held, "cold_starts": cold_starts}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
