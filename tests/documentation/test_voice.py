"""Words that read as private language are not in the documentation, the help texts or the messages; plain ones are."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.documentation.pages import PAGES, ROOT, name_of

PLAIN = {
    r"\bwish(es|ed)?\b": "request, requested",
    r"\bplayed\b": "trained; of a game: run",
    r"\bon the way\b": "during training",
    r"\b(is|are|was|were|be) told(?! (apart|from))\b": "is reported; is given",
    r"\btold otherwise\b": "unless you choose another",
    r"\bwhere the (data|run|file|model)s? (have|has) (it|them|some|one|any)\b": "if there are any",
    r"\bhears? (of|no)\b": "does not see",
    r"\bbetrays?\b": "reveal",
    r"\bmended\b": "fixed",
    r"\bteach(es)? to\b": "trains",
    r"\bfrom its? birth\b": "from the start",
}
"""Words to avoid, and what to write in their place."""
REAL_USES = ("note is played", "which notes are played", "clips are played", "sounds are played")
"""Sentences in which such a word means what it says."""


def messages() -> Iterator[tuple[str, str]]:
    """Every text of the package that is no docstring and has words: what people may be shown."""
    for path in sorted((ROOT / "gansmith").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in docstrings
                and " " in node.value
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def texts() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{name_of(page)}:{number}", line
    for path in sorted((ROOT / "tests" / "help").glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.name}:{number}", line
    yield from messages()


@pytest.fixture(scope="module")
def everything() -> list[tuple[str, str]]:
    return [(place, text) for place, text in texts() if not any(use in text for use in REAL_USES)]


@pytest.mark.parametrize("word", PLAIN)
def test_a_word_of_private_language_is_nowhere(word, everything):
    found = [f"{place}: {text.strip()[:160]}" for place, text in everything if re.search(word, text, re.IGNORECASE)]
    assert not found, f"write {PLAIN[word]}\n" + "\n".join(found)
