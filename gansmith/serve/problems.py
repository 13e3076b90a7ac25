"""What is answered where something cannot be done: problem+json (RFC 9457) with the sentence that the command line would say."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from gansmith.errors import UserError
from gansmith.serve.refusals import ServerError

MEDIA = "application/problem+json"


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A response that says what went wrong."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(body, status, dict(headers or {}), media_type=MEDIA)


def of_error(error: Exception) -> JSONResponse:
    """The response to an exception of ours."""
    if isinstance(error, UserError):
        return problem(422, str(error))
    assert isinstance(error, ServerError)
    return problem(error.status, str(error), {"Retry-After": str(error.retry)} if error.retry else {})


def answer_problems(app: FastAPI) -> None:
    """Makes the application answer every exception so."""

    @app.exception_handler(UserError)
    @app.exception_handler(ServerError)
    async def ours(_: Request, error: Exception) -> JSONResponse:
        return of_error(error)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, sentence_of(error.errors()))


def sentence_of(errors: Any) -> str:
    """What pydantic found, in a sentence."""
    parts = []
    for each in list(errors)[:3]:
        place = ".".join(str(part) for part in each["loc"] if part not in ("body", "query", "path"))
        parts.append(f"{place or 'the request'}: {each['msg'][:200]}")
    return f"{'; '.join(parts)}: see /api/v1/docs for what is taken."
