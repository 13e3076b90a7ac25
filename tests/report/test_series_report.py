"""The report of a run on time series."""

from PIL import Image

import gansmith
from gansmith import kinds
from tests import toys


def test_the_report_of_a_series_shows_its_curves_and_its_neighbours(tmp_path, monkeypatch):
    monkeypatch.setattr(type(kinds.find("series")), "metrics", ("acf", "tails"))
    options = {"width": 8, "coarsest": 3}
    run = gansmith.train(toys.series(300), gan="seriesgan", options=options, out=tmp_path / "run", samples=128, batch=32)
    assert {score.metric for score in run.judgement.scores} == {"acf", "tails"}
    page = (run.folder / "report.html").read_text()
    assert "Stylised facts" in page and "Nearest real neighbours" in page
    with Image.open(run.samples / "facts.png") as facts:
        assert facts.size == (800, 520)
    assert (run.samples / "neighbours.png").is_file()


def test_the_report_of_other_data_has_no_such_section(tmp_path, monkeypatch):
    monkeypatch.setattr(type(kinds.find("points")), "metrics", ("recall",))
    run = gansmith.train(toys.points(), gan="gan", options={"width": 16}, out=tmp_path / "run", samples=128, batch=32)
    assert "Stylised facts" not in (run.folder / "report.html").read_text()
