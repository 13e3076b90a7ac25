"""The application: routes of the API, pages, and what guards them."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gansmith import __version__
from gansmith.serve import api
from gansmith.serve.guard import Guard
from gansmith.serve.hall import Hall
from gansmith.serve.limits import LOOPBACK
from gansmith.serve.problems import MEDIA, Problem, answer_problems

PAGES = Path(__file__).parent / "pages"
"""The front end, as the browser is given it."""
UPLOADS = re.compile(r"/api/v1/(models/[^/]+/(translate|project|fuse)|data)")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html", ".json": "application/json"}
ABOUT = "Trained GANs over HTTP. The same seed gives the same bytes as the command line."


def create_app(
    hall: Hall, *, studio: object | None = None, hosts: Iterable[str] = LOOPBACK, token: str | None = None, warm: bool = True
) -> FastAPI:
    """The ASGI application of a hall. `studio` adds trainings; with `warm`, models are loaded before the first request."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if warm:
            await hall.open(list(hall.runs))
        try:
            yield
        finally:
            if studio is not None:
                await studio.close()  # pyright: ignore[reportAttributeAccessIssue]
            await hall.close()

    app = FastAPI(
        title="gansmith",
        version=__version__,
        description=ABOUT,
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": Problem, "description": "What cannot be done, in a sentence"}},
    )
    app.state.hall, app.state.studio = hall, studio
    answer_problems(app)
    documented(app)
    app.include_router(api.router, prefix="/api/v1")
    if studio is not None:
        from gansmith.serve import api_studio

        app.include_router(api_studio.router, prefix="/api/v1")

    @app.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        path = PAGES / name
        if not re.fullmatch(r"[a-z-]+\.(js|css|svg)", name) or not path.is_file():
            return Response(status_code=404)
        return FileResponse(path, media_type=TYPES[path.suffix], headers={"Cache-Control": "no-cache"})

    @app.get("/{rest:path}", include_in_schema=False)
    async def page(rest: str) -> Response:
        if rest.startswith(("api/", "assets/")):
            return Response(status_code=404)
        return HTMLResponse((PAGES / "index.html").read_text("utf-8"))

    app.add_middleware(Counted, count=hall.count)
    app.add_middleware(Guard, hosts=list(hosts), token=token, limits=hall.limits, uploads=UPLOADS)
    return app


def documented(app: FastAPI) -> None:
    """Lets the OpenAPI document say of what type refusals are."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        fresh, document = app.openapi_schema is None, made()
        for path in document["paths"].values() if fresh else ():
            for operation in path.values():
                answers = operation["responses"]
                answers.pop("422", None)  # of another form than ours, and among 4XX
                answers["5XX"] = {**answers["4XX"], "description": "What cannot be done now, or a fault of ours, in a sentence"}
                for refusal in (answers["4XX"], answers["5XX"]):
                    refusal["content"] = {MEDIA: next(iter(refusal["content"].values()))}
        return document

    app.openapi = openapi


class Counted:
    """ASGI middleware that counts answers by route."""

    def __init__(self, app: ASGIApp, count: Callable[[str, int, float], None]) -> None:
        self.app, self.count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        began, status = time.monotonic(), [500]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            return await self.app(scope, receive, sending)
        finally:
            route = str(getattr(scope.get("route"), "path", "other")).removeprefix("/api/v1")
            self.count(route, status[0], time.monotonic() - began)
