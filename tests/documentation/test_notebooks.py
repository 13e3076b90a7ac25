"""Notebooks run from their first cell to their last, trainings cut short: pytest -m long tests/documentation

They need nbclient and ipykernel, as the extra [notebook] brings them.
"""

import re

import pytest

from tests.documentation.pages import DOCS
from tests.documentation.test_tutorials import SHORT_PROGRAM, shortened

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end(path, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient").NotebookClient
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = shortened(cell.source.replace('"digits"', '"digits8"'), SHORT_PROGRAM)
    client(notebook, timeout=1800, resources={"metadata": {"path": tmp_path}}).execute()
    shown = {cell.source.splitlines()[-1]: _shown(cell) for cell in notebook.cells if cell.cell_type == "code"}
    assert "<progress" in next(text for source, text in shown.items() if source.startswith("run = "))
    assert "<b>" in shown["run"] and "data:image/png" in shown["run"]
    assert "<table>" in shown["run.evaluate()"] and "<table>" in shown["made.evaluate(unseen)"]
    assert "data:image/png" in shown["sevens"] and "image/png" in shown["sevens[0]"]
    assert "Classes: 0, 1" in shown["model"]
    mistake = next(text for source, text in shown.items() if "r3gon" in source)
    assert "did you mean" in mistake and "Traceback" not in mistake


def _shown(cell) -> str:
    """All that a cell shows, as one text."""
    parts = []
    for output in cell.outputs:
        for mime, content in output.get("data", {}).items():
            parts += [mime, content]
        parts += [output.get("text", ""), *output.get("traceback", [])]
    return re.sub("\033\\[[0-9;]*m", "", "\n".join(map(str, parts)))


def test_notebooks_carry_no_outputs():
    nbformat = pytest.importorskip("nbformat")
    for path in NOTEBOOKS:
        assert not any(cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells), path.name
