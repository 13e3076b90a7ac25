"""How files depend on each other: no circles, every kind of data behind its protocol, and its low files below its high ones."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

import gansmith
from gansmith import kinds

ROOT = Path(gansmith.__file__).parent.parent
KINDS = sorted(path.parent.name for path in (ROOT / "gansmith" / "kinds").glob("[!_]*/kind.py"))

HIGH = (
    *("kind", "baseline", "rivals", "features", "features.*", "networks", "metrics.*", "report", "overview", "estimator"),
    # planning
    "images.choose",
    "images.inspection",
    # judging and reports
    *("images.patches", "text.encoder", "series.fact_plots", "series.steps", "tables.views", "tables.copula"),
    # the work of a command
    *("translation", "translation.*", "optimisation", "optimisation.*", "speaking", "speaking.*"),
    *("tables.related.making", "tables.related.judging", "tables.related.parts", "tables.related.looking"),
)
"""Files of a kind that may know of evaluation, metrics, planning, reports and models; all others are low."""
EDGES = {
    ("series", "tables"): "series are cut from tables of text, which are read as tables are",
    ("audio", "images"): "labels of sound files are read as those of images are, and spectra are judged as pictures",
    ("video", "images"): "frames are read, resized and shown as images are",
}
"""Kinds whose low files may import low files of another kind, and why."""
OUTSIDERS = {
    "gans/*": "GANs of one kind are written for its Spec",
    "layers/*": "layers of one kind are written for its Spec",
    "edit/*": "only images are edited",
    "cli/edit.py": "only images are edited",
}
"""Files outside `kinds` that may import from the folder of a kind, and why."""
SPEC_ALONE = ("gans/*", "layers/*")
"""Those of them that may import a kind's facts and nothing that reads, judges or shows."""
LATE = {
    ("gansmith.data.spec", "gansmith.kinds"): "a spec of pairs is read with its source's, whatever kind that is",
    ("gansmith.data.paired", "gansmith.kinds"): "a codec of pairs is read with those of its sides, whatever kinds these are",
}
"""Imports inside functions that may close a circle, and why."""
ROOMS = {
    "data": ("data", "errors"),
    "layers": ("data", "errors", "kinds", "layers", "networks", "training"),
    "training": ("data", "errors", "game", "penalties", "training"),
}
"""What some rooms may import, themselves included."""


@dataclass(frozen=True)
class Import:
    """One file that imports another one."""

    of: str
    late: bool
    """Whether it stands in a function."""


def test_no_files_import_each_other_in_a_circle():
    graph = {name: {found.of for found in imports if not found.late} for name, imports in modules().items()}
    assert circles(graph) == []


def test_imports_inside_functions_close_no_circle_either():
    """A circle that is hidden in functions is still one: neither file can be understood, moved or tested alone."""
    graph = {name: {found.of for found in imports if (name, found.of) not in LATE} for name, imports in modules().items()}
    assert circles(graph) == []
    for importer, imported in LATE:
        assert Import(imported, late=True) in modules()[importer], (
            f"{importer} no longer imports {imported}: take it off the list"
        )


def test_a_circle_is_found_whatever_its_length():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"d", "b"}, "d": set(), "e": {"e"}}) == [["b", "c"], ["e"]]
    assert circles({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) == []
    code = "import gansmith.a\nif TYPE_CHECKING:\n    import gansmith.b\nelse:\n    import gansmith.c\ndef f():\n    from gansmith import d"
    found = set(imported(ast.parse(code).body))
    assert {(each.of, each.late) for each in found} == {("gansmith.a", False), ("gansmith.c", False), ("gansmith.d", True)} | {
        ("gansmith", True)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_low_files_of_a_kind_know_only_data_errors_and_each_other(kind):
    wrong = []
    for name, imports in modules().items():
        own = name.removeprefix("gansmith.kinds.")
        if not own.startswith(f"{kind}.") or is_high(own):
            continue
        for found in imports:
            room, _, rest = found.of.removeprefix("gansmith.").partition(".")
            theirs = rest.partition(".")[0]
            fine = room in ("data", "errors") or found.of in ("gansmith", "gansmith.kinds", f"gansmith.kinds.{theirs}")
            fine |= room == "kinds" and not is_high(rest) and (theirs == kind or (kind, theirs) in EDGES)
            if not fine:
                wrong.append(f"{name} imports {found.of}")
    assert wrong == []


def test_declared_edges_between_kinds_are_used_and_make_no_circle():
    used = {
        (own[0], theirs[0])
        for name, imports in modules().items()
        for found in imports
        if name.startswith("gansmith.kinds.") and found.of.startswith("gansmith.kinds.")
        if (own := name.split(".")[2:])[1:] and (theirs := found.of.split(".")[2:])[1:] and own[0] != theirs[0]
    }
    assert used == set(EDGES)
    assert circles({kind: {other for first, other in EDGES if first == kind} for kind in KINDS}) == []


def test_options_of_a_kind_load_no_torch():
    """Each in an interpreter of its own: help is composed of them."""
    for kind in kinds.names():
        code = f"import sys, gansmith.kinds.{kind}.options; sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0, kind


def test_outsiders_ask_the_kind():
    wrong, used = [], set()
    for name, imports in modules().items():
        if name.startswith("gansmith.kinds"):
            continue
        path = file_of(name).relative_to(ROOT / "gansmith").as_posix()
        allowed = next((pattern for pattern in OUTSIDERS if fnmatch(path, pattern)), None)
        for found in imports:
            theirs = found.of.removeprefix("gansmith.kinds.")
            if theirs == found.of or theirs.partition(".")[0] not in KINDS:
                continue
            if allowed is None or (allowed in SPEC_ALONE and is_high(theirs)):
                wrong.append(f"{name} imports {found.of}")
            used.add(allowed)
    assert wrong == []
    assert used == set(OUTSIDERS), "take what is not needed off the list"


def test_nothing_outside_kinds_asks_which_kind_it_has():
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {said}"
        for path in sorted((ROOT / "gansmith").rglob("*.py"))
        if "kinds" not in path.relative_to(ROOT / "gansmith").parts[:1]
        for line, said in questions(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "question",
    [
        'spec.kind == "images"',
        'data.codec.spec.kind in ("images", "points")',
        'kind not in ["series"]',
        "spec.kind != IMAGES",
        "isinstance(found, Table)",
        "isinstance(found, Points | Table)",
        "len(spec.shape) == 3",
        "len(shape) != 3",
        "of_images(spec)",
        "found.of_images",
        'match kind:\n    case "tables":\n        pass',
    ],
)
def test_a_question_for_the_kind_is_found(question):
    assert questions(question)


def test_what_asks_for_a_task_axes_or_a_declared_list_is_no_question_for_the_kind():
    fine = [
        'spec.task == "pairs"',
        'spec.axes == ("step",)',
        "spec.kind in made.kinds",
        "len(names) == 3",
        "kinds.find(spec.kind)",
    ]
    assert [said for code in fine for said in questions(code)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_the_rooms_below_it(room):
    wrong = []
    for name, imports in modules().items():
        if name.split(".")[1:2] == [room]:
            theirs = {found.of for found in imports} - {"gansmith"}
            wrong += [f"{name} imports {of}" for of in theirs if of.split(".")[1] not in ROOMS[room] and (name, of) not in LATE]
    # The kind says what it trains in.
    assert [each for each in wrong if each != "gansmith.training.precision imports gansmith.kinds"] == []


# ---- how files are read ---------------------------------------------------------------------------------------------------------


@cache
def modules() -> Mapping[str, frozenset[Import]]:
    """Every file by its module's name, with what it imports of this package."""
    paths = {name_of(path): path for path in (ROOT / "gansmith").rglob("*.py")}
    found = {}
    for name, path in paths.items():
        own = set()
        for each in imported(ast.parse(path.read_text(encoding="utf-8")).body):
            # `from package import name` loads the package, and its file `name` if there is one
            if each.of in paths and each.of != name and not is_above(each.of, name):
                own.add(each)
        found[name] = frozenset(own)
    return found


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def file_of(name: str) -> Path:
    path = ROOT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def is_above(package: str, name: str) -> bool:
    """Whether a package is one that a file lies in: it has been loaded before."""
    return name.startswith(f"{package}.")


def imported(statements: Iterable[ast.stmt], late: bool = False) -> Iterator[Import]:
    """What these statements import, but for what only type checkers see."""
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None, "imports are absolute"
            yield Import(node.module, late)
            yield from (Import(f"{node.module}.{alias.name}", late) for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imported(node.orelse, late)
        else:
            inside = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for field in ("body", "orelse", "finalbody"):
                yield from imported(getattr(node, field, []), inside)
            for part in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
                yield from imported(part.body, inside)


def is_high(own: str) -> bool:
    """Whether a file of a kind, as "images.metrics.fusion", is a high one."""
    return any(fnmatch(own, pattern) or fnmatch(own.partition(".")[2], pattern) for pattern in HIGH)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of files each of which reaches all others of its group, and files that import themselves (Tarjan 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    found = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        waiting.append(name)
        for other in sorted(graph.get(name, ())):
            if other not in order:
                visit(other)
            if other in waiting:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == order[name]:
            group = waiting[waiting.index(name) :]
            del waiting[-len(group) :]
            if len(group) > 1 or name in graph.get(name, ()):
                found.append(sorted(group))

    for name in sorted(graph):
        if name not in order:
            visit(name)
    return sorted(found)


def questions(code: str) -> list[tuple[int, str]]:
    """(line, code) where the kind of data is asked for instead of asking the kind."""
    found = []
    for node in ast.walk(ast.parse(code)):
        said = ast.unparse(node) if isinstance(node, ast.expr) else ""
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            of_kind = any(re.search(r"(^|[._])kind$", ast.unparse(part)) for part in parts)
            known = any(
                (isinstance(each, ast.Constant) and each.value in KINDS) or (isinstance(each, ast.Name) and each.id.isupper())
                for part in parts
                for each in ([part, *part.elts] if isinstance(part, ast.Tuple | ast.List | ast.Set) else [part])
            )
            if (of_kind and known) or re.search(r"len\([\w.]*shape\) (==|!=) 3", said):
                found.append((node.lineno, said))
        elif re.match(r"isinstance\(.*\bTable\b", said) or re.fullmatch(r"([\w.]+\.)?of_images", said):
            found.append((node.lineno, said))
        elif isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant) and node.value.value in KINDS:
            found.append((node.lineno, ast.unparse(node)))
    return found
