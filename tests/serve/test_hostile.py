"""Requests that nobody should send: each is answered below 500, with a sentence where it is refused, and the server goes on.

GANSMITH_HOSTILE is how many there are, 200 without it.
"""

import json
import os
import random
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from gansmith.serve import hall as halls
from gansmith.serve.app import create_app
from gansmith.serve.limits import Limits
from gansmith.serve.trainings import Workshop
from tests.serve.inline import InlineWorker

COUNT = int(os.environ.get("GANSMITH_HOSTILE", "200"))
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**63,
        2**64,
        -(2**63),
        1e308,
        1e-320,
        0.5,
        "",
        " ",
        "\0",
        "a" * 5000,
        "../../etc/passwd",
    ),
    *(
        "1-8",
        "8-1",
        "1-99999999999",
        "0,0,0",
        "--trust",
        "-n",
        "=",
        "{}",
        "[]",
        "null",
        "日本語",
        "\ud7ff",
        "%00",
        "<script>",
        "'; rm -rf /",
    ),
    *([], [1], {}, {"a": 1}, {"class": "7"}, [[[[]]]], ["x"] * 500),
]
FIELDS = (
    *(
        "n",
        "seed",
        "seeds",
        "where",
        "format",
        "each",
        "job",
        "truncation",
        "length",
        "frames",
        "path",
        "per_second",
        "vary",
        "rows",
    ),
    *("layers", "by", "count", "reach", "data", "gan", "options", "minutes", "samples", "name", "rounds", "rates", "unknown", ""),
)
NAMES = ("digits", "table", "pairs", "none", "..", "%2e%2e", "a/b", "digits%00", "x" * 300)
POSTS = ("generate", "interpolate", "grid", "mix", "directions", "project", "fuse", "translate", "nothing")
OTHERS = ("runs/{}/stop", "runs/{}/resume", "play/{}", "data", "runs")
GETS = (
    *("models/{}", "models/{}/codec", "jobs/{}", "jobs/{}/events", "files/{}", "runs/{}", "runs/{}/report"),
    *("runs/{}/pictures/{}", "nothing/{}"),
)
KINDS = (
    *("application/json", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
    *("text/plain", "", "multipart/form-data"),
)


@pytest.fixture(scope="module")
def studio(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("digits", "table", "pairs"):
        shutil.copytree(shelf / name, folder / name)
    made = halls.worker_of
    halls.worker_of = lambda run, files, *_: InlineWorker({"run": run, "files": files, "trust": False}, most=16, seconds=60)
    hall = halls.Hall({}, limits=Limits(examples=64, body_bytes=20_000, upload_bytes=50_000, upload_seconds=2), device="cpu")
    app = create_app(hall, studio=Workshop(folder, hall), warm=False)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=True) as client:
        yield client, folder
    halls.worker_of = made


def body(rng: random.Random) -> bytes:
    """JSON with hostile values, JSON that is cut or flipped, a form, or noise."""
    asked = {rng.choice(FIELDS): rng.choice(VALUES) for _ in range(rng.randrange(5))}
    if rng.random() < 0.5:
        asked |= {"frames": 2, "count": 1, "n": rng.choice([1, 2, 64])}  # so that some of them are computed
    text = json.dumps(asked, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    way = rng.randrange(7)
    if way == 0:
        return text[: rng.randrange(len(text) + 1)]
    if way == 1:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(200)))
    if way == 2:
        field, called = rng.choice(["file", "first", "options", "files"]), rng.choice(["a.png", "../a.png", "", "x", "a.exe"])
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{called}"\r\n\r\n'
        return head.encode() + bytes(rng.randrange(256) for _ in range(50)) + rng.choice([b"\r\n--x--\r\n", b""])
    if way == 3:
        return b"[" * rng.choice([10, 5000])
    return text


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # files of forms that were cut off, closed by their end
def test_hostile_requests_end_in_sentences(studio):
    client, folder = studio
    rng, statuses = random.Random(0), Counter[int]()
    before = sorted(path.name for path in folder.rglob("*"))
    for number in range(COUNT):
        method = rng.choice(["POST", "POST", "POST", "GET", "DELETE", "PUT", "PATCH"])
        name = rng.choice(NAMES)
        path = rng.choice(OTHERS if method == "POST" else GETS).format(name, name)
        if rng.random() < 0.6:
            path = f"models/{name}/{rng.choice(POSTS)}"
        headers = {"Content-Type": rng.choice(KINDS)}
        if rng.random() < 0.1:
            odd = rng.choice(["Origin", "Cookie", "Authorization", "Accept", "X-Forwarded-Host", "Range"])
            headers[odd] = rng.choice(["null", "a" * 3000, "bytes=-1", "=;=;"])
        answer = client.request(method, f"/api/v1/{path}", content=body(rng), headers=headers)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, (number, method, path, answer.text)
        if answer.status_code >= 400 and answer.status_code != 404 and "json" in answer.headers.get("content-type", ""):
            assert set(answer.json()) == {"type", "title", "status", "detail"}, (number, answer.text)
    assert statuses[200] and statuses[422] and statuses[404], statuses
    assert client.get("/api/v1/health").status_code == 200
    left = {name for name in (path.name for path in folder.rglob("*")) if name not in before}
    assert all(name.startswith(("a-", "x-")) for name in left), left  # uploaded data alone


def test_slow_clients_are_ended_and_stop_nobody(studio):
    """Half-sent headers and bodies, 64 of each."""
    client, _ = studio
    config = uvicorn.Config(
        client.app, port=0, log_level="critical", lifespan="off", limit_concurrency=256, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    address = server.servers[0].sockets[0].getsockname()[:2]
    head = b"POST /api/v1/models/digits/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    held = [socket.create_connection(address, timeout=10) for _ in range(128)]
    try:
        for place, own in enumerate(held):
            own.sendall(head if place % 2 else head[:30])
        began = time.monotonic()
        with socket.create_connection(address, timeout=10) as quick:
            quick.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert quick.recv(100).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < 5
        assert held[1].recv(1000).startswith(b"HTTP/1.1 408"), "a body that does not come is given up"
    finally:
        for own in held:
            own.close()
        server.should_exit = True
        thread.join(10)
