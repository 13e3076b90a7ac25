import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import UserError
from gansmith.report.html import write_report
from gansmith.report.markup import VOID

SVG_WITHOUT_CHILDREN = {"line", "circle", "path"}


class Structure(HTMLParser):
    """Collects elements, and fails if they are not properly nested."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(document)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def read(folder: Path) -> Structure:
    path = write_report(folder)
    assert path == folder / "report.html"
    return Structure(path.read_text("utf-8"))


def test_the_page_of_a_whole_run_tells_everything_and_misses_nothing(run_folder):
    page = read(run_folder)
    for sentence in (
        "digits-0001",
        "r3gan",
        "on digits",
        "400 of 1,000 samples",
        "12,345 parameters",
        "No alarm",
        "1 March 2026",
    ):
        assert sentence in page.text
    for heading in ("Health", "Scores", "Samples", "The samples over time", "Curves", "Nearest real neighbours", "Environment"):
        assert heading in page.words
    assert "What is missing" not in page.text
    assert "gansmith train digits --gan r3gan --batch 64 --seed 3 --samples 1000" in page.text


def test_the_page_fetches_nothing(run_folder):
    document = write_report(run_folder).read_text("utf-8")
    page = Structure(document)
    sources = [value for _, attributes in page.elements for key, value in attributes.items() if key in ("src", "href", "srcset")]
    links = {link["href"] for link in page.all("a")}  # to sections, and to files beside the page, which nothing loads
    assert sources and all(value is not None and value.startswith("data:") for value in sources if value not in links)
    assert links and not any("//" in link or link.startswith("/") for link in links)
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest", document)
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in page.all("meta"))


def test_every_picture_has_words_and_the_slider_a_name(run_folder):
    page = read(run_folder)
    assert len(page.all("img")) == 4 + 3 and all(image["alt"] for image in page.all("img"))
    assert sum("hidden" not in frame for frame in page.all("div") if "data-samples" in frame) == 1
    (slider,) = page.all("input")
    assert slider["type"] == "range" and slider["aria-label"] and slider["max"] == "3"
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in page.all("svg"))


@pytest.mark.parametrize("lost", ["run.json", "log.jsonl", "evaluations.jsonl"])
def test_a_lost_file_is_named_and_the_rest_is_told(run_folder, lost):
    (run_folder / lost).unlink()
    page = read(run_folder)
    assert f"{lost} is missing" in page.text
    assert "The samples over time" in page.text


def test_a_file_that_was_cut_off_is_named_and_its_whole_lines_are_told(run_folder):
    for name in ("log.jsonl", "evaluations.jsonl"):
        with (run_folder / name).open("a") as file:
            file.write('{"samples": 500, "ter')
    cut = (run_folder / "samples" / "000300.png").read_bytes()
    (run_folder / "samples" / "000300.png").write_bytes(cut[: len(cut) // 2])
    (run_folder / "samples" / "latest.png").write_bytes(b"")
    page = read(run_folder)
    assert "log.jsonl has 1 line that was cut off or damaged" in page.text
    assert "samples/000300.png is not a whole picture" in page.text
    assert "samples/latest.png is not a whole picture" in page.text
    assert "critic/r1" in page.text and "precision" in page.text
    (slider,) = page.all("input")
    assert slider["max"] == "2"


def test_an_empty_folder_still_gets_its_page(tmp_path):
    page = read(tmp_path)
    assert "Nothing was logged" in page.text
    for name in ("run.json", "log.jsonl", "evaluations.jsonl"):
        assert f"{name} is missing" in page.text


def test_records_of_unexpected_types_do_not_break_the_page(run_folder):
    (run_folder / "run.json").write_text('{"name": 3, "settings": [1], "config": null, "data": {"name": "x"}, "gan": ["a"]}')
    odd = ['{"samples": 500, "terms": null, "health": 4, "seconds": "long"}', '{"samples": "many"}', "[1]", '{"samples": NaN}']
    (run_folder / "log.jsonl").write_text("\n".join([*odd, '{"samples": 600, "terms": {"a": "b", "c": NaN, "d": Infinity}}']))
    (run_folder / "evaluations.jsonl").write_text('{"name": 5, "value": 1}\n{"value": NaN}\n{"value": "x"}\n')
    page = read(run_folder)
    assert "600 samples" in page.text


def test_strings_of_the_run_stay_text(run_folder):
    attack = '"><script>alert(1)</script>'
    run = json.loads((run_folder / "run.json").read_text())
    run |= {"name": attack, "gan": attack, "config": {attack: attack}, "environment": {attack: attack}, "parameters": {attack: 1}}
    run["data"] = {"name": attack}
    (run_folder / "run.json").write_text(json.dumps(run))
    health = [{"level": attack, "name": attack, "sentence": attack}]
    line = {"samples": 500, "terms": {attack: 1.0}, "gradient_norms": {attack: 1.0}, "health": health}
    (run_folder / "log.jsonl").write_text(json.dumps(line) + "\n")
    record = {"name": attack, "value": 1.0, "note": attack, "baseline_name": attack, "better": attack, "seed": attack}
    (run_folder / "evaluations.jsonl").write_text(json.dumps(record) + "\n")
    document = write_report(run_folder).read_text("utf-8")
    assert "<script>alert" not in document
    page = Structure(document)
    assert len(page.all("script")) == 1 and attack in page.text


def test_the_page_of_a_long_run_of_large_pictures_stays_small(run_folder):
    rng = np.random.Generator(np.random.Philox(key=1))
    noise = Image.fromarray(rng.integers(0, 256, (256, 256, 3), np.uint8)).resize((1400, 1400))
    noise.save(run_folder / "samples" / "real.png", compress_level=1)
    small = noise.crop((0, 0, 256, 256))
    for samples in range(500, 600):
        small.save(run_folder / "samples" / f"{samples:06d}.png", compress_level=1)
    page = read(run_folder)
    assert (run_folder / "report.html").stat().st_size < 6e6
    assert sum("data-samples" in frame for frame in page.all("div")) == 40


def test_an_older_page_is_replaced_and_no_draft_is_left(run_folder):
    (run_folder / "report.html").write_text("old")
    write_report(run_folder)
    assert (run_folder / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert not list(run_folder.glob(".report*"))


def test_a_folder_that_does_not_exist_is_the_users_mistake(tmp_path):
    with pytest.raises(UserError, match="is not a folder: give the folder that holds run.json"):
        write_report(tmp_path / "nowhere")


def test_the_contents_lead_to_every_section_and_files_to_what_is_there(run_folder):
    page = read(run_folder)
    links = [link["href"] for link in page.all("a")]
    ids = {section["id"] for section in page.all("section")}
    assert {link[1:] for link in links if link.startswith("#")} == ids
    files = [link for link in links if not link.startswith("#")]
    assert "samples/film.gif" in files and all((run_folder / name).exists() for name in files)


def test_curves_say_what_is_good(run_folder):
    assert read(run_folder).text.count("Good:") >= 3
