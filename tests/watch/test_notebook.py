"""What notebooks show: progress in place, pictures, scores, and one line for a user's mistake."""

import copy
import io
import pickle
import re

import numpy as np
import pytest
from PIL import Image

import gansmith
from gansmith.errors import UserError
from gansmith.watch.notebook import Notebook, in_notebook
from tests import toys


class Handle:
    def __init__(self) -> None:
        self.pages: list[str] = []

    def __call__(self, page, display_id):
        assert display_id is True
        self.pages.append(page._repr_html_())
        return self

    def update(self, page) -> None:
        self.pages.append(page._repr_html_())


def points():
    return np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    shown = Handle()
    out = tmp_path_factory.mktemp("notebook") / "run"
    run = gansmith.train(points(), gan="gan", samples=640, out=out, threads=1, watchers=[Notebook(shown)])
    return run, shown


def test_progress_is_drawn_in_one_place_with_the_newest_picture(trained):
    run, shown = trained
    last = shown.pages[-1]
    assert len(shown.pages) > 4 and '<progress value="1.0000"' in last and "640/640" in last
    assert "data:image/png;base64," in last and f"Done: {run.folder}" in last
    assert any("Judging, 1 of" in page for page in shown.pages) and "Judging, " not in last


def test_it_is_drawn_at_most_once_a_second():
    now, shown = 0.0, Handle()
    live = Notebook(shown, clock=lambda: now)
    for samples in range(100):
        now += 0.05
        live.progress(samples, 100, now)
    assert len(shown.pages) == 5


def test_what_a_run_and_its_judgement_show(trained):
    run, _ = trained
    page = run._repr_html_()
    assert page.index("Too early: ") < page.index("gansmith train --resume") < page.index("data:image/png")
    table = run.judgement._repr_html_()
    assert table.count("<tr>") == 1 + len(run.judgement.scores) and "coverage[raw] ↑" in table and "<th>ceiling</th>" in table


def test_generated_examples_are_a_list_that_shows_itself(trained):
    run, _ = trained
    made = run.generate(5)
    assert isinstance(made, list) and len(made) == 5 and made[1:3] == list(made)[1:3]
    assert "5 generated examples" in made._repr_html_() and "data:image/png" in made._repr_html_()
    for twin in (pickle.loads(pickle.dumps(made)), copy.copy(made)):
        assert type(twin) is list and len(twin) == 5


def test_a_picture_shows_itself():
    data = toys.every()["gray"]
    (picture,) = data.codec.decode(data.batch([0]))
    content = picture._repr_png_()
    assert content.startswith(b"\x89PNG")
    assert Image.open(io.BytesIO(content)).size == picture.image.size


def test_there_is_no_notebook_here():
    assert not in_notebook()


def test_a_mistake_is_one_line():
    assert UserError("give more.")._render_traceback_() == ["UserError: give more."]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ipython_shows_a_mistake_in_one_line(capsys):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.run_cell("from gansmith.errors import UserError\nraise UserError('the batch must be at least 1, but it is 0.')")
    said = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert said.strip() == "UserError: the batch must be at least 1, but it is 0."
