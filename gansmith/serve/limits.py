"""How much one request, and all requests together, may ask of a server."""

from dataclasses import dataclass

from gansmith.errors import UserError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names by which a server on this machine alone is called."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a server takes; whatever lies above is refused in a sentence."""

    upload_bytes: int = 64 * 2**20
    """Bytes of one upload in the studio's training page or of a picture, recording or clip."""
    body_bytes: int = 2**20
    """Bytes of a request that uploads nothing."""
    examples: int = 10_000
    """Examples of one request."""
    numbers: int = 2**28
    """Numbers in the examples of one request: pixels times channels, rows times columns."""
    pixels: int = 20_000_000
    """Pixels of an uploaded picture, held before it is decoded."""
    data_bytes: int = 2**32
    """Bytes of one set of data in the studio, which may arrive in several uploads."""
    waiting: int = 128
    """Requests that wait for one model; more are answered 429."""
    look_seconds: float = 20
    """How long an uploaded picture may take to be decoded."""
    seconds: float = 300
    """How long one request may compute before its worker is ended."""
    upload_seconds: float = 60
    """How long the body of one request may take to arrive."""
    kept: int = 256
    """Finished jobs, and files of theirs, that are remembered."""
    file_bytes: int = 2**31
    """Bytes of all files that are kept; the oldest go first."""

    def check_examples(self, n: int, numbers_each: int) -> None:
        """Raises UserError for more examples, or larger ones, than one request may have."""
        if n > self.examples:
            raise UserError(f"n must be at most {self.examples:,} here, but it is {n:,}: ask for less at a time.")
        if n * numbers_each > self.numbers:
            most = max(1, self.numbers // numbers_each)
            raise UserError(
                f"n must be at most {most:,} for examples of {numbers_each:,} numbers, but it is {n:,}: ask for less."
            )
