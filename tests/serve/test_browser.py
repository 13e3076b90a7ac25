"""The pages in a real browser: each opens, works, fetches nothing from elsewhere, and fits a phone. pytest -m browser runs these.

GANSMITH_AXE names axe.min.js (npm: axe-core), with which every page is checked; GANSMITH_ORT_WEB the folder dist of the npm package
onnxruntime-web, with which the exported page runs; GANSMITH_SHOTS a folder for pictures of the pages.
"""

import functools
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
import uvicorn
from PIL import Image

import gansmith
from gansmith.export import export
from gansmith.model import Model
from gansmith.serve import hall as halls
from gansmith.serve.app import create_app
from gansmith.serve.trainings import Workshop
from tests.serve.browser import Browser, binary
from tests.serve.conftest import MODELS
from tests.serve.inline import InlineWorker
from tests.toys import every, points, small

pytestmark = [pytest.mark.browser, pytest.mark.skipif(binary() is None, reason="Chromium is not installed here")]
PAGES = (
    *("/runs", "/runs/points-0001", "/train", "/play", "/m/digits", "/m/digits/generate", "/m/digits/explore", "/m/table/rows"),
    *(
        "/m/pairs/translate",
        "/m/sounds/generate",
        "/m/faces/explore",
        "/m/faces/generate",
        "/m/voice/speak",
        "/m/clips/translate",
    ),
    *("/m/molecules/generate", "/m/music/generate", "/m/texts/generate", "/m/series/rows", "/m/cleaner/translate"),
)
AXE, ORT, SHOTS = (os.environ.get(name) for name in ("GANSMITH_AXE", "GANSMITH_ORT_WEB", "GANSMITH_SHOTS"))


@pytest.fixture(scope="module")
def address(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A studio with a run and models of several kinds."""
    folder = tmp_path_factory.mktemp("studio")
    for name in MODELS:
        shutil.copytree(shelf / name, folder / name)
    options = {"width": 16, "noise": 4}
    gansmith.train(
        points(300), gan="gan", options=options, samples=640, batch=32, threads=1, evaluate=False, out=folder / "points-0001"
    )
    made = halls.worker_of
    halls.worker_of = lambda run, files, *_: InlineWorker({"run": run, "files": files, "trust": False}, most=16, seconds=60)
    hall = halls.Hall({}, device="cpu", most_workers=8)
    app = create_app(hall, studio=Workshop(folder, hall), warm=False)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    halls.worker_of = made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        found = Browser()
    except (AssertionError, OSError) as error:
        pytest.skip(f"Chromium does not run here: {error}")
    yield found
    found.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_fits_a_phone_and_asks_nobody_else(path, address, browser):
    browser.events.clear()
    browser.size(1280, 900)
    browser.open(address + path)
    assert browser.value("document.title").endswith("gansmith")
    for width, theme in ((375, "light"), (375, "dark"), (1280, "dark")):
        browser.size(width, 800)
        browser.value(f"document.documentElement.dataset.theme = '{theme}'")
        assert browser.value("document.documentElement.scrollWidth") <= width, (width, theme)
        if AXE:
            browser.value(f"{Path(AXE).read_text('utf-8')}; 0")
            assert browser.value("axe.run().then((found) => found.violations.map((one) => one.id))") == [], theme
        if SHOTS:
            browser.picture(Path(SHOTS) / f"{path.strip('/').replace('/', '-')}-{width}-{theme}.png")
    assert browser.complaints() == []
    assert {url.split("/")[2] for url in browser.asked_for() if url.startswith("http")} == {address.split("/")[2]}


def test_generating_changes_the_address_which_brings_the_same_examples_again(address, browser):
    browser.size(1280, 900)
    browser.open(f"{address}/m/digits/generate?seeds=3-5")
    browser.until("document.querySelectorAll('.tiles img').length === 3")
    browser.value("const field = document.querySelector('form input'); field.value = '7,9'; field.form.requestSubmit()")
    browser.until("document.querySelectorAll('.tiles img').length === 2")
    assert browser.value("location.search") == "?seeds=7%2C9"
    said = browser.value("document.querySelector('.command code').textContent")
    assert said == "gansmith generate digits --seeds 7,9 --out digits.png"
    first = _content(browser)
    browser.open(f"{address}/m/digits/generate?seeds=7%2C9")
    browser.until("document.querySelectorAll('.tiles img').length === 2")
    assert _content(browser) == first
    browser.value("document.querySelector('.tiles button').click()")
    assert browser.value("document.querySelector('dialog h2').textContent") == "Seed 7"
    browser.click("☆ Favourite")
    assert browser.value("localStorage.getItem('gansmith.stars.digits')") == "[7]"
    browser.click("Close")


def _content(browser: Browser) -> str:
    """The first tile's bytes, in words."""
    read = "fetch(document.querySelector('.tiles img').src).then((answer) => answer.arrayBuffer())"
    code = f"{read}.then((bytes) => [...new Uint8Array(bytes)].join())"
    return browser.value(code)


def test_the_language_is_changed_and_kept(address, browser):
    browser.open(f"{address}/train")
    browser.click("中文")
    browser.until("document.querySelector('h1').textContent === '训练'")
    browser.open(f"{address}/play")
    assert browser.value("document.documentElement.lang") == "zh-CN"
    browser.click("English")
    browser.until("document.querySelector('h1').textContent === 'Play'")


def test_a_game_is_played_round_by_round(address, browser):
    browser.open(f"{address}/play?gan=gan&data=ring")
    browser.click("One round")
    browser.until("[...document.querySelectorAll('.meters b')].at(-1).textContent === '64'")
    assert browser.value("document.querySelectorAll('#dial-generator, #dial-critic-minimax').length") == 2
    browser.click("One round")
    browser.until("[...document.querySelectorAll('.meters b')].at(-1).textContent === '128'")


def test_a_picture_is_translated_and_compared_under_a_slider(address, browser, tmp_path):
    Image.new("RGB", (40, 30), (200, 30, 30)).save(tmp_path / "mine.png")
    browser.open(f"{address}/m/pairs/translate")
    browser.upload("input[type=file]", tmp_path / "mine.png")
    browser.click("Translate")
    browser.until("document.querySelector('.compare .after img')?.naturalWidth === 40")
    assert browser.complaints() == []


def test_a_picture_is_steered_and_its_address_brings_it_back(address, browser):
    browser.open(f"{address}/m/faces/explore")
    browser.until("document.querySelector('.steer img').naturalWidth > 0")
    first = "document.querySelector('.steer input[type=range]')"
    before = browser.value("document.querySelector('.steer img').src")
    browser.value(f"{first}.value = 4; {first}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    browser.until(f"document.querySelector('.steer img').src !== '{before}'")
    browser.until("document.querySelector('main').textContent.includes('--amounts=4,0,0,0,0,0')")
    browser.open(address + browser.value("location.pathname + location.search"))
    assert browser.value(f"{first}.value") == "4"


def test_an_attribute_is_a_slider(address, browser):
    browser.open(f"{address}/m/faces/generate?seeds=1-2")
    slider = "document.querySelector('form input[type=range]')"
    moved = "['input', 'change'].forEach((name) => field.dispatchEvent(new Event(name, {bubbles: true})))"
    browser.value(f"const field = {slider}; field.value = field.max; {moved}")
    browser.until("document.querySelector('.command code').textContent.includes('--where=')")
    assert "w." in browser.value("location.search")


def test_a_first_frame_becomes_a_clip_and_what_is_given_is_shown(address, browser, tmp_path):
    Image.new("RGB", (16, 16), (30, 200, 30)).save(tmp_path / "first.png")
    browser.open(f"{address}/m/clips/translate")
    browser.upload("input[type=file]", tmp_path / "first.png")
    browser.until("document.querySelector('.given img')?.naturalWidth === 16")
    browser.click("Translate")
    browser.until("document.querySelector('.result img')?.naturalWidth === 16")


def test_text_in_the_address_is_spoken(address, browser):
    browser.open(f"{address}/m/voice/speak?text=[[ high low ]]")
    browser.until("document.querySelector('.result audio') !== null")
    assert "gansmith speak voice" in browser.value("document.querySelector('.command code').textContent")


def test_a_folder_is_sent_with_its_classes(address, browser, tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (8, 8), (number * 40, 90, 30)).save(tmp_path / "pets" / name / f"{number}.png")
    browser.open(f"{address}/train")
    browser.upload("#folder", tmp_path / "pets")
    browser.until("document.querySelector('.facts')?.textContent.includes('Classes2')")


def test_rows_are_shown_and_a_refused_condition_is_a_sentence(address, browser):
    browser.open(f"{address}/m/table/rows?n=5&w.weight=>1")
    browser.until("document.querySelectorAll('tbody tr').length === 5")
    browser.open(f"{address}/m/table/rows?n=5&w.weight=>100000")
    assert "never is >100000" in browser.until("document.querySelector('.problem')?.textContent")


def test_training_is_begun_and_watched(address, browser):
    browser.open(f"{address}/train?data=ring&gan=gan&samples=640&evaluate=no")
    said = browser.value("document.querySelector('.command code').textContent")
    assert said == "gansmith train ring --gan gan --samples 640 --no-evaluate"
    assert browser.value("document.querySelector('input[type=number]').value") == ""
    browser.click("Train")
    browser.until("location.pathname === '/runs/ring-0001' && document.querySelector('.page[data-ready]') !== null")
    browser.until("document.querySelectorAll('.chart').length > 0")
    assert browser.value("document.querySelector('h1').textContent") == "ring-0001"


@pytest.mark.skipif(ORT is None, reason="GANSMITH_ORT_WEB does not name onnxruntime-web here")
@pytest.mark.parametrize(
    ("gan", "toy"),
    [
        *(("gan", "labelled"), ("gan", "points"), ("r3gan", "attributes"), ("r3gan", "labelled"), ("stylegan2", "labelled")),
        *(("wavegan", "named sounds"), ("videogan", "clips"), ("motiongan", "labelled clips")),
    ],
)
def test_an_exported_page_generates_what_python_does(gan, toy, browser, tmp_path):
    pytest.importorskip("onnx")
    data = every()[toy]
    torch.manual_seed(0)
    export(Model(small(gan, data).eval(), data.codec, {"gan": gan, "data": toy}), "web", tmp_path / "page")
    handler = functools.partial(_Quiet, directory=str(tmp_path / "page"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.open(f"http://127.0.0.1:{server.server_address[1]}/", "document.body.dataset.ready === 'true'")
        assert browser.value("window.gansmith.noise") < 1e-5 and browser.value("window.gansmith.output") < 1e-4
        assert browser.value("document.querySelectorAll('canvas').length") >= 1
        assert browser.value("document.querySelectorAll('audio').length") == (12 if toy == "named sounds" else 0)
        assert browser.value("document.querySelectorAll('select option').length") == len(data.codec.spec.classes)
        if data.codec.spec.classes:
            field = "document.querySelector('select')"
            other = f"{field}.value = 1; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))"
            before = browser.value("document.querySelector('canvas').toDataURL()")
            browser.value(other)
            browser.until(f"document.querySelector('canvas').toDataURL() !== {json.dumps(before)}")
        if SHOTS:
            browser.picture(Path(SHOTS) / f"web-{gan}-{toy}.png")
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, *_: object) -> None: ...
