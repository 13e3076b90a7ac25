"""Routes of models, jobs and files."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse

from gansmith import __version__
from gansmith.data.preview import TYPES as MEDIA
from gansmith.errors import UserError
from gansmith.serve.commands import option, spelled
from gansmith.serve.hall import Hall
from gansmith.serve.jobs import Job, discard, events
from gansmith.serve.refusals import MissingError
from gansmith.serve.requests import Generate, Rows, Sheet, Speak, Steer, Walk

router = APIRouter()
Text = Annotated[str, Form(max_length=20_000)]
SPECIAL = {"preview", "packed", "json", "windows"}
"""Formats that are ours."""
DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            name: {} for name in ("application/octet-stream", "application/json", "text/*", "image/*", "audio/*", "video/*")
        }
    },
    202: {"description": "A job"},
}


def hall_of(request: Request) -> Hall:
    return request.app.state.hall


Held = Annotated[Hall, Depends(hall_of)]


# ---- the server -----------------------------------------------------------------------------------------------------------------


@router.get("/health", tags=["server"])
async def health() -> dict[str, str]:
    """Whether the server answers."""
    return {"status": "ok", "version": __version__}


@router.get("/ready", tags=["server"], responses={503: {"description": "A model is still being loaded"}})
async def ready(hall: Held) -> Response:
    """Whether all models that were started are loaded."""
    return JSONResponse({"ready": hall.ready}, 200 if hall.ready else 503, {} if hall.ready else {"Retry-After": "1"})


@router.get("/metrics", tags=["server"], response_class=PlainTextResponse)
async def metrics(hall: Held) -> PlainTextResponse:
    """Counts and durations as Prometheus reads them."""
    return PlainTextResponse(hall.metrics(), media_type="text/plain; version=0.0.4")


@router.get("/server", tags=["server"])
async def server(request: Request, hall: Held) -> dict[str, Any]:
    """What this server is, for its pages."""
    limits = {name: getattr(hall.limits, name) for name in ("examples", "pixels", "upload_bytes", "waiting")}
    return {"version": __version__, "studio": request.app.state.studio is not None, "limits": limits}


# ---- models ---------------------------------------------------------------------------------------------------------------------


@router.get("/models", tags=["models"])
async def models(hall: Held) -> list[dict[str, Any]]:
    """The models that are offered."""
    return [{"name": name, "loaded": name in hall.workers and hall.workers[name].ready.is_set()} for name in hall.runs]


@router.get("/models/{name}", tags=["models"])
async def model(name: str, hall: Held) -> dict[str, Any]:
    """What a model makes, and what can be asked of it."""
    worker = await hall.worker(name)
    return {"name": name, "run": _shown(hall.find(name)), **(worker.card or {})}


@router.get("/models/{name}/codec", tags=["models"])
async def codec(name: str, hall: Held) -> dict[str, Any]:
    """The facts with which `gansmith.connect` turns arrays into examples."""
    folder = hall.find(name)
    path = next((each for each in (folder / "model" / "model.json", folder / "model.json") if each.is_file()), None)
    if path is None:
        raise UserError(f"{name} is a folder of several models: ask for files of format zip, or for rows.")
    facts = json.loads(await anyio.Path(path).read_text("utf-8"))
    return {"codec": facts["codec"], "card": facts["card"]}


@router.post("/models/{name}/generate", tags=["models"], responses=DOCUMENT)
async def generate(name: str, asked: Generate, hall: Held) -> Response:
    """Examples: a file in one of the model's formats, previews, or a job."""
    worker = await hall.worker(name)
    card, n = worker.card or {}, asked.examples()
    hall.limits.check_examples(n, card["numbers"])
    if not card["generates"]:
        raise UserError("This model makes examples of given ones: use translate.")
    if asked.format not in SPECIAL and asked.format not in card["formats"]:
        raise UserError(f"this model's formats are {', '.join(card['formats'])}, not {asked.format}.")
    if asked.format in ("json", "windows") and not {"csv", asked.format} & {*card["formats"]}:
        raise UserError(f"rows as JSON are for what is written as CSV: this model's formats are {', '.join(card['formats'])}.")
    if asked.format == "windows" and "step" not in card["axes"]:
        raise UserError(f"windows are for series, and this model makes {card['unit']}: use rows, or generate.")
    where = asked.conditions | ({"length": str(asked.length)} if asked.length is not None else {})
    request: dict[str, Any] = {
        "do": "generate",
        "n": n,
        "seed": asked.seed,
        "truncation": asked.truncation,
        "where": where,
        "format": asked.format,
        "each": asked.each,
    }
    if asked.seeds is not None:
        from gansmith.data.values import seeds_in

        request["seeds"] = seeds_in(asked.seeds, "seeds")
    shape = asked.format if asked.format not in SPECIAL else (card["formats"] or ["png"])[0]
    words = [
        "generate",
        _shown(hall.find(name)),
        *(["--seeds", asked.seeds] if asked.seeds else ["-n", str(n), "--seed", str(asked.seed)]),
    ]
    words += option("where", asked.conditions)
    words += [f"--length={asked.length}"] if asked.length is not None else []
    words += [f"--truncation={asked.truncation:g}"] if asked.truncation != 1 else []
    job = Job(name, "generate", worker, request, spelled([*words, "--out", f"{name}.{shape}"]))
    return await _answered(hall, job, asked.job, whole=asked.format != "preview")


@router.post("/models/{name}/rows", tags=["models"], responses=DOCUMENT)
async def rows(name: str, asked: Rows, hall: Held) -> Response:
    """Rows of a table as JSON: an object each."""
    return await generate(name, Generate(**asked.model_dump(), format="json"), hall)


@router.post("/models/{name}/series", tags=["models"], responses=DOCUMENT)
async def series(name: str, asked: Rows, hall: Held) -> Response:
    """Windows of series as JSON: a list of objects each, one a step."""
    return await generate(name, Generate(**asked.model_dump(), format="windows"), hall)


@router.post("/models/{name}/speak", tags=["models"], responses=DOCUMENT)
async def speak(name: str, asked: Speak, hall: Held) -> Response:
    """Text in the voice of a model that was trained with transcripts."""
    worker = await hall.worker(name)
    if not (worker.card or {}).get("speaks"):
        raise UserError(f"{name} does not speak: give a model that was trained with transcripts.")
    options: dict[str, Any] = {"speed": asked.speed} if asked.speed != 1 else {}
    shown = [word for key, value in options.items() for word in option(key, value)]
    if asked.vocoder is not None:
        options["vocoder"] = str(hall.find(asked.vocoder))
        shown.append(f"--vocoder={asked.vocoder}")
    out = f"spoken.{asked.format}"
    request = {"do": "speak", "text": asked.text, "options": options, "out": out}
    words = ["speak", _shown(hall.find(name)), asked.text, *shown, "--out", out]
    return await _answered(hall, Job(name, "speak", worker, request, spelled(words)), asked.job, whole=True)


@router.post("/models/{name}/interpolate", tags=["models"], responses=DOCUMENT)
async def interpolate(name: str, asked: Walk, hall: Held) -> Response:
    """A film that walks between seeds."""
    options = {
        "seeds": asked.seeds,
        "frames": asked.frames,
        "path": asked.path,
        "per_second": asked.per_second,
        "truncation": asked.truncation,
        "where": asked.conditions,
    }
    return await _edited(hall, name, "interpolate", options, f"interpolate.{asked.format}", asked.job)


@router.post("/models/{name}/grid", tags=["models"], responses=DOCUMENT)
async def grid(name: str, asked: Sheet, hall: Held) -> Response:
    """The same seeds under every class, or along an attribute."""
    options = {"seeds": asked.seeds, "vary": asked.vary, "truncation": asked.truncation, "where": asked.conditions}
    return await _edited(hall, name, "grid", options, "grid.png", asked.job)


@router.post("/models/{name}/mix", tags=["models"], responses=DOCUMENT)
async def mix(name: str, asked: Sheet, hall: Held) -> Response:
    """Styles of some seeds in the first layers, of others in the last."""
    rows = {"rows": asked.rows} if asked.rows else {}
    options = {"seeds": asked.seeds, "layers": asked.layers, "truncation": asked.truncation, "where": asked.conditions, **rows}
    return await _edited(hall, name, "mix", options, "mix.png", asked.job)


@router.post("/models/{name}/directions", tags=["models"], responses=DOCUMENT)
async def directions(name: str, asked: Sheet, hall: Held) -> Response:
    """Directions along which the pictures change most."""
    own = {name: value for name in ("by", "count", "reach") if (value := getattr(asked, name)) is not None}
    return await _edited(
        hall, name, "directions", {"seeds": asked.seeds, "where": asked.conditions, **own}, "directions.png", asked.job
    )


@router.post("/models/{name}/steer", tags=["models"], responses=DOCUMENT)
async def steer(name: str, asked: Steer, hall: Held) -> Response:
    """The picture of a seed, moved by so many steps along each of the strongest directions."""
    amounts = ",".join(f"{amount:g}" for amount in asked.amounts)
    options = {
        "seeds": str(asked.seed),
        "by": asked.by,
        "count": len(asked.amounts),
        "amounts": amounts,
        "where": asked.conditions,
    }
    return await _edited(hall, name, "directions", options, "steered.png", asked.job)


@router.post("/models/{name}/project", tags=["models"], responses=DOCUMENT)
async def project(
    name: str, hall: Held, file: Annotated[UploadFile, File()], seed: Annotated[int, Form(ge=0)] = 0,
    steps: Annotated[int, Form(ge=0, le=2000)] = 300, where: Text = "{}", job: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """The latent whose picture is nearest to an uploaded one."""
    folder = _folder(hall)
    given = await _uploaded(hall, file, folder)
    options = {"steps": steps, "seed": seed, "where": _conditions(where)}
    return await _edited(hall, name, "project", options, "project.png", job, [given])


@router.post("/models/{name}/fuse", tags=["models"], responses=DOCUMENT)
async def fuse(
    name: str, hall: Held, first: Annotated[UploadFile, File()], second: Annotated[UploadFile, File()],
    frames: Annotated[int, Form(ge=2, le=200)] = 9, steps: Annotated[int, Form(ge=0, le=2000)] = 300,
    seed: Annotated[int, Form(ge=0)] = 0, job: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Pictures between two uploaded ones."""
    folder = _folder(hall)
    given = [await _uploaded(hall, each, folder) for each in (first, second)]
    return await _edited(hall, name, "fuse", {"frames": frames, "steps": steps, "seed": seed}, "fuse.png", job, given)


@router.post("/models/{name}/translate", tags=["models"], responses=DOCUMENT)
async def translate(
    name: str, request: Request, hall: Held, file: Annotated[UploadFile, File()], options: Text = "{}",
    job: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """What a model makes of an uploaded example. `options` is JSON; the model's card names options, and further files of the form."""
    worker = await hall.worker(name)
    known = (worker.card or {}).get("translates")
    if known is None:
        raise UserError("this model makes examples from noise alone: use generate.")
    given = _object(options, "options")
    names, files = [each["name"] for each in known["options"]], [each["name"] for each in known["files"]]
    for other in given:
        if other not in names:
            raise UserError(f"there is no option {other[:80]!r} for this model: there are {', '.join(names) or 'none'}.")
    folder, form = _folder(hall), await request.form()
    path = await _uploaded(hall, file, folder)
    companions = {
        own: str(await _uploaded(hall, value, folder))
        for own in files
        if isinstance(value := form.get(own), UploadFile | _STARLETTE)
    }
    # a single file where the command takes one, else a folder
    out = {".mid": "result.mid"}.get(path.suffix) or (f"result.{_film(worker.card)}" if _film(worker.card) else "")
    work = {"do": "translate", "input": str(path), "companions": companions, "options": given, "out": out}
    said = [
        "translate",
        _shown(hall.find(name)),
        file.filename or "INPUT",
        *_words(given),
        *(f"--{own}=FILE" for own in companions),
    ]
    return await _answered(hall, Job(name, "translate", worker, work, spelled(said)), job, whole=False)


_STARLETTE = UploadFile.__mro__[1]


def _film(card: Mapping[str, Any] | None) -> str:
    """The suffix of clips, where the model makes clips and its command writes one file."""
    return "webp" if "webp" in (card or {}).get("formats", []) else ""


async def _edited(
    hall: Hall, name: str, action: str, options: Mapping[str, Any], out: str, as_job: bool, given: list[Path] | None = None
) -> Response:
    worker = await hall.worker(name)
    if not (worker.card or {}).get("edits"):
        raise UserError(f"editing works on images that are made from noise, but {name} makes {(worker.card or {}).get('kind')}.")
    inputs = [str(path) for path in given or []]
    request = {"do": action, "options": dict(options), "inputs": inputs, "out": out}
    words = ["edit", _shown(hall.find(name)), action, *("PICTURE" for _ in inputs), *_words(options), "--out", out]
    return await _answered(hall, Job(name, action, worker, request, spelled(words)), as_job, whole=not inputs)


def _words(options: Mapping[str, Any]) -> list[str]:
    usual = {"truncation": 1.0, "path": "spherical", "per_second": 20}
    return [word for name, value in options.items() if usual.get(name) != value for word in option(name, value)]


async def _answered(hall: Hall, job: Job, as_job: bool, whole: bool) -> Response:
    """The job itself, or its result when that is there: the bytes of its one file if `whole`, else what it says."""
    if as_job:
        hall.jobs.add(job)
        return JSONResponse(hall.jobs.shown(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})
    result = await job.done()
    headers = {"X-Gansmith-Command": job.command.encode("ascii", "replace").decode()}
    if whole and result.get("files"):
        file = next((each for each in result["files"] if not each["name"].endswith(".npz")), result["files"][0])
        content = await anyio.Path(file["path"]).read_bytes()
        for each in result["files"]:
            discard(Path(each["path"]), hall.folder)
        if result.get("as_requested") is not None:
            headers["X-Gansmith-As-Requested"] = str(result["as_requested"])
        return Response(content, media_type=file["type"], headers=headers)
    return JSONResponse({**hall.jobs.published(job), "command": job.command}, headers=headers)


# ---- uploads --------------------------------------------------------------------------------------------------------------------


def _folder(hall: Hall) -> Path:
    folder = hall.folder / secrets.token_urlsafe(18)
    folder.mkdir()
    return folder


async def _uploaded(hall: Hall, upload: Any, folder: Path) -> Path:
    """An uploaded file under a name of ours, whose suffix alone is the client's. Raises UserError for a picture that cannot be decoded, or
    that has too many pixels."""
    suffix = Path(upload.filename or "").suffix.lower()
    if not re.fullmatch(r"\.[a-z0-9]{1,6}", suffix):
        raise UserError("an uploaded file needs a name with a suffix, such as picture.png.")
    path = folder / f"{secrets.token_hex(8)}{suffix}"
    async with await anyio.open_file(path, "wb") as file:
        while chunk := await upload.read(2**20):
            await file.write(chunk)
    if MEDIA.get(suffix, "").startswith("image/") or suffix in (".jpg", ".jpeg", ".bmp", ".tif", ".tiff"):
        await hall.look(path)
    return path


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f'{name} takes a JSON object such as {{"seed": 1}}.') from error
    if not isinstance(given, dict) or not all(isinstance(value, str | int | float | bool) for value in given.values()):
        raise UserError(f'{name} takes a JSON object of numbers and words, such as {{"seed": 1}}.')
    return given


def _conditions(text: str) -> dict[str, str]:
    return {key: str(value) for key, value in _object(text, "where").items()}


def _shown(folder: Path) -> str:
    """The name of a run in a command line: never where it lies."""
    return folder.name


# ---- jobs and files -------------------------------------------------------------------------------------------------------------


@router.get("/jobs", tags=["jobs"])
async def jobs(hall: Held) -> list[dict[str, Any]]:
    """The jobs that are remembered, the newest first."""
    return [hall.jobs.shown(job) for job in reversed(hall.jobs.jobs.values())]


@router.get("/jobs/{number}", tags=["jobs"])
async def job(number: str, hall: Held) -> dict[str, Any]:
    """A job: its state, place in the queue, progress and result."""
    return hall.jobs.shown(hall.jobs.find(number))


@router.delete("/jobs/{number}", tags=["jobs"])
async def cancel(number: str, hall: Held) -> dict[str, Any]:
    """Cancels a job."""
    found = hall.jobs.find(number)
    found.cancel()
    return hall.jobs.shown(found)


@router.get("/jobs/{number}/events", tags=["jobs"], response_class=StreamingResponse)
async def watched(number: str, hall: Held) -> StreamingResponse:
    """The job whenever it changes, as server-sent events."""
    return StreamingResponse(events(hall.jobs, hall.jobs.find(number)), media_type="text/event-stream")


@router.get("/files/{number}", tags=["jobs"])
async def file(number: str, hall: Held, download: bool = False) -> Response:
    """A file of a result."""
    path, media, name = hall.jobs.take(number)
    if not path.is_file():
        raise MissingError("there is no such file.")
    kind = "attachment" if download or media == "application/octet-stream" else "inline"
    kept = {"Cache-Control": "private, max-age=3600"}
    return FileResponse(path, media_type=media, filename=name, content_disposition_type=kind, headers=kept)
