"""What a worker makes of a request: examples in the files of their kind, previews, and the results of commands."""

from __future__ import annotations

import contextlib
import io
import json
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith import kinds
from gansmith.data.codec import Batch, Named, Numbers
from gansmith.data.origin import made_by
from gansmith.data.preview import TYPES, type_of
from gansmith.edit.seeding import Seeded
from gansmith.errors import UserError
from gansmith.model import CHUNK, Model, held
from gansmith.serve import commands
from gansmith.serve.fusing import Wanted, is_steady, together
from gansmith.serve.rows import as_json, as_windows
from gansmith.tasks.speaking import Speaks
from gansmith.training.devices import choose_device

Result = Mapping[str, Any]
PREVIEW, PACKED, JSON = "preview", "packed", "json"
"""Formats besides those of the kind: what the studio shows, what a client in Python reads, rows for programs."""
FROM_ROWS = {JSON: as_json, "windows": as_windows}
"""Formats that are made of CSV."""


class Maker:
    """A loaded model, and the folder into which files of results go."""

    def __init__(self, run: Path, files: Path, device: str = "auto", trust: bool = False) -> None:
        """Raises UserError where there is no model."""
        self.run, self.files, self.trust = run, files, trust
        self.model = Model.load(run, choose_device(device), trust=trust)
        self.codec = self.model.codec
        self.numbers = math.prod(self.codec.spec.shape)
        self._steady: bool | None = None

    # ---- what it can do ---------------------------------------------------------------------------------------------------------

    def card(self) -> dict[str, Any]:
        """What a client must know to ask; generates one example, so that the first request finds everything warm."""
        spec, codec = self.codec.spec, self.codec
        makes = not spec.source_shape
        if makes:
            with contextlib.suppress(UserError):
                list(self.model.batches(1))
        formats = [suffix.removeprefix(".") for suffix in codec.suffixes]
        return {
            "kind": spec.kind,
            "task": spec.task,
            "gan": self.model.card["gan"],
            "card": self.model.card,
            "shape": list(spec.shape),
            "axes": list(spec.axes),
            "numbers": self.numbers,
            "unit": kinds.find(spec.kind).unit,
            "classes": list(spec.classes),
            "conditions": commands.conditions_of(codec),
            "columns": list(codec.shown) if isinstance(codec, Named) else [],
            "formats": [*formats, *([JSON] if ".csv" in codec.suffixes else [])],
            "generates": makes,
            "previewed": codec.previewed,
            "seeded": makes and self._has_seeds(),
            "edits": makes and commands.edits(self.model),
            "translates": None if isinstance(self.model.gan, Speaks) else commands.translation_of(self.model),
            "speaks": isinstance(self.model.gan, Speaks),
        }

    def _has_seeds(self) -> bool:
        try:
            next(iter(Seeded(self.model, [0]).batches(1)))
        except Exception:  # a GAN that does not generate in two steps fails in its own way
            return False
        return True

    # ---- requests that are computed together ------------------------------------------------------------------------------------

    def room(self, first: Mapping[str, Any]) -> int:
        """Rows that may be added to a batch that this request begins."""
        if first["do"] != "generate" or first.get("seeds") or not self.model.draws_first:
            return 0
        rows = wanted(first).rows
        return CHUNK - rows if rows < CHUNK else 0

    def fits(self, first: Mapping[str, Any], other: Mapping[str, Any], room: int) -> int:
        """The rows that the other request adds to the batch; 0 if it does not fit."""
        if other["do"] != "generate" or other.get("seeds"):
            return 0
        ours, theirs = wanted(first), wanted(other)
        if ours.truncation != theirs.truncation or theirs.rows > room or not self.steady:
            return 0
        return theirs.rows

    @property
    def steady(self) -> bool:
        if self._steady is None:
            self._steady = is_steady(self.model)
        return self._steady

    def make(self, batch: Sequence[Mapping[str, Any]], progress: Callable[[float], None]) -> list[Callable[[], Result]]:
        """Computes a batch of requests and returns for each what writes its files. Raises UserError for what the user can mend."""
        first = batch[0]
        if len(batch) > 1:
            made = together(self.model, [wanted(request) for request in batch])
            return [self._writer(request, [own]) for request, own in zip(batch, made, strict=True)]
        if first["do"] == "generate":
            return [self._writer(first, self._batches(first, progress))]
        return [self._command(first, progress)]

    def _batches(self, request: Mapping[str, Any], progress: Callable[[float], None]) -> list[Batch]:
        asked = wanted(request)
        model: Model = Seeded(self.model, request["seeds"]) if request.get("seeds") else self.model
        n, made, done = len(request["seeds"]) if request.get("seeds") else asked.n, [], 0
        for own in model.batches(n, seed=asked.seed, truncation=asked.truncation, where=dict(asked.where)):
            made.append(own)
            done += len(next(iter(own.values())))
            progress(done / n)
        return made

    # ---- files ------------------------------------------------------------------------------------------------------------------

    def _writer(self, request: Mapping[str, Any], batches: Sequence[Batch]) -> Callable[[], Result]:
        """What writes the examples of a request as it asked for them, by the codec's own writers."""
        form = request.get("format", "png")
        if form == PACKED:
            return lambda: self._packed(batches)
        as_requested = self.model.as_requested

        def write() -> Result:
            raws = [raw for batch in batches for raw in self.codec.decode(batch)]
            raws = self.codec.numbered(raws) if isinstance(self.codec, Numbers) else raws
            if form == PREVIEW:
                return self._previews(raws, each=bool(request.get("each")), as_requested=as_requested)
            path = self._fresh(".csv" if form in FROM_ROWS else f".{form}")
            asked = wanted(request)
            how = {"seed": request.get("seeds") or asked.seed, "truncation": asked.truncation, "where": dict(asked.where)}
            with made_by(self.model.card, **how):
                self.codec.write(raws, path)
            if form in FROM_ROWS:
                path = FROM_ROWS[form](path)
            return {"files": [_file(path)], "n": len(raws), "as_requested": as_requested}

        return write

    def _packed(self, batches: Sequence[Batch]) -> Result:
        whole = {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}
        path = self._fresh(".npz")
        arrays: dict[str, Any] = {key: value.numpy() for key, value in whole.items()}
        np.savez(path, **arrays)
        return {"files": [_file(path)]}

    def _previews(self, raws: Sequence[Any], each: bool, as_requested: int | None) -> Result:
        """Pictures and media as the kind shows them: of every example, or of as many as a preview shows."""
        kind = kinds.find(self.codec.spec.kind)
        shown = [[raw] for raw in raws] if each else [raws[: self.codec.previewed]]
        previews = []
        for group in shown:
            preview = kind.preview(self.codec, group)
            picture = self._fresh(".png")
            preview.picture.save(picture)
            media = []
            for medium in preview.media:
                path = self._fresh(Path(medium.name).suffix)
                path.write_bytes(medium.content)
                media.append({**_file(path), "called": medium.name})
            previews.append({"picture": _file(picture), "media": media, "size": list(preview.picture.size)})
        return {"previews": previews, "n": len(raws), "as_requested": as_requested}

    def _fresh(self, suffix: str) -> Path:
        return self.files / f"{secrets.token_urlsafe(18)}{suffix}"

    # ---- commands ---------------------------------------------------------------------------------------------------------------

    def _command(self, request: Mapping[str, Any], progress: Callable[[float], None]) -> Callable[[], Result]:
        """Runs a command of the command line on this run; its files go into a folder of their own."""
        progress(0.0)
        folder = self.files / secrets.token_urlsafe(18)
        folder.mkdir()
        words = commands.words_of(request, self.run, folder, trust=self.trust)
        said = io.StringIO()
        with held(self.run, self.model), contextlib.redirect_stdout(said):
            commands.perform(words)
        lines = said.getvalue().strip().splitlines()
        facts = json.loads(lines[-1]) if lines else {}
        files = [_file(path) for path in sorted(folder.rglob("*")) if path.is_file()]
        return lambda: {"files": files, "facts": {key: value for key, value in facts.items() if key not in _PATHS}}


_PATHS = ("out", "inputs", "outputs", "paths", "path", "page", "arrays")
"""What commands say of places on the server's disk."""


def wanted(request: Mapping[str, Any]) -> Wanted:
    return Wanted(request["n"], request["seed"], request["truncation"], tuple(sorted(request.get("where", {}).items())))


def _file(path: Path) -> dict[str, Any]:
    return {"path": str(path), "name": path.name, "bytes": path.stat().st_size, "type": media_type(path)}


def media_type(path: Path) -> str:
    """The type under which a browser is given a file: one that it shows but never runs, or a download."""
    known = {
        ".csv": "text/csv",
        ".json": "application/json",
        ".html": "application/octet-stream",
        ".svg": "application/octet-stream",
    }
    suffix = path.suffix.lower()
    return known.get(suffix) or (
        type_of(path) if suffix in TYPES else {".apng": "image/apng"}.get(suffix, "application/octet-stream")
    )
