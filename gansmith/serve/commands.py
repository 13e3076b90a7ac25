"""Requests as command lines: which there are for a model, how a request becomes one, and how it runs in a worker."""

from __future__ import annotations

import dataclasses
import importlib
import re
import shlex
import sys
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith import kinds
from gansmith.data.values import flag_of, range_of
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.model import Model

OURS = frozenset(
    ("run", "input", "out", "device", "trust", "overwrite", "json", "weights", "targets", "page", "spreadsheet_safe")
)
"""Options of `gansmith translate` that the server sets, or that name places on its disk."""
EDITS = ("interpolate", "grid", "mix", "directions", "project", "fuse")
"""Actions of `gansmith edit` that make something of a model alone."""


def perform(words: Sequence[str]) -> None:
    """Runs a command in this process. Raises UserError as the command does."""
    name, *rest = words
    importlib.import_module(f"gansmith.cli.{name}").run(rest)


def spelled(words: Sequence[str]) -> str:
    """A command line to copy."""
    return shlex.join(["gansmith", *words])


def words_of(request: Mapping[str, Any], run: Path, folder: Path, trust: bool = False) -> list[str]:
    """The words of the command that a request stands for; values of the client stand behind `=`, where none is taken for an option."""
    action = request["do"]
    options = [word for name, value in request.get("options", {}).items() for word in option(name, value)]
    files = [f"{flag_of(name)}={path}" for name, path in request.get("companions", {}).items()]
    more = ["--json", *(["--trust"] if trust else [])]
    if action == "translate":
        out = folder / request["out"] if request.get("out") else folder
        return ["translate", str(run), request["input"], f"--out={out}", *options, *files, *more]
    if action == "speak":
        text = request["text"]  # @FILE and options begin otherwise
        return [
            "speak",
            str(run),
            f" {text}" if text[:1] in ("@", "-") else text,
            f"--out={folder / request['out']}",
            *options,
            *more,
        ]
    given = request.get("inputs", [])
    return ["edit", str(run), action, *given, f"--out={folder / request['out']}", *options, *more]


def option(name: str, value: Any) -> list[str]:
    """One option as words: --seed=1, --loop, and one --where=key=value for each condition."""
    if not re.fullmatch(r"[a-z][a-z_]*", name):
        raise UserError(f"options are named by small letters, and {name!r} is not: see the model's card.")
    if value is None or value is False:
        return []
    if isinstance(value, Mapping):
        return [f"{flag_of(name)}={key}{own if re.match('[<>!]', str(own)) else f'={own}'}" for key, own in value.items()]
    return [flag_of(name)] if value is True else [f"--{name.replace('_', '-')}={value}"]


# ---- what there is -------------------------------------------------------------------------------------------------------------


def edits(model: Model) -> bool:
    """Whether `gansmith edit` takes this model."""
    from gansmith.edit.studio import Studio

    try:
        Studio(model)
    except UserError:
        return False
    return True


def translation_of(model: Model) -> dict[str, Any] | None:
    """The options and further files of `gansmith translate` for this model, read off the options of its kind's command; None where the kind
    has no such command."""
    run = kinds.translator(model.codec.spec.kind)
    module = sys.modules[run.__module__]
    shapes = [shape for shape in vars(module).values() if isinstance(shape, type) and dataclasses.is_dataclass(shape)]
    shapes = [shape for shape in shapes if {"run", "input"} <= {field.name for field in dataclasses.fields(shape)}]
    if not shapes or not kinds.find(model.codec.spec.kind).translates(model):
        return None
    hints = typing.get_type_hints(shapes[0], include_extras=True)
    comments = docs_of(shapes[0])
    found: dict[str, Any] = {"files": [], "options": []}
    for field in dataclasses.fields(shapes[0]):
        if field.name in OURS:
            continue
        plain = typing.get_type_hints(shapes[0])[field.name]
        if Path in (plain, *typing.get_args(plain)):
            found["files"].append({"name": field.name, "about": comments.get(field.name, "")})
        else:
            one = described(field, hints[field.name], plain, comments.get(field.name, ""))
            found["options"].append({**one, "name": _flag(hints[field.name]) or field.name})
    return found


def _flag(hint: Any) -> str | None:
    """The name of an option that is not that of its field."""
    return next(
        (name for each in getattr(hint, "__metadata__", ()) if isinstance(name := getattr(each, "name", None), str)), None
    )


def described(field: dataclasses.Field[Any], hint: Any, plain: Any, about: str) -> dict[str, Any]:
    """An option for a form: its name, what it takes, its range and its default."""
    parts = [part for part in typing.get_args(plain) if part is not type(None)] or [plain]
    choices = list(typing.get_args(parts[0])) if typing.get_origin(parts[0]) is typing.Literal else []
    form = "choice" if choices else {bool: "flag", int: "whole", float: "number"}.get(parts[0], "text")
    if typing.get_origin(parts[0]) is tuple or typing.get_origin(plain) is tuple:
        form = "conditions" if field.name == "where" else "text"
    held = range_of(hint)
    default = None if field.default is dataclasses.MISSING else field.default
    low, high = getattr(held, "low", None), getattr(held, "high", None)
    return {
        "name": field.name,
        "form": form,
        "choices": choices,
        "low": low if isinstance(low, int | float) else None,
        "high": high if isinstance(high, int | float) and abs(high) < 2**53 else None,
        "default": default if isinstance(default, bool | int | float | str) else None,
        "about": about,
    }


def docs_of(shape: type) -> dict[str, str]:
    """The docstring under each field of a dataclass, read from its source."""
    import ast
    import inspect
    import textwrap

    body = ast.parse(textwrap.dedent(inspect.getsource(shape))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for statement, after in zip(body.body, [*body.body[1:], None], strict=True):
        named = statement.target if isinstance(statement, ast.AnnAssign) else None
        said = after.value if isinstance(after, ast.Expr) else None
        if isinstance(named, ast.Name) and isinstance(said, ast.Constant) and isinstance(said.value, str):
            found[named.id] = " ".join(said.value.split())
    return found


def conditions_of(codec: Any) -> list[dict[str, Any]]:
    """What may be asked for under `where`, for a form: classes, attributes with their ranges, and what the codec itself says."""
    from gansmith.data.codec import Askable

    if isinstance(codec, Askable):
        return [dict(each) for each in codec.askable()]
    spec, attributes = codec.spec, getattr(codec, "attributes", None)
    if spec.classes:
        return [{"name": "class", "choices": list(spec.classes)}]
    if attributes is not None:
        ranges = zip(attributes.names, attributes.low, attributes.high, strict=True)
        return [{"name": name, "low": low, "high": high} for name, low, high in ranges]
    return []
