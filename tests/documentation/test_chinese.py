"""Chinese pages say what the English ones say: the same commands, programs and tables, so that none falls behind unseen."""

import re

import pytest

from tests.documentation.pages import DOCS, ROOT, fenced

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PAGES = sorted((DOCS / "zh").rglob("*.md"))
TWINS = [
    (ROOT / "README.zh-CN.md", ROOT / "README.md"),
    *((page, DOCS / "tutorials" / page.name) for page in PAGES if page.parent.name == "tutorials" and page.stem != "index"),
]
"""Chinese pages and the English ones that they are translations of."""


def without_remarks(text: str) -> str:
    return re.sub(r"  #.*", "", text)


@pytest.mark.parametrize(("chinese", "english"), TWINS, ids=lambda page: page.stem)
def test_a_translation_has_the_commands_and_programs_of_its_original(chinese, english):
    def programs(page):
        return [(language, without_remarks(text)) for language, text, _ in fenced(page) if language != "{toctree}"]

    assert programs(chinese) == programs(english), f"mend {chinese.name} as {english.name} was changed"


def test_the_page_on_keras_has_the_program_of_the_english_one():
    chinese, english = (
        [text for language, text, _ in fenced(DOCS / page) if language in ("python", "console")]
        for page in ("zh/keras-pytorch.md", "own-networks.md")
    )
    assert set(chinese) <= set(english)


@pytest.mark.parametrize(("chinese", "english"), TWINS, ids=lambda page: page.stem)
def test_a_translation_has_the_headings_and_tables_of_its_original(chinese, english):
    def shape(page):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        headings = [len(line.split()[0]) for line in text.splitlines() if re.match("#+ ", line)]
        return headings, [line.count("|") for line in text.splitlines() if line.lstrip().startswith("|")]

    assert shape(chinese) == shape(english), f"mend {chinese.name} as {english.name} was changed"


def test_the_first_five_tutorials_are_there():
    assert {page.stem for page, _ in TWINS[1:]} == {"first-digits", "own-pictures", "what-is-a-gan", "tables", "pairs"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_chinese_page_is_in_chinese(page):
    assert len(CHINESE.findall(page.read_text(encoding="utf-8"))) > 40


@pytest.mark.parametrize("page", sorted((DOCS / "zh" / "papers").glob("[!i]*.md")), ids=lambda page: page.stem)
def test_the_page_of_a_paper_goes_from_paper_to_command_to_code(page):
    text = page.read_text(encoding="utf-8")
    places = [text.index(mark) for mark in ("**论文**", "## 命令", "## 代码")]
    assert places == sorted(places)
    (path, owner) = re.search(r"literalinclude\} (\S+)\n:pyobject: (\w+)\.play", text).groups()
    source = (page.parent / path).read_text(encoding="utf-8")
    assert f"class {owner}(" in source
    assert "def play(" in source
