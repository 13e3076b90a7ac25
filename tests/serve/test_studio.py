"""The studio: runs of a folder, data that are dropped in, trainings, live games."""

import io
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import gansmith
from gansmith.errors import UserError
from gansmith.serve.app import PAGES, create_app
from gansmith.serve.hall import Hall
from gansmith.serve.play import Game
from gansmith.serve.trainings import Workshop
from tests import toys

TURN: dict[str, Any] = {"rounds": 2, "seconds": 5.0, "rates": {}, "weights": {}, "options": {}, "landscape": 6}
SMALL = {"width": 16, "noise": 4}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short run."""
    folder = tmp_path_factory.mktemp("runs")
    points = toys.points(300)
    gansmith.train(points, gan="gan", options=SMALL, samples=640, batch=32, threads=1, evaluate=False, out=folder / "points-0001")
    return folder


@pytest.fixture(scope="module")
def studio(trained: Path) -> Iterator[Any]:
    hall = Hall({}, device="cpu")
    with TestClient(create_app(hall, studio=Workshop(trained, hall), warm=False), base_url="http://localhost") as client:
        yield client


def test_runs_are_shown_at_a_glance(studio, trained):
    (card,) = studio.get("/api/v1/runs").json()
    assert card["name"] == "points-0001" and card["gan"] == "gan" and card["kind"] == "points" and card["samples"] == 640
    assert card["verdict"]["word"] == "too early" and card["model"] and not card["training"]
    assert studio.get("/api/v1/models").json() == [{"name": "points-0001", "loaded": False}]
    seen = card["previews"][-1]
    picture = studio.get(f"/api/v1/runs/points-0001/pictures/{seen}")
    assert Image.open(io.BytesIO(picture.content)).format == "PNG"
    assert studio.get("/api/v1/runs/points-0001/report").headers["content-security-policy"].startswith("sandbox")
    packed = studio.get("/api/v1/runs/points-0001/download").content
    assert packed.startswith(b"PK")


@pytest.mark.parametrize(
    "path", ["runs/..", "runs/none", "runs/%2e%2e%2fx", "runs/points-0001/pictures/..%2fx", "runs/points-0001/pictures/9"]
)
def test_no_address_leads_out_of_the_folder(path, studio):
    assert studio.get(f"/api/v1/{path}").status_code == 404


def test_a_run_is_watched_line_by_line(studio):
    said: dict[str, list[Any]] = {}
    with studio.stream("GET", "/api/v1/runs/points-0001/events") as stream:
        kind = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                said.setdefault(kind, []).append(json.loads(line[6:]))
    assert said["tick"][-1]["samples"] == 640 and said["end"] == [{"status": None}] and "latest" in said["previews"][0]


def test_dropped_files_are_kept_under_plain_names_inspected_and_trained_on(studio, trained):
    rows = "x,y\n" + "".join(f"{x:.3f},{y:.3f}\n" for x, y in np.random.default_rng(0).normal(size=(300, 2)))
    kept = studio.post("/api/v1/data", files=[("files", ("../../my points.csv", rows.encode()))]).json()["name"]
    assert re.fullmatch(r"my-points-[0-9a-f]{6}\.csv", kept) and (trained / "data" / kept).read_text() == rows
    assert kept in {each["name"] for each in studio.get("/api/v1/data").json()}
    asked = {"data": kept, "gan": "gan", "samples": 100_000_000, "evaluate": False, "name": "mine", "options": SMALL}
    begun = studio.post("/api/v1/runs", json=asked)
    assert begun.status_code == 201, begun.text
    assert begun.json()["command"].startswith(
        f"gansmith train {kept} --out mine --gan=gan --samples=100000000 --no-evaluate --gan."
    )
    again = studio.post("/api/v1/runs", json=asked)
    assert again.status_code == 422 and "there is a run mine already" in again.json()["detail"]
    deadline = time.monotonic() + 60
    while not (card := studio.get("/api/v1/runs/mine").json())["model"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert card["training"]
    assert studio.post("/api/v1/runs/mine/stop").json()["stopping"]
    while studio.get("/api/v1/runs/mine").json()["training"] and time.monotonic() < deadline:
        time.sleep(0.1)
    card = studio.get("/api/v1/runs/mine").json()
    assert not card["training"] and card["model"], "stopped and saved"
    shutil.rmtree(trained / "mine")


def test_several_files_become_a_folder(studio, trained):
    files = [("files", (f"{name}.png", b"x")) for name in "ab"]
    kept = studio.post("/api/v1/data", files=files).json()["name"]
    assert {path.name for path in (trained / "data" / kept).iterdir()} == {"a.png", "b.png"}
    twice = studio.post("/api/v1/data", files=[files[0], files[0]])
    assert twice.status_code == 422 and "the same name" in twice.json()["detail"]
    assert not list((trained / "data").glob(".*"))


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"data": "/etc/passwd"}, 404, "there are no data"),
        ({"data": "../points-0001"}, 404, "there are no data"),
        ({"data": "ring", "gan": "gna"}, 422, "did you mean"),
        ({"data": "ring", "gan": "../x.py"}, 422, "gan: String should match pattern"),
        ({"data": "ring", "name": "../x"}, 422, "name: String should match pattern"),
        ({"data": "ring", "gan": "gan", "options": {"width": -1}}, 422, "at least 1"),
        ({"data": "ring", "options": {"Width; rm": 1}}, 422, "String should match pattern"),
        ({"data": "ring", "minutes": 0}, 422, "greater than 0"),
    ],
)
def test_a_training_that_cannot_begin_says_why(asked, status, said, studio, trained):
    answer = studio.post("/api/v1/runs", json=asked)
    assert answer.status_code == status and said in answer.json()["detail"]
    assert not (trained / "ring-0001").exists()


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(UserError, match="is a file"):
        Workshop(tmp_path / "x", Hall({}))


# ---- live games -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def game() -> Game:
    return Game("gan", "ring", SMALL, 0)


def test_a_game_shows_points_slopes_and_landscape(game):
    card = game.card()
    assert card["plane"] and len(card["real"]) == 400 and card["players"] == ["generator", "critic"]
    assert {each["name"]: each["value"] for each in card["options"]}["width"] == 16
    seen = game.turn(TURN)
    assert seen["rounds"] == 2 and seen["samples"] == 128 and set(seen["terms"]) == {"critic/minimax", "generator/non_saturating"}
    assert np.shape(seen["points"]) == np.shape(seen["slopes"]) == (400, 2)
    assert seen["landscape"]["side"] == 6 and seen["landscape"]["low"] < seen["landscape"]["high"]
    assert 0 <= seen["health"]["missing"] <= 1
    json.dumps(seen)


def test_slopes_are_the_gradients_of_the_critic_in_the_units_of_the_data(game):
    seen = game.turn({**TURN, "rounds": 0, "landscape": 0})
    points, slopes, tiny = np.array(seen["points"][:20]), np.array(seen["slopes"][:20]), 1e-3
    game.gan.eval()

    def score(at):
        return game.gan.scores(dict(game.codec.unpack({"point": at.astype(np.float32)}))).detach().double().numpy().ravel()

    for axis in (0, 1):
        step = np.eye(2)[axis] * tiny
        slope = (score(points + step) - score(points - step)) / (2 * tiny)
        assert np.allclose(slope * np.array(game.codec.scale[axis]) ** 2, slopes[:, axis], atol=2e-2, rtol=0.1)


def test_a_player_without_learning_rate_stands_still_and_terms_have_factors(game):
    before = {name: [each.clone() for each in player.parameters()] for name, player in game.gan.players.items()}
    game.turn({**TURN, "rates": {"critic": 0}, "weights": {"generator/non_saturating": 0}})
    after = {name: list(player.network.parameters()) for name, player in game.gan.players.items()}
    critic = zip(before["critic"], game.gan.players["critic"].parameters(), strict=True)
    assert all(bool((old == new).all()) for old, new in critic) and after
    with pytest.raises(UserError, match="there is no player 'judge'"):
        game.turn({**TURN, "rates": {"judge": 1}})


def test_options_change_while_it_plays_and_networks_do_not(game):
    samples = game.turn(TURN)["samples"]
    seen = game.turn({**TURN, "options": {"loss": "minimax"}})
    assert "generator/minimax" in seen["terms"] and seen["samples"] == samples + 128
    with pytest.raises(UserError, match="begin a new game"):
        game.turn({**TURN, "options": {"width": 32}})
    with pytest.raises(UserError, match="has no option 'depth'"):
        game.turn({**TURN, "options": {"depth": 32}})


def test_small_images_are_played_as_pictures():
    game = Game("gan", "digits8", SMALL, 0)
    seen = game.turn(TURN)
    assert seen["picture"].startswith("data:image/png;base64,") and "points" not in seen


# ---- pages ----------------------------------------------------------------------------------------------------------------------


def test_pages_and_their_files_are_served_under_a_strict_policy(studio):
    for path in ("/", "/runs", "/play", "/m/points-0001/generate"):
        page = studio.get(path)
        assert page.status_code == 200 and '<script type="module" src="/assets/app.js">' in page.text
    assert studio.get("/assets/app.js").headers["content-type"].startswith("text/javascript")
    assert studio.get("/assets/app.py").status_code == studio.get("/assets/..%2fapp.py").status_code == 404


def test_pages_fetch_nothing_and_stay_small():
    content = {path.name: path.read_text("utf-8") for path in PAGES.iterdir()}
    assert sum(map(len, content.values())) < 200_000
    for name, text in content.items():
        found = set(re.findall(r"https?://[\w./]+", text)) - {"http://www.w3.org/2000/svg"}
        assert found == set(), name
        assert "innerHTML" not in text and "eval(" not in text and "style=" not in text, name


def test_every_sentence_of_the_pages_has_a_translation():
    texts = [path.read_text("utf-8") for path in PAGES.glob("*.js") if path.name != "words.js"]
    said = {key for text in texts for key in re.findall(r'\bt\("((?:[^"\\]|\\.)*)"', text)}
    known = set(re.findall(r'^  "((?:[^"\\]|\\.)*)":', (PAGES / "words.js").read_text("utf-8"), re.MULTILINE))
    verdicts = {"good", "fair", "too early", "wrong", "not judged"}
    assert said | verdicts == known


@pytest.mark.parametrize("way", ["runs", "play"])
def test_a_client_cannot_have_a_python_file_run_that_it_uploads(way, studio, trained):
    code = b"from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\ndef make(*sizes): pass\n"
    name = studio.post("/api/v1/data", files=[("files", ("evil.py", code))]).json()["name"]
    file = f"{trained / 'data' / name}:make"
    asked = {"gan": "own", "options": {"generator": file, "critic": file}}
    answer = studio.post(f"/api/v1/{way}", json={**asked, "data": "ring", **({"samples": 64} if way == "runs" else {})})
    assert answer.status_code in (400, 422), answer.text
    assert "would run on this machine" in answer.text
    assert not list(trained.rglob("*.ran"))
