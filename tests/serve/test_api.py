"""The HTTP API: the same bytes and sentences as the command line, for every kind of data."""

import io
import json
import threading
import wave as wave_file
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gansmith
from gansmith import cli
from gansmith.errors import UserError
from gansmith.model import Model
from tests.serve.conftest import MODELS

MADE = [name for name in MODELS if name not in ("pairs", "voice", "cleaner")]


def post(client, name, **asked):
    return client.post(f"/api/v1/models/{name}/generate", json=asked)


def test_the_server_says_that_it_is_there_and_ready(client):
    assert client.get("/api/v1/health").json() == {"status": "ok", "version": gansmith.__version__}
    assert client.get("/api/v1/ready").json() == {"ready": True}
    assert [each["name"] for each in client.get("/api/v1/models").json()] == list(MODELS)
    document = client.get("/api/v1/openapi.json").json()
    assert document["info"]["title"] == "gansmith"
    refusals = document["paths"]["/api/v1/models/{name}/generate"]["post"]["responses"]
    assert [list(refusals[each]["content"]) for each in ("4XX", "5XX")] == [["application/problem+json"]] * 2
    assert client.get("/api/v1/openapi.json").json() == document


@pytest.mark.parametrize("name", MADE)
def test_a_seed_gives_the_bytes_of_the_command_line(name, client, shelf, tmp_path):
    formats = client.get(f"/api/v1/models/{name}").json()["formats"]
    form = next(each for each in ("csv", "mid", "wav", "webp", "txt", "png") if each in formats)
    n = 1 if form in ("mid", "wav") else 3
    answer = post(client, name, n=n, seed=5, format=form)
    assert answer.status_code == 200, answer.text
    assert cli.main(["generate", str(shelf / name), "-n", str(n), "--seed", "5", "--out", str(tmp_path / f"a.{form}")]) == 0
    assert answer.content == (tmp_path / f"a.{form}").read_bytes()
    assert answer.headers["x-gansmith-command"] == f"gansmith generate {name} -n {n} --seed 5 --out {name}.{form}"


@pytest.mark.parametrize("name", MADE)
def test_every_kind_is_previewed_in_pictures_and_media(name, client):
    answer = post(client, name, n=2, seed=1, format="preview").json()
    (preview,) = answer["previews"]
    picture = client.get(preview["picture"]["url"])
    assert Image.open(io.BytesIO(picture.content)).size == tuple(preview["size"])
    assert picture.headers["content-type"] == "image/png" and "default-src 'none'" in picture.headers["content-security-policy"]
    assert bool(preview["media"]) == (name in ("sounds", "music", "clips", "texts", "molecules"))
    assert all(client.get(medium["url"]).headers["content-type"].startswith(medium["type"]) for medium in preview["media"])


def test_seeds_make_one_preview_each_that_stays_the_same_whatever_the_others_are(client):
    one, two = (post(client, "digits", seeds=seeds, format="preview", each=True).json()["previews"] for seeds in ("7", "1-8"))
    assert len(one) == 1 and len(two) == 8
    assert client.get(one[0]["picture"]["url"]).content == client.get(two[6]["picture"]["url"]).content


def test_conditions_are_met_and_their_refusals_are_the_sentences_of_the_command_line(client, shelf, capsys):
    card = client.get("/api/v1/models/digits").json()
    chosen = card["classes"][1]
    made = post(client, "digits", n=3, where={"class": chosen}, format="packed").content
    with np.load(io.BytesIO(made)) as arrays:
        assert arrays["label"].tolist() == [1, 1, 1]
    refused = post(client, "digits", where={"class": "nowhere"})
    assert refused.status_code == 422 and refused.headers["content-type"] == "application/problem+json"
    assert cli.main(["generate", str(shelf / "digits"), "--where", "class=nowhere", "--out", "x.png"]) == 2
    assert refused.json()["detail"] in capsys.readouterr().err


def test_rows_come_as_json_with_numbers_where_a_column_is_numbers(client):
    card = client.get("/api/v1/models/table").json()
    rows = post(client, "table", n=6, format="json").json()
    assert len(rows) == 6 and list(rows[0]) == card["columns"]
    numeric = [each["name"] for each in card["conditions"] if "low" in each and isinstance(each["low"], int | float)]
    assert numeric and all(isinstance(row[name], int | float | None) for row in rows for name in numeric)


def test_a_comparison_of_a_table_is_met_and_counted(client):
    number = next(each for each in client.get("/api/v1/models/table").json()["conditions"] if each.get("compares"))
    middle = (number["low"] + number["high"]) / 2
    answer = post(client, "table", n=10, where={number["name"]: f">{middle}"}, format="json")
    kept = sum(row[number["name"]] > middle for row in answer.json())
    assert answer.headers["x-gansmith-as-requested"] == str(kept)


def test_rows_and_windows_have_addresses_of_their_own(client):
    rows = client.post("/api/v1/models/table/rows", json={"n": 4, "seed": 2}).json()
    assert rows == post(client, "table", n=4, seed=2, format="json").json()
    steps = post(client, "series", n=3, seed=2, format="json").json()
    windows = client.post("/api/v1/models/series/series", json={"n": 3, "seed": 2}).json()
    assert [{"series": number, **step} for number, own in enumerate(windows) for step in own] == steps
    refused = client.post("/api/v1/models/table/series", json={"n": 3})
    assert refused.status_code == 422 and "windows are for series" in refused.json()["detail"]


def test_text_is_said_as_on_the_command_line_and_no_file_of_the_server_is_read(client, shelf, tmp_path):
    made = client.post("/api/v1/models/voice/speak", json={"text": "[[ high low ]]", "speed": 2})
    words = ["speak", str(shelf / "voice"), "[[ high low ]]", "--speed", "2", "--out", str(tmp_path / "a.wav")]
    assert cli.main(words) == 0
    assert made.content == (tmp_path / "a.wav").read_bytes() and made.headers["content-type"] == "audio/wav"
    (tmp_path / "secret.txt").write_text("hello")
    for text in (f"@{tmp_path / 'secret.txt'}", "--trust"):
        answer = client.post("/api/v1/models/voice/speak", json={"text": text, "job": True}).json()
        assert answer["command"].startswith("gansmith speak voice ")
    refused = client.post("/api/v1/models/digits/speak", json={"text": "a"})
    assert refused.status_code == 422 and "does not speak" in refused.json()["detail"]


def test_a_picture_is_steered_along_directions(client, shelf, tmp_path):
    asked = {"seed": 3, "amounts": [0, 0]}
    still = client.post("/api/v1/models/faces/steer", json=asked)
    plain = client.post("/api/v1/models/faces/steer", json={**asked, "amounts": [0]})
    moved = client.post("/api/v1/models/faces/steer", json={**asked, "amounts": [4, -2.5]})
    assert still.content == plain.content != moved.content
    said = "gansmith edit faces directions --seeds=3 --by=sefa --count=2 --amounts=4,-2.5 --out steered.png"
    assert moved.headers["x-gansmith-command"] == said
    words = ["edit", str(shelf / "faces"), "directions", "--seeds=3", "--by=sefa", "--count=2", "--amounts=4,-2.5"]
    assert cli.main([*words, "--out", str(tmp_path / "a.png")]) == 0
    assert moved.content == (tmp_path / "a.png").read_bytes()
    for amounts, said in (("1,x", "numbers such as 1.5,-2"), ("1,2,3", "3 numbers for 2 directions")):
        assert cli.main([*words[:-1], f"--amounts={amounts}", "--out", str(tmp_path / "b.png")]) == 2, said


def test_sounds_and_first_frames_are_translated(client, shelf, tmp_path):
    wave, rate = (np.sin(np.arange(900) / 5) * 2**14).astype(np.int16), 8000
    with wave_file.open(str(tmp_path / "in.wav"), "wb") as file:
        file.setparams((1, 2, rate, len(wave), "NONE", ""))
        file.writeframes(wave.tobytes())
    files = {"file": ("in.wav", (tmp_path / "in.wav").read_bytes())}
    answer = client.post("/api/v1/models/cleaner/translate", files=files).json()
    (made,) = answer["files"]
    assert made["type"] == "audio/wav" and client.get(made["url"]).content.startswith(b"RIFF")
    card = client.get("/api/v1/models/clips").json()["translates"]
    assert "continue" in {each["name"] for each in card["options"]}
    content = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 10, 10)).save(content, "PNG")
    options = {"options": json.dumps({"seed": 3})}
    answer = client.post("/api/v1/models/clips/translate", files={"file": ("a.png", content.getvalue())}, data=options).json()
    (made,) = answer["files"]
    assert made["type"] == "image/webp" and Image.open(io.BytesIO(client.get(made["url"]).content)).n_frames == 4


def test_a_translation_does_not_load_the_model_again(client, monkeypatch):
    client.get("/api/v1/models/pairs")
    monkeypatch.setattr("gansmith.model.read_checked", lambda folder: pytest.fail("it is in memory already"))
    content = io.BytesIO()
    Image.new("RGB", (32, 24), (200, 10, 10)).save(content, "PNG")
    made = [client.post("/api/v1/models/pairs/translate", files={"file": ("x.png", content.getvalue())}) for _ in range(2)]
    first, second = ([client.get(file["url"]).content for file in each.json()["files"]] for each in made)
    assert first == second


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"n": 0}, "greater than or equal to 1"),
        ({"n": 10_001}, "n must be at most 10,000 here"),
        ({"format": "exe"}, "this model's formats are png, npz, zip"),
        ({"format": "json"}, "rows as JSON are for what is written as CSV"),
        ({"seeds": "9-1"}, "seeds takes numbers below 2^64"),
        ({"nonsense": 1}, "Extra inputs are not permitted"),
        ({"truncation": -1}, "greater than or equal to 0"),
        ({"where": {"x": [1]}}, "where.x"),
        ({"seed": 2**63}, "less than or equal to"),
    ],
)
def test_what_cannot_be_made_is_a_problem_in_a_sentence(asked, said, client):
    answer = post(client, "digits", **asked)
    assert answer.status_code == 422 and said in answer.json()["detail"]
    assert set(answer.json()) == {"type", "title", "status", "detail"}


def test_what_is_not_there_is_404(client):
    for path in ("models/none", "models/..%2f..", "jobs/x", "files/x", "files/..%2f..%2fetc%2fpasswd", "nothing"):
        assert client.get(f"/api/v1/{path}").status_code == 404, path


def test_films_and_sheets_are_those_of_gansmith_edit(client, shelf, tmp_path):
    film = client.post("/api/v1/models/digits/interpolate", json={"seeds": "1-2", "frames": 4})
    assert (
        cli.main(
            ["edit", str(shelf / "digits"), "interpolate", "--seeds", "1-2", "--frames", "4", "--out", str(tmp_path / "a.gif")]
        )
        == 0
    )
    assert film.content == (tmp_path / "a.gif").read_bytes()
    grid = client.post("/api/v1/models/digits/grid", json={"seeds": "1-3"})
    assert Image.open(io.BytesIO(grid.content)).format == "PNG"
    refused = client.post("/api/v1/models/points/grid", json={})
    assert refused.status_code == 422 and "editing works on images" in refused.json()["detail"]


def test_an_uploaded_picture_is_projected(client):
    content = io.BytesIO()
    Image.new("L", (16, 16), 200).save(content, "PNG")
    files = {"file": ("my picture.png", content.getvalue())}
    answer = client.post("/api/v1/models/digits/project", files=files, data={"steps": 3}).json()
    assert answer["facts"]["likeness"]["psnr"] > 0
    assert {Path(each["name"]).suffix for each in answer["files"]} == {".png", ".npz"}


def test_an_uploaded_picture_is_translated(client):
    card = client.get("/api/v1/models/pairs").json()["translates"]
    assert {each["name"] for each in card["files"]} == {"partner", "masks", "reference"}
    assert {each["name"]: each["form"] for each in card["options"]}["seed"] == "whole"
    content = io.BytesIO()
    Image.new("RGB", (32, 24), (200, 10, 10)).save(content, "PNG")
    answer = client.post("/api/v1/models/pairs/translate", files={"file": ("../../x.png", content.getvalue())}).json()
    (made,) = answer["files"]
    assert Image.open(io.BytesIO(client.get(made["url"]).content)).size == (32, 24)
    wrong = [({"out": "/tmp/x"}, "there is no option 'out'"), ({"weights": "x"}, "no option 'weights'"), ([], "JSON object")]
    for options, said in wrong:
        files, data = {"file": ("x.png", content.getvalue())}, {"options": json.dumps(options)}
        answer = client.post("/api/v1/models/pairs/translate", files=files, data=data)
        assert answer.status_code == 422 and said in answer.json()["detail"]


def test_a_job_has_a_place_progress_events_and_a_result(client):
    answer = post(client, "digits", n=9, format="preview", job=True)
    assert answer.status_code == 202
    place = answer.headers["location"]
    with client.stream("GET", f"{place}/events") as stream:
        said = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert said[-1]["state"] == "done" and said[-1]["progress"] == 1 and len(said[-1]["result"]["previews"]) == 1
    assert client.get(place).json()["state"] == "done"
    assert place.rpartition("/")[2] in {job["id"] for job in client.get("/api/v1/jobs").json()}


def test_requests_that_wait_together_are_computed_in_one_batch_with_the_same_bytes(client, shelf):
    worker = client.hall.workers.get("digits") or (client.get("/api/v1/models/digits") and client.hall.workers["digits"])
    maker, sizes, gate = worker.loop.maker, [], threading.Event()
    made = maker.make

    def counted(batch, progress):
        sizes.append(len(batch))
        gate.wait(5)
        return made(batch, progress)

    maker.make = counted
    try:
        with ThreadPoolExecutor(9) as pool:
            asked = [pool.submit(post, client, "digits", n=n, seed=n, format="npz") for n in (1, 2, 3, 4, 5, 6, 7, 9, 30)]
            while len(worker.waiting) < 9:
                pass
            gate.set()
            answers = [each.result() for each in asked]
    finally:
        maker.make = made
    assert max(sizes) > 3 and sum(sizes) == 9
    model = Model.load(shelf / "digits")
    for n, answer in zip((1, 2, 3, 4, 5, 6, 7, 9, 30), answers, strict=True):
        with np.load(io.BytesIO(answer.content)) as arrays:
            alone = model.codec.repack(model.sample(n, seed=n))
            assert np.array_equal(arrays[arrays.files[0]].squeeze(), alone["image"].squeeze())


def test_the_client_has_the_examples_of_the_model(client, shelf, monkeypatch):
    def ask(self, method, path, body=None, headers=None):
        answer = client.request(method, f"/api/v1{path}", content=body, headers=dict(headers or {}))
        if answer.status_code >= 300:
            raise UserError(answer.json()["detail"])
        return answer.content

    monkeypatch.setattr("gansmith.remote._Server.ask", ask)
    for name in ("digits", "table", "texts"):
        far, near = gansmith.connect("http://localhost", name), Model.load(shelf / name)
        assert far.generate(3, seed=4) == near.generate(3, seed=4)
    with pytest.raises(UserError, match="no class"):
        gansmith.connect("http://localhost", "digits").generate(1, where={"class": "x"})
    with pytest.raises(UserError, match="name one"):
        gansmith.connect("http://localhost")
    content = io.BytesIO()
    Image.new("RGB", (16, 16)).save(content, "PNG")
    for given in ((content.getvalue(), "x.png"), (Image.new("RGB", (16, 16)),)):
        (made,) = gansmith.connect("http://localhost", "pairs").translate(*given)
        assert Image.open(io.BytesIO(made)).size == (16, 16)
    faces = gansmith.connect("http://localhost", "faces")
    assert faces.interpolate("1-2", frames=3).startswith(b"GIF") and len(faces.project(Image.new("RGB", (8, 8)), steps=2)) == 2
    assert gansmith.connect("http://localhost", "voice").speak("[[ high low ]]").startswith(b"RIFF")
    assert len(gansmith.connect("http://localhost", "table").rows(3)) == 3
    with pytest.raises(UserError, match="give a path"):
        faces.project(3)


def test_an_address_that_does_not_answer_is_a_sentence():
    with pytest.raises(UserError, match="does not answer"):
        gansmith.connect("http://127.0.0.1:9")
    with pytest.raises(UserError, match="address such as"):
        gansmith.connect("ftp://x")


def test_the_counts_are_those_of_prometheus(client):
    text = client.get("/api/v1/metrics").text
    assert 'gansmith_requests_total{route="/models/{name}/generate",status="200"}' in text
    assert 'gansmith_worker_ready{model="digits"} 1' in text
