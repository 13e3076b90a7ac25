"""Tutorials run from their first line to their last, trainings cut short: pytest -m long tests/documentation

GANSMITH_FULL=1 runs them as they are written, which takes hours.
"""

import os
import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gansmith import cli
from tests.documentation.pages import DOCS, fenced, saved_as

FULL = bool(os.environ.get("GANSMITH_FULL"))
TUTORIALS = [page for page in sorted((DOCS / "tutorials").glob("*.md")) if page.stem != "index"]
THEIRS = (
    "photos",
    "animals",
    "prices.csv",
    "people.csv",
    "captions",
    "drugs.csv",
    "chorales",
    "clips",
    "sounds",
    "voice",
    "melody",
)
"""Data that readers bring themselves: commands on them are parsed by tests/test_documentation.py."""
SHORT_COMMAND = [(r" --(minutes|samples) [\d_]+", ""), (r"^(gansmith train .*?)( *#.*)?$", r"\1 --samples 320 --threads 1")]
SHORT_PROGRAM = [
    (r"minutes=\d+", "samples=320, threads=1"),
    (r"samples=\d[\d_]{3,}", "samples=320"),
    (r"rounds=3000", "rounds=2"),
    (r"range\(3\)", "range(1)"),
    (r"\(1, 2, 3\)", "(1,)"),
]


def steps(page: Path) -> Iterator[tuple[str, str, str | None]]:
    """Programs and commands of a page in their order; (language, text, the file to save it as)."""
    for language, text, before in fenced(page):
        if language == "console":
            for line in text.replace("\\\n", " ").splitlines():
                yield from (("console", part.strip(), None) for part in line.split("&&"))
        elif language in ("python", "html"):
            yield language, text, saved_as(before)


def shortened(text: str, how: list[tuple[str, str]]) -> str:
    for found, short in () if FULL else how:
        text = re.sub(found, short, text, flags=re.MULTILINE)
    return text


@pytest.mark.long
@pytest.mark.timeout(0 if FULL else 1800)
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_runs_from_its_first_line_to_its_last(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names: dict[str, object] = {"__name__": "tutorial"}
    for language, text, place in steps(page):
        if place:
            folder = tmp_path / "site" if language == "html" else tmp_path
            folder.mkdir(exist_ok=True)
            (folder / place).write_text(shortened(text, SHORT_PROGRAM), encoding="utf-8")
        elif language == "python":
            exec(shortened(text, SHORT_PROGRAM), names)
        elif text.startswith("python ") and text.endswith(".py"):
            runpy.run_path(text.split()[1], run_name="__main__")
        elif text.startswith("gansmith ") and not any(word in text for word in THEIRS):
            _given(text)
            words = shlex.split(shortened(text, SHORT_COMMAND), comments=True)
            assert cli.main(words[1:]) == 0, text
    sys.modules.pop("ring", None)


def _given(command: str) -> None:
    """What a page takes for granted: the run of the first page."""
    if "runs/digits-0001" in command and not Path("runs/digits-0001").exists():
        assert cli.main(["train", "digits", "--samples", "320", "--threads", "1", "--no-evaluate"]) == 0
