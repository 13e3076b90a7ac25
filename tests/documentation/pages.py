"""The pages of README and docs, and the commands and programs on them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
READMES = sorted(ROOT.glob("README*.md"))
PAGES = [*READMES, *sorted(page for page in DOCS.rglob("*.md") if "generated" not in page.parts and "_build" not in page.parts)]

FENCED = re.compile(r"(?P<before>[^\n]*\n\s*\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fenced(page: Path) -> list[tuple[str, str, str]]:
    """Every block of code: its language, its text, and the line before it."""
    found = FENCED.finditer(page.read_text(encoding="utf-8"))
    return [(block["language"], block["text"], (block["before"] or "").strip()) for block in found]


def blocks(page: Path, language: str) -> list[str]:
    return [text for own, text, _ in fenced(page) if own == language]


def saved_as(before: str) -> str | None:
    """The file that a block should be saved as, if the line before it says so."""
    found = re.search(r"(?:[Ss]aved? .*as|存为|保存为)\s*`([\w-]+\.(?:py|html|toml|json))`", before)
    return found[1] if found else None
