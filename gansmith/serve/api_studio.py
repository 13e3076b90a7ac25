"""Routes of the studio: runs, data, trainings and live games."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse

from gansmith import gans, kinds
from gansmith.serve.guard import REPORT
from gansmith.serve.refusals import MissingError
from gansmith.serve.requests import Inspect, Play, Resume, Train, Turn
from gansmith.serve.trainings import Workshop

router = APIRouter()
STREAM = "text/event-stream"


def workshop_of(request: Request) -> Workshop:
    return request.app.state.studio


Held = Annotated[Workshop, Depends(workshop_of)]


@router.get("/runs", tags=["runs"])
async def runs(workshop: Held) -> list[dict[str, Any]]:
    """All runs, the newest first."""

    def cards() -> list[dict[str, Any]]:
        return [workshop.card(name) for name in workshop.refresh()]

    return await anyio.to_thread.run_sync(cards)


@router.get("/runs/{name}", tags=["runs"])
async def run(name: str, workshop: Held) -> dict[str, Any]:
    """A run at a glance."""
    workshop.refresh()
    return await anyio.to_thread.run_sync(workshop.card, name)


@router.get("/runs/{name}/report", tags=["runs"], response_class=HTMLResponse)
async def report(name: str, workshop: Held) -> Response:
    """The report of a run, in a sandbox."""
    path = workshop.find(name) / "report.html"
    if not path.is_file():
        raise MissingError("this run has no report yet.")
    headers = {"Content-Security-Policy": REPORT, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(await anyio.Path(path).read_text("utf-8"), headers=headers)


@router.get("/runs/{name}/pictures/{which}", tags=["runs"])
async def picture(name: str, which: str, workshop: Held) -> Response:
    """A preview: real, latest, final, or after so many samples."""
    return FileResponse(workshop.picture(name, which), media_type="image/png")


@router.get("/runs/{name}/events", tags=["runs"], response_class=StreamingResponse)
async def watched(name: str, workshop: Held) -> StreamingResponse:
    """What a training logs, as server-sent events."""
    workshop.find(name)
    return StreamingResponse(workshop.events(name), media_type=STREAM)


@router.get("/runs/{name}/download", tags=["runs"])
async def download(name: str, workshop: Held) -> Response:
    """The model of a run as a zip file."""
    folder = workshop.find(name)
    model = folder / "model" if (folder / "model").is_dir() else folder

    def packed() -> Path:
        path = workshop.hall.folder / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in ("model.json", "model.safetensors"):
                if (model / file).is_file():
                    archive.write(model / file, f"{name}/{file}")
        return path

    return FileResponse(await anyio.to_thread.run_sync(packed), media_type="application/zip", filename=f"{name}.zip")


@router.post("/runs", tags=["runs"], status_code=201)
async def train(asked: Train, workshop: Held) -> dict[str, Any]:
    """Begins a training."""
    return await workshop.start(asked)


@router.post("/runs/{name}/stop", tags=["runs"])
async def stop(name: str, workshop: Held) -> dict[str, Any]:
    """Asks a training to save and end."""
    workshop.find(name)
    return await workshop.stop(name)


@router.post("/runs/{name}/resume", tags=["runs"])
async def resume(name: str, asked: Resume, workshop: Held) -> dict[str, Any]:
    """Continues a run."""
    return await workshop.resume(name, asked.minutes)


# ---- data -----------------------------------------------------------------------------------------------------------------------


@router.get("/data", tags=["data"])
async def data(workshop: Held) -> list[dict[str, Any]]:
    """What may be trained on."""
    return workshop.data()


@router.post("/data", tags=["data"], status_code=201)
async def upload(
    workshop: Held, files: Annotated[list[UploadFile], File(max_length=1000)], into: Annotated[str, Form(max_length=120)] = ""
) -> dict[str, Any]:
    """Keeps uploaded files: one file, or several as a folder, with the folders in their names; `into` adds to a folder."""
    return {"name": await workshop.keep(files, into or None)}


@router.post("/data/{name}/inspect", tags=["data"])
async def inspect(name: str, workshop: Held, asked: Inspect | None = None) -> dict[str, Any]:
    """What is in some data, what is wrong with it, what would be trained."""
    return await workshop.inspect(name, asked.kind if asked else None)


@router.get("/kinds", tags=["data"])
async def every_kind() -> list[dict[str, str]]:
    """Every kind of data."""
    return [{"name": name, "about": about} for name, about in kinds.lines().items()]


@router.get("/gans", tags=["data"])
async def every_gan(workshop: Held) -> list[dict[str, Any]]:
    """Every GAN: what it is, and what it learns."""
    about, known = gans.names(), await workshop.choices()
    return [
        {"about": about.get(name, ""), **{key: own[key] for key in ("name", "kinds", "axes", "tasks")}}
        for name, own in known.items()
    ]


@router.get("/gans/{name}", tags=["data"])
async def one_gan(name: str, workshop: Held) -> dict[str, Any]:
    """What a GAN learns, its presets and its options."""
    known = await workshop.choices()
    if name not in known:
        raise MissingError(f"there is no GAN {name[:80]!r}: see /api/v1/gans.")
    return known[name]


# ---- live games -----------------------------------------------------------------------------------------------------------------


@router.post("/play", tags=["play"], status_code=201)
async def play(asked: Play, workshop: Held) -> dict[str, Any]:
    """Begins a live game."""
    number, worker = await workshop.play({"gan": asked.gan, "data": asked.data, "options": asked.options, "seed": asked.seed})
    return {"id": number, **(worker.card or {})}


@router.post("/play/{number}", tags=["play"])
async def turn(number: str, asked: Turn, workshop: Held) -> dict[str, Any]:
    """Plays rounds with these dials, and says what is to be seen."""
    game = workshop.game(number)
    return dict(await game.ask({"do": "turn", **asked.model_dump()}))


@router.delete("/play/{number}", tags=["play"])
async def end(number: str, workshop: Held) -> JSONResponse:
    """Ends a game."""
    await workshop.game(number).close()
    del workshop.games[number]
    return JSONResponse({"ended": True})
