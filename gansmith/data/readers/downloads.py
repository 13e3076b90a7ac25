"""Files that are fetched once over https, checked, and kept in the cache."""

import hashlib
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, build_opener

from gansmith.data.atomic import sweep, temporary
from gansmith.data.cache import writing
from gansmith.errors import UserError

_SECONDS = 30
_SCHEMES = ("https://",)


def fetch(
    name: str,
    cache: Path,
    mirrors: tuple[str, ...],
    file: str,
    sha256: str,
    together: tuple[str, ...] = (),
    otherwise: str = "",
) -> Path:
    """The path of `file` in the cache, downloaded from the first mirror that answers with the right content.

    A file put there by hand is taken if its checksum is right. Offline, a UserError says where it, or all the files that are
    needed `together`, belong, and what to do `otherwise`.
    """
    place = cache / "downloads" / name / file
    if place.exists() and sha256_of(place) == sha256:
        return place
    failures = fetch_first(
        place, {mirror.split("/")[2]: mirror + file for mirror in mirrors}, lambda path: sha256_of(path) == sha256, cache
    )
    if not failures:
        return place
    raise UserError(
        f"{name} must be fetched once and could not be ({'; '.join(failures)}): go online, or put "
        f"{', '.join(together or [file])} into {place.parent}{otherwise}."
    )


def fetch_first(place: Path, sources: Mapping[str, str], right: Callable[[Path], bool], cache: Path) -> list[str]:
    """Downloads to `place` from the first URL that answers with the right content; the reasons if none does, else nothing.

    `sources` are URLs, which must begin with https://, by the names that the reasons give them.
    """
    failures = [f"{place} has the wrong checksum"] if place.exists() else []
    with writing(cache):
        place.parent.mkdir(parents=True, exist_ok=True)
    sweep([place.parent])
    partial = temporary(place)
    try:
        for source, url in sources.items():
            try:
                _download(url, partial, cache)
            except (OSError, HTTPException) as error:
                failures.append(f"{source}: {getattr(error, 'reason', None) or error}")
                continue
            if right(partial):
                partial.replace(place)
                return []
            failures.append(f"{source}: wrong checksum")
    finally:
        partial.unlink(missing_ok=True)
    return failures


class _Encrypted(HTTPRedirectHandler):
    """Follows no redirection to a server that does not prove who it is."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_encrypted(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_encrypted(url: str) -> None:
    if not url.startswith(_SCHEMES):
        raise URLError(f"{url} is not https")


def _opened(url: str) -> Any:
    _check_encrypted(url)
    return build_opener(_Encrypted).open(url, timeout=_SECONDS)


def _download(url: str, partial: Path, cache: Path) -> None:
    from rich.console import Console
    from rich.progress import wrap_file

    with _opened(url) as response:
        size = int(response.headers.get("Content-Length") or 0)
        console = Console(stderr=True)
        with wrap_file(response, size, description=f"fetching {url.rsplit('/')[-1]}", console=console, transient=True) as source:
            with writing(cache):
                target = open(partial, "wb")  # noqa: SIM115 (closed by the next line)
            with target:
                while piece := source.read(1 << 20):
                    with writing(cache):
                        target.write(piece)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
