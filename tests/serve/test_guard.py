"""Who may ask, from where, how much: hosts, origins, tokens, sizes, queues, workers that end."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from gansmith.errors import UserError
from gansmith.serve.guard import COOKIE
from gansmith.serve.hall import named
from gansmith.serve.limits import Limits
from gansmith.serve.listening import is_own
from gansmith.serve.workers import Worker
from tests.serve.conftest import serving

HEALTH = "/api/v1/health"
MAKE = "/api/v1/models/points/generate"


@pytest.fixture(scope="module")
def guarded(shelf):
    with serving(shelf, ["points"], Limits(body_bytes=1000, upload_bytes=5000, pixels=100_000), token="secret") as client:
        yield client


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1@evil", "[::1", "a" * 5000])
def test_another_name_is_not_answered(host, guarded):
    assert guarded.get(HEALTH, headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "LOCALHOST", "[::1]:1"])
def test_its_own_names_are_answered(host, guarded):
    assert guarded.get(HEALTH, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://localhost:81"}],
)
def test_other_sites_may_not_post(headers, guarded):
    given = {"Authorization": "Bearer secret", **headers}
    answer = guarded.post(MAKE, json={"n": 1, "format": "csv"}, headers=given)
    assert answer.status_code == 403 and "other sites" in answer.json()["detail"]
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_token_is_asked_for_and_kept_in_a_strict_cookie(guarded):
    assert guarded.get("/api/v1/models").status_code == 401
    assert guarded.get("/api/v1/models", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert guarded.get("/api/v1/models", headers={"Authorization": "Bearer secret"}).status_code == 200
    assert guarded.get("/api/v1/models?token=secret").status_code == 401, "in the address of the front page alone"
    welcome = guarded.get("/?token=secret", follow_redirects=False)
    cookie = welcome.headers["set-cookie"]
    assert welcome.status_code == 303 and welcome.headers["location"] == "/"
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert guarded.get("/api/v1/models", headers={"Cookie": f"{COOKIE}=secret"}).status_code == 200
    guarded.cookies.clear()


def test_large_bodies_are_refused_before_they_are_read(guarded):
    given = {"Authorization": "Bearer secret"}
    assert guarded.post(MAKE, content=b"x" * 2000, headers=given).status_code == 413
    assert guarded.post(MAKE, content=iter([b"x" * 600, b"x" * 600]), headers=given).status_code == 413
    assert guarded.post(MAKE, content=b"x", headers={**given, "Content-Length": "-1"}).status_code in (400, 413)


def test_every_answer_has_the_policy(guarded):
    for path in ("/", HEALTH, "/nowhere", "/assets/../x", "/api/v1/models"):
        headers = guarded.get(path).headers
        assert (
            headers["content-security-policy"].startswith("default-src 'none'") and headers["x-content-type-options"] == "nosniff"
        )


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(shelf):
    bomb = io.BytesIO()
    Image.new("1", (4000, 4000)).save(bomb, "PNG")
    with serving(shelf, ["digits"], Limits(pixels=100_000)) as client:
        for content, said in ((bomb.getvalue(), "16,000,000 pixels"), (b"no picture", "no picture that can be read")):
            answer = client.post("/api/v1/models/digits/project", files={"file": ("x.png", content)})
            assert answer.status_code == 422 and said in answer.json()["detail"]
        answer = client.post("/api/v1/models/digits/project", files={"file": ("x", b"")})
        assert "a name with a suffix" in answer.json()["detail"]


def test_more_than_may_wait_is_answered_429(shelf):
    with serving(shelf, ["points"], Limits(waiting=2)) as client:
        client.get("/api/v1/models/points")
        worker, gate = client.hall.workers["points"], threading.Event()
        made = worker.loop.maker.make
        worker.loop.maker.make = lambda batch, progress: (gate.wait(10), made(batch, progress))[1]
        with ThreadPoolExecutor(2) as pool:
            held = [pool.submit(client.post, MAKE, json={"n": 1, "format": "csv"}) for _ in range(2)]
            while len(worker.waiting) < 2:
                time.sleep(0.01)
            answer = client.post(MAKE, json={"n": 1, "format": "csv"})
            assert (
                answer.status_code == 429 and answer.headers["retry-after"] == "2" and "already wait" in answer.json()["detail"]
            )
            gate.set()
            assert [each.result().status_code for each in held] == [200, 200]


def test_a_job_is_cancelled_in_the_queue_and_while_it_is_computed(shelf):
    with serving(shelf, ["points"]) as client:
        client.get("/api/v1/models/points")
        worker, gate, begun = client.hall.workers["points"], threading.Event(), threading.Event()

        def slow(batch, progress):
            begun.set()
            while not gate.is_set():
                progress(0.5)
                time.sleep(0.01)
            return [lambda: {"files": []} for _ in batch]

        worker.loop.maker.make = slow
        first, second = (client.post(MAKE, json={"n": 5000, "format": "csv", "job": True}).json()["id"] for _ in range(2))
        begun.wait(5)
        assert client.get(f"/api/v1/jobs/{second}").json()["place"] == 1
        assert client.delete(f"/api/v1/jobs/{second}").json()["state"] in ("queued", "cancelled")
        client.delete(f"/api/v1/jobs/{first}")
        deadline = time.monotonic() + 5
        while client.get(f"/api/v1/jobs/{first}").json()["state"] != "cancelled" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert client.get(f"/api/v1/jobs/{second}").json()["state"] == "cancelled"
        assert not worker.waiting
        gate.set()


def test_a_worker_that_is_killed_is_started_again_and_its_request_says_so(shelf):
    """In a process of its own, as in a server."""
    with serving(shelf, ["digits"], worker=Worker) as client:
        made = "/api/v1/models/digits/generate"
        before = client.post(made, json={"n": 2, "seed": 3})
        assert before.status_code == 200
        worker = client.hall.workers["digits"]
        job = client.post("/api/v1/models/digits/interpolate", json={"seeds": "1-9", "frames": 600, "job": True}).json()["id"]
        waiting = next(iter(worker.waiting.values()))
        while waiting.begun is None:
            time.sleep(0.01)
        os.kill(worker.process.pid, signal.SIGKILL)
        with ThreadPoolExecutor(1) as pool:  # enters while the new process loads, and is answered by it
            after = pool.submit(client.post, made, json={"n": 2, "seed": 3}).result()
        assert after.content == before.content and worker.starts == 2
        failed = client.get(f"/api/v1/jobs/{job}").json()
        assert failed["state"] == "failed" and "was killed" in failed["detail"]
        slow = client.post("/api/v1/models/digits/interpolate", json={"seeds": "1-99", "frames": 600, "job": True}).json()["id"]
        waiting = next(iter(worker.waiting.values()))
        while waiting.begun is None:
            time.sleep(0.01)
        client.delete(f"/api/v1/jobs/{slow}")
        began = time.monotonic()
        assert client.post(made, json={"n": 2, "seed": 3}).content == before.content
        assert worker.starts == 2 and time.monotonic() - began < 10, "a cancelled computation ends, and its process stays"


def test_models_that_cannot_be_loaded_and_names_that_come_twice_are_sentences(tmp_path, shelf):
    with pytest.raises(UserError, match="holds no model"):
        named([tmp_path])
    with pytest.raises(UserError, match="both be called points"):
        named([shelf / "points", shelf / "points"])
    assert is_own("127.0.0.1") and is_own("localhost") and is_own("::1") and not is_own("0.0.0.0") and not is_own("192.0.2.1")


def test_the_server_itself_needs_no_torch():
    """So that it answers within a second, and its memory is that of its workers."""
    code = "import sys, gansmith.serve.app, gansmith.serve.listening, gansmith.remote; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
