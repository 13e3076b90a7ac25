"""The package as a whole: what importing it costs, and what every file owes."""

import ast
import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import gansmith
from gansmith.cli import COMMANDS

FOLDER = Path(gansmith.__file__).parent
MODULES = sorted(
    module.name for module in pkgutil.walk_packages([str(FOLDER)], "gansmith.") if not module.name.endswith("__main__")
)


def loaded_by(code: str) -> set[str]:
    """The packages that a fresh interpreter has loaded after some code."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint('|', *sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.rpartition("|")[2].split()}


@pytest.mark.parametrize(
    "code",
    [
        "import gansmith; dir(gansmith); gansmith.__version__",
        "import gansmith.cli",
        *(
            f"from gansmith.cli import main; assert main({argv}) == 0"
            for argv in (
                ["--help"],
                ["--version"],
                ["list"],
                ["list", "gans", "--json"],
                *([name, "--help"] for name in COMMANDS),
            )
        ),
        "from gansmith.cli import main; assert main(['train']) == 2",
    ],
)
def test_what_must_be_quick_loads_no_torch(code):
    heavy = {"torch", "scipy", "sklearn", "pandas", "pyarrow", "matplotlib", "onnx", "datasets"}
    assert loaded_by(code) & heavy == set()


def test_gans_load_no_compiler():
    """It takes a second, and few runs compile."""
    names = [name for name in MODULES if name.startswith("gansmith.gans.")]
    command = [
        sys.executable,
        "-c",
        f"import sys, {', '.join(names)}\nprint('torch' in sys.modules, 'torch._dynamo' in sys.modules)",
    ]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout == "True False\n"


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports_and_says_what_it_is(name):
    assert importlib.import_module(name).__doc__


def test_every_public_class_says_what_it_is():
    silent = []
    for path in FOLDER.rglob("*.py"):
        classes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef)]
        silent += [f"{path}: {node.name}" for node in classes if not node.name.startswith("_") and not ast.get_docstring(node)]
    assert silent == []


@pytest.mark.parametrize("name", gansmith.__all__)
def test_every_public_name_is_there(name):
    assert getattr(gansmith, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'discriminator'"):
        _ = gansmith.discriminator


def test_no_file_is_a_bag_of_odds_and_ends():
    assert [str(path) for path in FOLDER.rglob("*") if path.stem in ("utils", "util", "helpers", "misc", "common")] == []


def test_no_file_is_longer_than_a_maintainer_reads():
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in FOLDER.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 450} == {}


def test_an_installed_package_has_every_file():
    """Runs where gansmith is installed and no editable install, as in continuous integration."""
    try:
        installed = importlib.metadata.files("gansmith") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("gansmith is not installed here")
    names = {str(path) for path in installed if path.parts[0] == "gansmith"}
    if not names:
        pytest.skip("gansmith is installed as editable")
    source = {str(path.relative_to(FOLDER.parent)) for path in FOLDER.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert source - names == set()
    assert {"gansmith/report/page.css", "gansmith/report/page.js", "gansmith/py.typed"} <= names
