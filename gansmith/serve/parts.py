"""What a worker makes of requests to a folder of several models that belong together, such as tables with keys."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gansmith import kinds
from gansmith.data.json_files import read_object
from gansmith.errors import UserError
from gansmith.runs.parts import MARK
from gansmith.serve.rows import as_json

Result = Mapping[str, Any]


class Parts:
    """Answers as `making.Maker` does, with one file for each part."""

    def __init__(self, run: Path, files: Path, *, trust: bool = False) -> None:
        """Raises UserError for a kind without parts."""
        self.run, self.files, self.trust = run, files, trust
        self.kind = kinds.find(read_object(run / MARK)["kind"])

    def card(self) -> dict[str, Any]:
        """What a client must know to ask."""
        names = sorted(path.name for path in self.run.iterdir() if (path / "model").is_dir() or (path / "model.json").is_file())
        return {
            "kind": self.kind.name,
            "task": "generation",
            "gan": "several",
            "card": {"gan": "several", "data": self.run.name},
            "shape": [],
            "axes": [],
            "numbers": 64,
            "unit": self.kind.unit,
            "classes": [],
            "conditions": [],
            "columns": [],
            "parts": names,
            "formats": ["zip", "json"],
            "generates": True,
            "previewed": 1,
            "seeded": False,
            "edits": False,
            "translates": None,
            "speaks": False,
        }

    def room(self, first: Mapping[str, Any]) -> int:
        """No other request is computed with this one."""
        return 0

    def fits(self, first: Mapping[str, Any], other: Mapping[str, Any], room: int) -> int:
        return 0

    def make(self, batch: Sequence[Mapping[str, Any]], progress: Callable[[float], None]) -> list[Callable[[], Result]]:
        """Makes all parts. Raises UserError for what is of one model alone."""
        (request,) = batch
        if request["do"] != "generate" or request.get("seeds") or request.get("where"):
            raise UserError("this is a folder of several models: it makes n examples of a seed, with all that belongs to them.")
        progress(0.0)
        folder = self.files / secrets.token_urlsafe(18)
        paths = self.kind.generate_parts(self.run, request["n"], request["seed"], folder, trust=self.trust)
        form = request["format"]

        def write() -> Result:
            if form == "json":
                found = {path.stem: json.loads(as_json(path).read_text("utf-8")) for path in paths}
                target = folder.with_suffix(".json")
                target.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
            else:
                target = folder.with_suffix(".zip")
                with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                    for path in paths:
                        archive.write(path, path.name)
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
            kind = "application/json" if form == "json" else "application/zip"
            file = {"path": str(target), "name": target.name, "bytes": target.stat().st_size, "type": kind}
            return {"files": [file], "n": request["n"], "as_requested": None}

        return [write]
