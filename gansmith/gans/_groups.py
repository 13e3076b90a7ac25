"""What the GANs of this folder make, read from their files without importing any: kinds of data, from noise or from other examples."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from gansmith.data.spec import in_words

_READ, _PLACES = ("kinds", "tasks", "axes"), ("gans", "tasks")
_PACKAGE = Path(__file__).parents[1]


def groups() -> dict[str, str]:
    """The heading under which each GAN is listed: "images", "images, points", "images to images", "tables", ..."""
    return {path.stem: _heading(path.stem) for path in sorted(Path(__file__).parent.glob("[!_]*.py"))}


def _heading(name: str) -> str:
    own = max(_classes(f"gans.{name}").values(), key=lambda found: found["depth"], default={})
    kinds = own.get("kinds") or tuple(map(in_words, own.get("axes", ())))
    made = ", ".join(kinds) or "images"
    return made if "generation" in own.get("tasks", ("generation",)) else f"{made} to {made}"


@cache
def _classes(module: str) -> dict[str, dict[str, Any]]:
    """The classes of a module of this package that stem from GAN, with what they declare or inherit; `depth` counts the steps from it."""
    path = _PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known: dict[str, dict[str, Any]] = {"GAN": {"depth": 0, "kinds": ("images",)}}
    for node in tree.body:
        theirs = (node.module or "").removeprefix("gansmith.") if isinstance(node, ast.ImportFrom) else ""
        if isinstance(node, ast.ImportFrom) and theirs.partition(".")[0] in _PLACES:
            for name in node.names:
                here = name.asname or name.name
                if found := _classes(theirs).get(name.name):
                    known[here] = found
                known |= {f"{here}.{one}": found for one, found in _classes(f"{theirs}.{name.name}").items()}
    made = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = [known[base] for base in map(ast.unparse, node.bases) if base in known]
            if bases:
                made[node.name] = known[node.name] = {**bases[0], **dict(_declared(node)), "depth": bases[0]["depth"] + 1}
    return made


def _declared(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    for line in node.body:
        targets = line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in _READ and line.value is not None:  # pyright: ignore[reportAttributeAccessIssue]
                yield target.id, ast.literal_eval(line.value)  # pyright: ignore[reportAttributeAccessIssue]
