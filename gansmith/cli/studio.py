"""gansmith studio: the workshop in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from gansmith.cli.options import Flag, parse, takes
from gansmith.cli.serve import require
from gansmith.data.values import Port


@dataclass(frozen=True, kw_only=True)
class Studio:
    """Opens the workshop for the runs of a folder: train, watch, generate, explore, play; in the browser, on this machine."""

    folder: Annotated[Positional[Path], takes("FOLDER", "runs")] = Path("runs")
    """The folder of your runs; new ones go there, and data that are dropped into the page into FOLDER/data."""
    host: Annotated[str, takes("ADDRESS", "127.0.0.1")] = "127.0.0.1"
    """Where to listen; any other address than this machine's own needs a token, which is made and printed if none is given."""
    port: Annotated[Port, takes("PORT", "8000")] = 8000
    """The port."""
    token: Annotated[str | None, takes("TOKEN")] = None
    """What browsers and clients must send; also read from GANSMITH_TOKEN."""
    name: Annotated[tuple[str, ...], takes("HOST ...")] = ()
    """More names by which it is called, such as that of a reverse proxy."""
    device: Annotated[str, takes("DEVICE", "auto")] = "auto"
    """cpu, cuda or mps; auto takes the best there is."""
    trust: Flag = False
    """Let Python files run that a run names, as its GAN for example."""


def run(argv: list[str]) -> int:
    options = parse(Studio, argv, "gansmith studio")
    require()
    from gansmith.serve.hall import Hall
    from gansmith.serve.listening import listen
    from gansmith.serve.trainings import Workshop

    hall = Hall({}, device=options.device, trust=options.trust)
    workshop = Workshop(options.folder, hall)
    listen(hall, host=options.host, port=options.port, token=options.token, names=options.name, studio=workshop, warm=False)
    return 0
