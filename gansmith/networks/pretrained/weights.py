"""Weights of published networks: a file of the user's own, or one fetched once, checked, and kept in the cache."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from gansmith.data.cache import cache_folder
from gansmith.data.readers.downloads import fetch_first, sha256_of
from gansmith.errors import UserError


def find_weights(
    name: str,
    *,
    path: Path | str | None = None,
    variable: str,
    urls: Sequence[str],
    sha256: str,
    file: str,
    option: str | None = None,
) -> Path:
    """The weight file of the network `name`: at `path`, else where the environment variable `variable` says, else `file` in the
    cache folder ($GANSMITH_CACHE or ~/.cache/gansmith) or in torch's own, else downloaded into the cache from the first of `urls`
    that answers.

    What was found by its name or fetched must have the checksum `sha256`; a file that the user names is taken as it is. `option` is
    the option of the caller that gives `path`, for the message. Raises UserError where a named file is missing, and where there is none
    and it cannot be fetched.
    """
    if here := weights_at_hand(name, path=path, variable=variable, sha256=sha256, file=file):
        return here
    cache = cache_folder()
    place = _place(file)
    failures = fetch_first(place, {url: url for url in urls}, lambda partial: sha256_of(partial) == sha256, cache)
    if not failures:
        return place
    named = f"give its path as {option}, " if option else ""
    raise UserError(
        f"{name} needs its weights, the file {file}, which must be fetched once and could not be ({'; '.join(failures)}): go online, "
        f"or fetch it from {urls[0]} on another machine and {named}set {variable} to its path or save it as {place}."
    )


def weights_at_hand(name: str, *, path: Path | str | None = None, variable: str, sha256: str, file: str) -> Path | None:
    """The same file if it is on this machine already, else None; fetches nothing.

    Raises UserError where a file that the user named is missing.
    """
    given = path if path is not None else os.environ.get(variable)
    if given:
        chosen = Path(given).expanduser()
        if not chosen.is_file():
            source = "the given path" if path is not None else f"the variable {variable}"
            raise UserError(
                f"{source} should name the file with the weights of {name}, but there is no file {chosen}: correct it."
            )
        return chosen
    places = (_place(file), Path(torch.hub.get_dir()) / "checkpoints" / file)
    return next((place for place in places if place.is_file() and sha256_of(place) == sha256), None)


def _place(file: str) -> Path:
    return cache_folder() / "weights" / file
