"""What a judgement leaves in its run."""

import json

import pytest

import gansmith
from tests import toys


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gansmith.kinds.images.features.classifier.MINIMUM", 400)
    monkeypatch.setattr("gansmith.kinds.images.features.classifier.PASSES", 1)


def test_a_judged_run_of_images_holds_pictures_and_all_that_its_report_needs():
    run = gansmith.train(toys.images(300), gan="dcgan", options=toys.SMALL["dcgan"], samples=64, batch=16, out="run")
    judgement = run.judgement
    assert judgement is not None and judgement.overview is not None
    found = json.loads((run.folder / "judgement.json").read_text())
    assert found["samples_seen"] == 64 and found["skipped"] == judgement.skipped
    assert found["portrait"] == json.loads(json.dumps(judgement.overview.to_json()))
    assert found["neighbours"]["distances"] == judgement.neighbours.distances.tolist()
    assert found["neighbours"]["distances"] == sorted(found["neighbours"]["distances"], key=lambda row: row[0])
    for name in ("neighbours", "best", "worst"):
        assert (run.samples / f"{name}.png").is_file()
    page = (run.folder / "report.html").read_text()
    for heading in ("The best and the worst", "Distributions", "A map"):
        assert f">{heading}<" in page


def test_a_judged_run_of_points_has_drawings_but_no_pictures_of_single_points():
    run = gansmith.train(toys.points(512), gan="gan", options={"width": 16}, samples=640, batch=64, out="run")
    assert (run.folder / "judgement.json").exists() and not (run.samples / "best.png").exists()
    page = (run.folder / "report.html").read_text()
    assert ">Distributions<" in page and ">The best and the worst<" not in page
