"""What a server cannot do now, each with its status and sentence."""

from __future__ import annotations


class ServerError(Exception):
    """Something that cannot be done now, with its status and sentence."""

    status = 500
    retry: int | None = None
    """After how many seconds asking again makes sense."""


class BusyError(ServerError):
    """The queue is full."""

    status, retry = 429, 2

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} requests already wait for this model, and more are not taken: try again in a few seconds.")


class GoneError(ServerError):
    """The worker ended while it computed."""

    status, retry = 503, 5

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: try again, or ask for less.")


class ShortError(ServerError):
    """Memory or disk are at their end."""

    status, retry = 503, 30


class FaultError(ServerError):
    """A fault of ours."""

    def __init__(self, what: str) -> None:
        super().__init__(f"a fault of gansmith ({what}); the server's log has its traceback.")


class CancelledError(ServerError):
    """The job was cancelled."""

    status = 409

    def __init__(self) -> None:
        super().__init__("this job was cancelled.")


class MissingError(ServerError):
    """There is no such thing."""

    status = 404
