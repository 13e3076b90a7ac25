"""Programs of one's own that travel with a model: the Python files that its facts name lie beside it, each with its checksum.

They run only if the user trusts them (`--trust`, `trust=True`), on any machine, and as they were when the model was saved. What such a file
imports does not travel.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

from gansmith.data.atomic import make_folder, write_atomically
from gansmith.data.programs import Copy, source_of
from gansmith.errors import UserError

PROGRAMS = "programs"
"""The folder of a model that holds them."""
_FILE = re.compile(rf"{PROGRAMS}/[\w.-]+\.py")


class Program(TypedDict):
    """A file, by its path in the folder of the model."""

    file: str
    sha256: str


def save_programs(folder: Path, facts: Mapping[str, Any]) -> dict[str, Program]:
    """Writes the programs that the facts of a model name into its folder; returns what the facts say of them, by the paths named there."""
    saved: dict[str, Program] = {}
    for path in dict.fromkeys(_named(facts)):
        source = source_of(path)
        if source is None:
            continue
        mark = hashlib.sha256(source).hexdigest()
        taken = {program["file"] for program in saved.values()}
        stem = re.sub(r"[^\w.-]", "_", path.stem)
        file = next(file for n in range(len(taken) + 1) if (file := f"{PROGRAMS}/{stem}{n or ''}.py") not in taken)
        if not (folder / file).is_file() or (folder / file).read_bytes() != source:
            make_folder((folder / file).parent)
            write_atomically(folder / file, source)
        saved[str(path)] = {"file": file, "sha256": mark}
    return saved


def copies_in(folder: Path, facts: Mapping[str, Any]) -> dict[Path, Copy]:
    """The programs in the folder of a model by the paths under which its facts name them. Raises UserError for a file outside of it."""
    found = {}
    for named, program in facts.get("programs", {}).items():
        if not _FILE.fullmatch(program["file"]):
            raise UserError(
                f"{folder} names the program {program['file'][:80]!r}, which should be {PROGRAMS}/NAME.py in it: restore the model."
            )
        found[Path(named).resolve()] = Copy(folder / program["file"], program["sha256"])
    return found


def _named(facts: Mapping[str, Any]) -> Iterator[Path]:
    """The Python files that facts name: a GAN's, those of players of one's own (FILE.py:FUNCTION), and a kind's."""
    values = [facts["gan"], *(value.rpartition(":")[0] for value in facts["config"].values() if isinstance(value, str))]
    yield from (Path(value) for value in values if isinstance(value, str) and value.endswith(".py"))
    spec = facts["codec"].get("spec")
    kind = str(spec.get("kind", "")) if isinstance(spec, Mapping) else ""
    if "/" in kind or kind.endswith(".py"):
        yield Path(kind) if kind.endswith(".py") else Path(kind) / "kind.py"
