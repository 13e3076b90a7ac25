"""The workshop: the runs of a folder, data that were dropped into the page, and trainings in processes of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio

from gansmith import kinds
from gansmith.errors import UserError
from gansmith.report.records import read_records
from gansmith.report.verdict import verdict
from gansmith.serve.commands import spelled
from gansmith.serve.hall import NAME, Hall, is_model
from gansmith.serve.refusals import MissingError
from gansmith.serve.requests import Train
from gansmith.serve.workers import Worker

DATA = "data"
"""The folder of the workshop for data that were dropped into the page."""
INSPECTION = 600.0
"""Seconds that an inspection may take."""
LOOK = 0.5
"""Seconds from one look at a run's files to the next."""
DEEP = 3
"""Folders in the path of an uploaded file."""
TRAININGS = 2
"""Trainings at a time."""
GAMES = 2
"""Live games at a time."""


class Workshop:
    """A folder with runs, the trainings that go on there, and live games."""

    def __init__(self, folder: Path, hall: Hall) -> None:
        """Raises UserError for what cannot be a folder."""
        if folder.exists() and not folder.is_dir():
            raise UserError(
                f"{folder} is a file, where the folder of your runs is expected: give a folder, which may be a new one."
            )
        (folder / DATA).mkdir(parents=True, exist_ok=True)
        self.folder, self.hall = folder.resolve(), hall
        self.trainings: dict[str, asyncio.subprocess.Process] = {}
        self.said: dict[str, Path] = {}
        self.games: dict[str, Worker] = {}
        self._starting, self._choosing = asyncio.Lock(), asyncio.Lock()
        self._choices: dict[str, Any] | None = None
        self.refresh()

    async def close(self) -> None:
        """Asks trainings to save and end, and ends games."""
        running = [process for process in self.trainings.values() if process.returncode is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
        for process in running:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 20)
        for game in self.games.values():
            await game.close()

    # ---- runs -------------------------------------------------------------------------------------------------------------------

    def refresh(self) -> list[str]:
        """The names of all runs, the newest first; their models are offered in the hall."""
        found = []
        for path in self.folder.iterdir():
            known = (path / "run.json").is_file() or is_model(path) or self.trains(path.name)
            if known and path.name != DATA and path.is_dir() and NAME.fullmatch(path.name):
                found.append((path.stat().st_mtime, path.name))
                if is_model(path) or is_model(path / "model"):
                    self.hall.runs[path.name] = path
        names = [name for _, name in sorted(found, reverse=True)]
        for gone in set(self.hall.runs) - set(names):
            del self.hall.runs[gone]
        return names

    def find(self, name: str) -> Path:
        """The folder of a run. Raises MissingError for one that there is not."""
        folder = self.folder / name
        if not NAME.fullmatch(name) or not folder.is_dir() or folder.is_symlink():
            raise MissingError(f"there is no run {name[:80]!r} in this folder: it may have been renamed.")
        return folder

    def card(self, name: str) -> dict[str, Any]:
        """A run at a glance: what it is, how far it is, its verdict and scores."""
        folder = self.find(name)
        found: dict[str, Any] = {"name": name, "model": name in self.hall.runs, "training": self.trains(name)}
        if not (folder / "run.json").is_file():
            return found
        records = read_records(folder)
        word = verdict(records)
        data, settings = records.part("data"), records.part("settings")
        last = records.ticks[-1] if records.ticks else {}
        return found | {
            "command": spelled(["train", str(data.get("name") or "DATA"), "--gan", str(records.run.get("gan")), "--out", name]),
            "gan": records.run.get("gan"),
            "preset": records.run.get("preset"),
            "kind": data.get("kind"),
            "data": data.get("name"),
            "examples": data.get("examples"),
            "started": records.run.get("started"),
            "samples": records.samples,
            "budget": settings.get("samples"),
            "minutes": settings.get("minutes"),
            "seconds": records.seconds,
            "speed": last.get("examples_per_second"),
            "verdict": {"word": word.word, "because": word.because},
            "scores": [_score(record) for record in records.evaluations[-12:]],
            "previews": [seen for seen, _ in records.previews],
            "pictures": [own for own in ("real", "latest", "final") if (folder / "samples" / f"{own}.png").is_file()],
            "report": (folder / "report.html").is_file(),
        }

    def trains(self, name: str) -> bool:
        """Whether a training of this workshop goes on there."""
        process = self.trainings.get(name)
        return process is not None and process.returncode is None

    def picture(self, name: str, which: str) -> Path:
        """A preview of a run: real, latest, final or a number of samples. Raises MissingError if there is none."""
        path = (
            self.find(name) / "samples" / (f"{int(which):09d}.png" if which.isdecimal() and len(which) < 12 else f"{which}.png")
        )
        if not re.fullmatch(r"[a-z]+|\d+", which, re.ASCII) or not path.is_file():
            raise MissingError("there is no such picture.")
        return path

    async def events(self, name: str) -> AsyncIterator[str]:
        """Server-sent events: lines of the log, messages, new previews, what the training says, and its end."""
        folder, at = self.find(name), {"log.jsonl": 0, "messages.jsonl": 0, "evaluations.jsonl": 0, "": 0}
        shown: set[str] = set()
        while True:
            ended = not self.trains(name)
            for file, kind in (("log.jsonl", "tick"), ("messages.jsonl", "message"), ("evaluations.jsonl", "score")):
                for line in _new_lines(folder / file, at, file):
                    yield f"event: {kind}\ndata: {line}\n\n"
            for line in _new_lines(self.said.get(name), at, ""):
                yield f"event: said\ndata: {json.dumps(line)}\n\n"
            previews = {path.stem for path in (folder / "samples").glob("*.png")} - shown
            if previews:
                shown |= previews
                yield f"event: previews\ndata: {json.dumps(sorted(previews))}\n\n"
            if ended:
                process = self.trainings.get(name)
                yield f"event: end\ndata: {json.dumps({'status': process.returncode if process else None})}\n\n"
                return
            await asyncio.sleep(LOOK)

    # ---- data -------------------------------------------------------------------------------------------------------------------

    def data(self) -> list[dict[str, Any]]:
        """What may be trained on: built-in data, and what lies in the workshop's folder for data."""
        own = [
            {"name": path.name, "about": "yours", "own": True}
            for path in sorted((self.folder / DATA).iterdir())
            if _is_plain(path)
        ]
        return [*own, *({"name": name, "about": line, "own": False} for name, line in kinds.builtin().items())]

    def place_of(self, data: str) -> str:
        """The word for the command line. Raises MissingError for other data than those of `data`."""
        if data in kinds.builtin():
            return data
        path = self.folder / DATA / data
        if not NAME.fullmatch(data) or not _is_plain(path):
            raise MissingError(f"there are no data {data[:80]!r} here: drop them into the page first.")
        return str(path)

    async def keep(self, uploads: Sequence[Any], into: str | None = None) -> str:
        """Writes uploaded files into the folder for data: one file as it is, several, or files in folders, into a folder, under names of
        plain letters. `into` adds to such a folder. Raises UserError for names that come twice, and for too much."""
        names = [_plain_path(upload.filename or "") for upload in uploads]
        if len(set(names)) < len(names):
            raise UserError("two of these files have the same name: rename one of them.")
        several = len(uploads) > 1 or len(names[0].parts) > 1
        if into is None:
            stem = f"{names[0].parts[0].partition('.')[0][:40] or 'data'}-{secrets.token_hex(3)}"
            place = self.folder / DATA / (stem if several else f"{stem}{names[0].suffix}")
        else:
            place = Path(self.place_of(into))
            if into in kinds.builtin() or not place.is_dir():
                raise UserError(f"{into[:80]} is no folder of uploaded files: leave `into` out.")
            if taken := [name for name in names if (place / name).exists()]:
                raise UserError(f"there is a file {taken[0]} already: rename one of them.")
        room = self.hall.limits.data_bytes - (_bytes_below(place) if into else 0)
        draft = self.folder / DATA / f".{secrets.token_hex(8)}"
        draft.mkdir()
        try:
            for upload, name in zip(uploads, names, strict=True):
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                async with await anyio.open_file(draft / name, "wb") as file:
                    while chunk := await upload.read(2**20):
                        room -= len(chunk)
                        if room < 0:
                            most = self.hall.limits.data_bytes
                            raise UserError(
                                f"these data have more than {most:,} bytes: put them into the folder {DATA} yourself."
                            )
                        await file.write(chunk)
            if into is not None:
                for name in names:
                    (place / name).parent.mkdir(parents=True, exist_ok=True)
                    (draft / name).rename(place / name)
            else:
                draft.rename(place) if several else (draft / names[0]).rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return place.name

    async def inspect(self, data: str, kind: str | None = None) -> dict[str, Any]:
        """The findings of `gansmith inspect`, in a process of its own. Raises UserError with its sentence."""
        place, how = self.place_of(data), ["--kind", kind] if kind else []
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gansmith", "inspect", place, *how, "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, complaint = await asyncio.wait_for(process.communicate(), INSPECTION)
        except TimeoutError as error:
            raise UserError(
                f"looking at {data} took more than {INSPECTION:g} seconds: train on less, or use gansmith inspect."
            ) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise UserError(self._shown(_last_sentence(complaint), place, data))
        return {**json.loads(self._shown(out.decode(), place, data)), "command": spelled(["inspect", data, *how])}

    def _shown(self, text: str, place: str, data: str) -> str:
        """A text without the places where things lie."""
        return text.replace(place, data).replace(str(self.folder), ".")

    async def choices(self) -> dict[str, Any]:
        """Every GAN by name with its presets and options; found once, in a process of its own."""
        async with self._choosing:
            if self._choices is None:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "gansmith.serve.choices"), stdout=asyncio.subprocess.PIPE
                )
                out, _ = await process.communicate()
                self._choices = json.loads(out)
            assert self._choices is not None
            return self._choices

    # ---- trainings --------------------------------------------------------------------------------------------------------------

    async def start(self, asked: Train) -> dict[str, Any]:
        """Begins a training; its run has a folder as soon as its data are read. Raises UserError where it does not begin."""
        async with self._starting:
            if sum(process.returncode is None for process in self.trainings.values()) >= TRAININGS:
                raise UserError(f"{TRAININGS} trainings go on already: stop one of them first.")
            place = self.place_of(asked.data)
            name = asked.name or self._next(Path(asked.data).stem)
            if (self.folder / name).exists():
                raise UserError(f"there is a run {name} already: give another name.")
            words = ["train", place, "--out", str(self.folder / name), *asked.words()]
            return await self._launch(name, words, spelled(["train", asked.data, "--out", name, *asked.words()]))

    async def resume(self, name: str, minutes: float | None) -> dict[str, Any]:
        """Continues a run."""
        async with self._starting:
            if self.trains(name):
                raise UserError(f"{name} is being trained already.")
            more = ["--minutes", f"{minutes:g}"] if minutes else []
            words = ["train", "--resume", str(self.find(name)), *more]
            return await self._launch(name, words, spelled(["train", "--resume", name, *more]))

    async def _launch(self, name: str, words: list[str], command: str) -> dict[str, Any]:
        said = self.hall.folder / f"{secrets.token_urlsafe(12)}.txt"
        with said.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gansmith.serve.asked", *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        self.trainings[name], self.said[name] = process, said
        facts = self.folder / name / "run.json"
        while process.returncode is None and not facts.is_file() and not any((self.folder / name).glob("*/run.json")):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 0.1)
        if process.returncode:
            raise UserError(
                _last_sentence(said.read_bytes()).replace(f"{self.folder / DATA}/", "").replace(str(self.folder), ".")
            )
        self.refresh()
        return {"name": name, "command": command}

    async def stop(self, name: str) -> dict[str, Any]:
        """Asks a training to save and end."""
        if self.trains(name):
            self.trainings[name].send_signal(signal.SIGINT)
        return {"name": name, "stopping": self.trains(name)}

    def _next(self, stem: str) -> str:
        number = 1
        while (self.folder / f"{stem}-{number:04d}").exists():
            number += 1
        return f"{stem}-{number:04d}"

    # ---- games ------------------------------------------------------------------------------------------------------------------

    async def play(self, given: Mapping[str, Any]) -> tuple[str, Worker]:
        """Begins a live game in a process of its own; the oldest of too many ends."""
        while len(self.games) >= GAMES:
            await self.games.pop(next(iter(self.games))).close()
        number = secrets.token_urlsafe(12)
        worker = Worker(given, most=8, seconds=3600, module="gansmith.serve.play")
        self.games[number] = worker
        await worker.start()
        await worker.ready.wait()
        if worker.failure is not None:
            await self.games.pop(number).close()
            raise worker.failure
        return number, worker

    def game(self, number: str) -> Worker:
        """Raises MissingError for a game that is over."""
        if number not in self.games:
            raise MissingError("this game is over: begin a new one.")
        return self.games[number]


def _is_plain(path: Path) -> bool:
    return NAME.fullmatch(path.name) is not None and path.exists() and not path.is_symlink()


def _plain_name(name: str) -> str:
    """A file's name without folders and strange signs."""
    plain = re.sub(r"[^\w.-]+", "-", name.replace("\\", "/").rpartition("/")[2], flags=re.ASCII).lstrip(".-_")[:80]
    if not plain:
        raise UserError(f"{name[:80]!r} is no name for a file here: rename it with letters and digits.")
    return plain


def _plain_path(name: str) -> Path:
    """A file's path below at most DEEP folders, each part without strange signs."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return Path(*(_plain_name(part) for part in parts[-1 - DEEP :])) if parts else Path(_plain_name(""))


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _new_lines(path: Path | None, at: dict[str, int], key: str) -> list[str]:
    """Whole lines that were added to a file since the last look."""
    if path is None or not path.is_file():
        return []
    if path.stat().st_size < at[key]:
        at[key] = 0  # a resumed run drops lines of a future that was lost
    with path.open("rb") as file:
        file.seek(at[key])
        content = file.read(2**22)
    whole = content[: content.rfind(b"\n") + 1]
    at[key] += len(whole)
    return [line for line in whole.decode("utf-8", "replace").splitlines() if line.strip()]


def _last_sentence(said: bytes) -> str:
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return (lines[-1] if lines else "it ended without a word.").removeprefix("gansmith: ")


def _score(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: record.get(key) for key in ("name", "value", "baseline", "ceiling", "better", "rival")}
