"""Models in the formats of others. One file per format; a file's name is its name on the command line."""

import ast
import importlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gansmith import __version__, kinds
from gansmith.data.atomic import sweep
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.data.suggestions import did_you_mean
from gansmith.data.values import Name, Somewhere, checked
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.model import Model

_INPUTS = {
    "noise": "float32, standard normal",
    "label": "int64, a position in classes, others are refused in ONNX",
    "input": "float32, from -1 to 1",
}
_ATTRIBUTES = "float32, every attribute from -1 (smallest in the data) to 1 (largest), see codec"


MODEL_FILES = ("model.safetensors", "model.json")
"""What a format that fills a folder writes there, if it says no other names in FILES."""


class Exporter(Protocol):
    """What a module of this folder offers to be a format."""

    FILE: str
    """The name of the file that it writes, whose suffix tells a file from a folder to put it in; empty if it fills a folder."""

    def write(self, model: "Model", path: Path) -> str:
        """Writes the model and returns in words how it was checked. Raises UserError where the user can help."""
        ...


def exporter_names() -> dict[str, str]:
    """Every format with the first line of its file's docstring, read without importing anything."""
    return {path.stem: _first_line(path) for path in sorted(Path(__file__).parent.glob("[!_]*.py"))}


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


@checked
def export(
    model: "Model", to: Name, out: Somewhere, say: Callable[[str], None] = lambda _: None, overwrite: bool = False
) -> Path:
    """Writes a model in another format and returns the path; `say` hears how it was checked.

    `out` is a file with the format's suffix, or a folder to put it in. The file appears once it is whole and has been checked.
    Raises UserError for an unknown format, a missing extra, a place that cannot be written, and a file that exists, unless `overwrite`.
    """
    known, out = exporter_names(), Path(out)
    if to not in known:
        raise UserError(f"There is no format {to!r}{did_you_mean(to, list(known))}: choose one of {', '.join(known)}.")
    exporter: Exporter = importlib.import_module(f"gansmith.export.{to}")  # pyright: ignore[reportAssignmentType]
    if not exporter.FILE:
        refuse_overwriting([out / name for name in getattr(exporter, "FILES", MODEL_FILES)], overwrite=overwrite)
        sweep([out])
        say(f"{out}: {exporter.write(model, out)}")
        return out
    path = out if out.suffix == Path(exporter.FILE).suffix else out / exporter.FILE
    refuse_overwriting([path], overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            checked = exporter.write(model, draft)
    except OSError as error:
        raise UserError(f"{path} could not be written ({error.strerror or error}): make room or permission there.") from error
    say(f"{path}: {checked}")
    return path


def properties(model: "Model", inputs: Iterable[str]) -> dict[str, str]:
    """What a stranger must know to use an exported network, as texts by name."""
    spec = model.codec.spec
    return {
        "producer": f"gansmith {__version__}",
        "gan": str(model.card["gan"]),
        "data": str(model.card.get("data", "")),
        "inputs": json.dumps(
            {name: _ATTRIBUTES if spec.attributes and name == "label" else _INPUTS.get(name, "") for name in inputs}
        ),
        "output": f"{spec.key} {list(spec.shape)}, float32, {kinds.find(spec.kind).exported}",
        "classes": json.dumps(spec.classes),
        "attributes": json.dumps(spec.attributes),
        "codec": json.dumps(model.codec.to_json()),
    }
