"""What stands before every request: who may ask, from where, how much, and how long it may take."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gansmith.serve.limits import Limits
from gansmith.serve.problems import problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)
REPORT = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "frame-ancestors 'self'"
)
"""Reports are whole pages with their own scripts: they run in a sandbox without an origin."""
COOKIE = "gansmith_token"
SAFE = ("GET", "HEAD", "OPTIONS")
OPEN = ("/api/v1/health",)
"""What is answered without a token."""


class TooMuchError(HTTPException):
    """A body is too large or too slow."""


class Guard:
    """ASGI middleware: hosts, origins, token, sizes, times and headers."""

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str], token: str | None, limits: Limits, uploads: re.Pattern[str]
    ) -> None:
        """`hosts` are the names by which the server may be called, without ports; `uploads` are the paths that take large bodies."""
        self.app, self.token, self.limits, self.uploads = app, token, limits, uploads
        self.hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send) if scope["type"] == "lifespan" else None
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None and (welcome := self._welcome(scope, headers)) is not None:
            return await welcome(scope, receive, send)
        if refusal is not None:
            status, sentence = refusal
            more = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
            return await problem(status, sentence, more)(scope, receive, self._headed(send))
        most = self.limits.upload_bytes if self.uploads.fullmatch(scope["path"]) else self.limits.body_bytes
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > most:
            answer = problem(413, f"a request may have {most:,} bytes here, but it has {length[:20]}: send less.")
            return await answer(scope, receive, self._headed(send))
        begun: list[bool] = []

        async def sending(message: Message) -> None:
            begun.append(True)
            await send(message)

        try:
            await self.app(scope, self._limited(receive, most), self._headed(sending))
        except TooMuchError as error:
            if not begun:
                await problem(error.status_code, error.detail, {"Connection": "close"})(scope, receive, self._headed(send))
        return None

    # ---- who may ask ------------------------------------------------------------------------------------------------------------

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name(host) not in self.hosts:
            return (
                421,
                f"this server is not called {_name(host)[:80] or 'nothing'}: use the address that it printed, or start it with --name.",
            )
        if scope["method"] not in SAFE:
            origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
            if (origin is not None and urlsplit(origin).netloc.lower() != host.lower()) or site not in ("same-origin", "none"):
                return 403, "other sites may not ask this server for anything: open its own pages."
        if self.token and scope["path"] not in OPEN and not self._knows(headers) and not self._in_query(scope):
            return 401, "this server needs its token: open the address that it printed, or send Authorization: Bearer TOKEN."
        return None

    def _knows(self, headers: Headers) -> bool:
        given = headers.get("authorization", "")
        if given.lower().startswith("bearer ") and self._same(given[7:].strip()):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._same(cookie.value)

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), (self.token or "").encode())

    def _in_query(self, scope: Scope) -> bool:
        """Whether the front page is opened with the token in its address."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0] if scope["path"] == "/" else ""
        return bool(given) and self._same(given)

    def _welcome(self, scope: Scope, headers: Headers) -> RedirectResponse | None:
        """Takes the token out of the address and into a cookie."""
        if not self.token or not self._in_query(scope):
            return None
        answer = RedirectResponse("/", 303)
        secure = scope.get("scheme") == "https" or headers.get("x-forwarded-proto") == "https"
        answer.set_cookie(COOKIE, self.token, httponly=True, samesite="strict", secure=secure)
        return answer

    # ---- how much and how it is answered ----------------------------------------------------------------------------------------

    def _limited(self, receive: Receive, most: int) -> Receive:
        taken, ended = 0, False
        deadline = asyncio.get_running_loop().time() + self.limits.upload_seconds

        async def receiving() -> Message:
            nonlocal taken, ended
            if ended:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                seconds = self.limits.upload_seconds
                raise TooMuchError(408, f"a request must arrive within {seconds:g} seconds: send less, or faster.") from error
            taken += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if taken > most:
                raise TooMuchError(413, f"a request may have {most:,} bytes here: send less.")
            return message

        return receiving

    @staticmethod
    def _headed(send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", POLICY)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "no-referrer"
                headers["cross-origin-resource-policy"] = "same-origin"
                headers["cross-origin-opener-policy"] = "same-origin"
                headers.setdefault("x-frame-options", "SAMEORIGIN")
                headers.setdefault("cache-control", "no-store")
            await send(message)

        return sending


def _name(host: str) -> str:
    """The name in a Host header: without its port, in small letters."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?", host, re.ASCII)
    return match[1].lower() if match else ""
