"""gansmith serve: trained models over HTTP."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from gansmith.cli.options import Flag, parse, takes
from gansmith.data.values import Count, Port
from gansmith.errors import UserError, missing_extra


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Offers trained models over HTTP, with pages to try them; read-only, on this machine alone unless you say otherwise."""

    runs: Annotated[Positional[tuple[Path, ...]], takes("RUN")]
    """Run folders, their model/ folders, or copies of those."""
    host: Annotated[str, takes("ADDRESS", "127.0.0.1")] = "127.0.0.1"
    """Where to listen; any other address than this machine's own needs a token, which is made and printed if none is given."""
    port: Annotated[Port, takes("PORT", "8000")] = 8000
    """The port."""
    token: Annotated[str | None, takes("TOKEN")] = None
    """What clients must send (Authorization: Bearer TOKEN); also read from GANSMITH_TOKEN."""
    name: Annotated[tuple[str, ...], takes("HOST ...")] = ()
    """More names by which the server is called, such as that of a reverse proxy."""
    workers: Annotated[Count, takes("N", "4")] = 4
    """Models in memory at a time, each in a process of its own."""
    waiting: Annotated[Count, takes("N", "128")] = 128
    """Requests that wait for one model; more are answered 429."""
    seconds: Annotated[Count, takes("S", "300")] = 300
    """How long one request may compute."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    trust: Flag = False
    """Let Python files run that a run names, as its GAN for example."""


def run(argv: list[str]) -> int:
    options = parse(Serve, argv, "gansmith serve")
    if not options.runs:
        raise UserError("gansmith serve needs RUN, the folder of a trained model: gansmith studio shows all runs of a folder.")
    require()
    from gansmith.serve.hall import Hall, named
    from gansmith.serve.limits import Limits
    from gansmith.serve.listening import listen

    hall = Hall(
        named(options.runs),
        limits=Limits(waiting=options.waiting, seconds=options.seconds),
        device=options.device,
        trust=options.trust,
        most_workers=options.workers,
    )
    listen(hall, host=options.host, port=options.port, token=options.token, names=options.name)
    return 0


def require() -> None:
    """Raises UserError where the extra is not installed."""
    for name in ("fastapi", "python_multipart", "uvicorn"):  # looked for, not loaded: models are loaded meanwhile
        if (name in sys.modules and sys.modules[name] is None) or importlib.util.find_spec(name) is None:
            raise missing_extra(name, "serve", "Serving models")
