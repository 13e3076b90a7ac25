"""JSON of strangers: no larger, and no deeper nested, than the limits."""

import json
from pathlib import Path
from typing import Any

from gansmith.data.readers.files import read_whole
from gansmith.data.readers.limits import check, current


def parsed(text: str | bytes, what: str) -> Any:
    """The value in JSON text. Raises ValueError in a few words for what is no JSON, UserError above the limits `json_bytes` and
    `json_depth`; `what` names the text there."""
    check("json_bytes", len(text), what, "bytes")
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    _check_depth(found, what)
    return found


def read_json(path: Path) -> Any:
    """The value in a JSON file. Raises OSError, ValueError and UserError as `parsed` and `open` do."""
    return parsed(read_whole(path, "json_bytes"), str(path))


def _check_depth(value: Any, what: str) -> None:
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, list | dict)]:
        depth += 1
        if depth > current().json_depth:
            check("json_depth", depth, what, "levels of lists and objects")
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
