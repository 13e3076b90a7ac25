"""A studio that is attacked, whose worker is killed and whose disk is full: no answer is a 5xx without its cause.

    python bench/hostile_server.py RUN [--schemathesis PATH] [--examples 5] [--seed 1]

Four things, each on a server of its own process: schemathesis over its OpenAPI file, without streams and without what begins a training or
a game, if it is installed (pip install schemathesis, into an environment of its own); 64 clients that never finish what they send, while
others are answered; a worker that is killed at its work; files that cannot grow, as on a full disk (RLIMIT_FSIZE), while a job writes one.
The 5,000 hostile requests are a test: GANSMITH_HOSTILE=5000 pytest -n 0 tests/serve/test_hostile.py. Figures are in results/serving.md.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PORT = 8766
ROOM = 4096
"""Bytes that a file may have on the full disk."""
SLOW = 64
LEFT_OUT = r"/(events|log|play|resume|stop)|/runs$|/data$"
"""Paths of streams, and of what begins or ends a training or a game."""


@contextlib.contextmanager
def studio(run: Path, room: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A studio with one run, "model"; `room` limits the size of every file that it and its workers write."""

    def limited() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(run, Path(place) / "model")
        words = [sys.executable, "-m", "gansmith", "studio", place, "--port", str(PORT)]
        server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limited)
        try:
            while server.poll() is None:
                with contextlib.suppress(OSError):
                    if ask("GET", "health")[0] == 200:
                        break
                time.sleep(0.1)
            yield server
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """(status, the JSON that was answered or the number of its bytes)."""
    line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=300)
    with contextlib.closing(line):
        line.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = line.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if "json" in answer.headers.get("Content-Type", "") else len(content)


def generate(n: int, seed: int, **more: Any) -> tuple[int, Any]:
    return ask("POST", "models/model/generate", {"n": n, "seed": seed, "format": "npz", **more})


def ended(job: Any) -> Any:
    """A job when it has ended."""
    while (now := ask("GET", f"jobs/{job['id']}")[1])["state"] in ("queued", "running"):
        time.sleep(0.2)
    return now


def memory(process: int) -> int:
    """Megabytes that a server and its workers hold."""
    found = [process, *workers(process)]
    sizes = (re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{own}/status").read_text()) for own in found)
    return sum(int(size[1]) for size in sizes if size) // 1024


def workers(process: int) -> list[int]:
    return [int(own) for own in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def fuzzed(program: str | None, examples: int, seed: int) -> str:
    """What schemathesis counted at the end, and any server errors."""
    if program is None:
        return "not installed"
    words = [program, "run", f"http://127.0.0.1:{PORT}/api/v1/openapi.json", "--phases", "fuzzing", "--no-color"]
    words += ["--checks", "not_a_server_error", "--max-examples", str(examples), "--seed", str(seed)]
    words += ["--exclude-path-regex", LEFT_OUT, "--request-timeout", "120", "--suppress-health-check", "all"]
    with tempfile.TemporaryDirectory() as place:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, check=False)
    lines = [line.strip() for line in done.stdout.splitlines()]
    told = [line for line in lines if re.search(r"Selected:|generated|Server error|no issues", line)]
    return f"exit status {done.returncode}; " + "; ".join(told or lines[-5:])


def besides_slow_clients() -> str:
    """64 clients send half a request and wait; how long others then wait, and what becomes of the slow ones."""
    head = b"POST /api/v1/models/model/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    held = [socket.create_connection(("127.0.0.1", PORT), timeout=120) for _ in range(SLOW)]
    try:
        for place, own in enumerate(held):
            own.sendall(head if place % 2 else head[:30])
        times = []
        for number in range(20):
            began = time.monotonic()
            assert generate(4, 100 + number)[0] == 200
            times.append(time.monotonic() - began)
        return f"20 of 20 others answered, the slowest after {max(times):.2f} seconds"
    finally:
        for own in held:
            own.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--schemathesis", default=shutil.which("schemathesis"))
    parser.add_argument("--examples", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with studio(asked.run) as server:
        assert generate(4, 1)[0] == 200
        print("megabytes:", memory(server.pid), flush=True)
        print("slow clients:", besides_slow_clients(), flush=True)
        job = generate(10_000, 2, job=True)[1]
        waiting = [generate(4, seed, job=True)[1] for seed in range(3, 11)]
        while ask("GET", f"jobs/{job['id']}")[1]["state"] == "queued":
            time.sleep(0.02)
        killed = workers(server.pid)
        for own in killed:
            os.kill(own, signal.SIGKILL)
        states = [ended(own) for own in (job, *waiting)]
        kept = sum(own["state"] == "done" for own in states[1:])
        print(f"killed: {len(killed)} workers; the job at work: {states[0]['state']}, {states[0].get('detail')}", flush=True)
        print(f"killed: of 8 that waited {kept} were done; the next one: {generate(4, 12)[0]}", flush=True)
        print("schemathesis:", fuzzed(asked.schemathesis, asked.examples, asked.seed), flush=True)
        print("afterwards:", generate(4, 1)[0], "megabytes:", memory(server.pid), flush=True)
    with studio(asked.run, ROOM):
        print("full disk: 1 example:", generate(1, 1), flush=True)
        print("full disk: 1,000 examples:", generate(1000, 1), flush=True)
        print("full disk: a job:", ended(generate(1000, 1, job=True)[1]), flush=True)
        print("full disk: the next one:", generate(1, 2), flush=True)


if __name__ == "__main__":
    main()
