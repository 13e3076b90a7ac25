"""From an application to a listening socket."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from typing import Any

from gansmith.errors import UserError
from gansmith.serve.hall import Hall
from gansmith.serve.limits import LOOPBACK

CONNECTIONS = 512
"""Connections at a time; more are answered 503."""
TOKEN = "GANSMITH_TOKEN"


def listen(
    hall: Hall,
    *,
    host: str,
    port: int,
    token: str | None = None,
    names: Sequence[str] = (),
    studio: Any = None,
    warm: bool = True,
) -> None:
    """Serves until it is stopped. Raises UserError for an address that cannot be taken."""
    token = token or os.environ.get(TOKEN) or None
    if not is_own(host) and token is None:
        token = secrets.token_urlsafe(24)
    own = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:  # with its protocol named, so that asyncio sends small answers at once (TCP_NODELAY), not after 40 ms
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind((host, port))
        own.listen(256)
    except OSError as error:
        own.close()
        raise UserError(
            f"{host}:{port} cannot be listened on ({error.strerror or error}): give another --port or --host."
        ) from error
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{own.getsockname()[1]}/"
    hosts = {*LOOPBACK, shown, *names} if is_own(host) or host in ("0.0.0.0", "::") else {shown, *names}
    print(f"gansmith: {address}{f'?token={token}' if token else ''}", file=sys.stderr, flush=True)

    async def serve() -> None:
        try:
            if warm:
                for name in list(hall.runs)[: hall.most_workers]:
                    await hall.begin(name)  # whose process loads its model while this one loads what it answers with
            import uvicorn

            from gansmith.serve.app import create_app

            config = uvicorn.Config(
                create_app(hall, studio=studio, hosts=hosts, token=token, warm=warm),
                log_level="warning",
                access_log=False,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=5,
                server_header=False,
                proxy_headers=False,
            )
            await uvicorn.Server(config).serve(sockets=[own])
        finally:
            await hall.close()

    with own:
        asyncio.run(serve())


def is_own(host: str) -> bool:
    """Whether this address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
