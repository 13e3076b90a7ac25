"""The pages themselves: their own tests and types, where node is installed, and what the wheel carries."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import gansmith
from gansmith.serve.app import PAGES

HERE = Path(__file__).parent / "pages"
TSC = HERE / "node_modules" / ".bin" / "tsc"


def run(*words: str | Path) -> None:
    done = subprocess.run(words, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed here")
def test_pure_functions_of_the_pages_do_what_their_tests_say():
    run("node", "--test")


@pytest.mark.skipif(not TSC.exists(), reason="TypeScript is not installed here: npm ci --prefix tests/serve/pages")
def test_types_of_the_pages_fit():
    run(TSC, "--project", "tsconfig.json")


def test_pages_are_small_built_of_nothing_and_ask_nobody_else():
    """The files in the package are those that a person wrote: they need no build, which is therefore the same everywhere."""
    files = [path for path in PAGES.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 200_000
    folder = Path(gansmith.__file__).parent
    for path in [*files, *(folder / "export" / "_web").iterdir()]:
        text = path.read_text("utf-8")
        assert not re.search(r"(?:src|href)=[\"']https?:|import\(?[^\n]*https?:|url\(https?:", text), path.name
        for own in re.findall(r'from "\./([\w.]+)"', text):
            assert (path.parent / own).is_file(), (path.name, own)
    assert not any(name in os.listdir(PAGES) for name in ("package.json", "node_modules"))
