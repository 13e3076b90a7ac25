"""The site of docs/: every page is reached from the front page, every link and anchor leads somewhere, and Sphinx builds it in silence."""

import os
import re
import subprocess
import sys

import pytest

from tests.documentation.pages import DOCS, PAGES, name_of

TOCTREE = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)
SITE = [page for page in PAGES if page.is_relative_to(DOCS)]


def entries(page) -> list:
    """The pages below a page, in the order of the site."""
    lines = [line for found in TOCTREE.findall(page.read_text(encoding="utf-8")) for line in found.splitlines()]
    return [(page.parent / f"{line}.md").resolve() for line in lines if line and not line.startswith((":", "generated/"))]


def test_every_page_is_reached_from_the_front_page_and_none_twice():
    reached, waiting = [], [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        reached.append(page)
        waiting += entries(page)
    assert sorted(reached) == sorted(SITE)


def slug(heading: str) -> str:
    """The anchor of a heading, as it is on GitHub."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def test_links_to_headings_lead_to_headings():
    for page in PAGES:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            aim = (page.parent / target) if target else page
            headings = re.findall(r"^#+ (.+)$", aim.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), f"{name_of(page)}: {target}#{anchor}"


def test_pictures_are_small():
    for picture in (DOCS / "images").rglob("*.*"):
        assert picture.stat().st_size < 400_000, picture


BUILDS = """
import sys
from sphinx.cmd.build import main

trees, docs, site = sys.argv[1:]
strict = ["-W", "--keep-going", "-q", "-d", trees]
sys.exit(main([*strict, "-D", "html_theme=basic", docs, site]) or main([*strict, docs, site, docs + "/index.md"]))
"""
"""All pages without the theme, whose sidebar takes longer than the pages, and then one with it."""


@pytest.mark.timeout(900)  # a quarter of a minute on a quiet machine
def test_sphinx_builds_the_site_without_a_warning(tmp_path):
    pytest.importorskip("sphinx", reason='the site is built where pip install ".[docs]" was run')
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    command = [sys.executable, "-c", BUILDS, str(tmp_path / "trees"), str(DOCS), str(tmp_path / "site")]
    built = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"}, check=False)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site" / "reference" / "generated" / "gans" / "r3gan.html").exists()
    front = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "furo.css" in front and "generated/gans/r3gan.html" in front
