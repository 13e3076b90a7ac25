"""Whether a run was made on this machine: only then are the data that its run.json names opened without asking.

What a run says of its data is signed when it is made, with a secret in the cache folder. A run of somebody else, or one that was changed,
has no such signature: it could name any file here, or a data set to be fetched.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gansmith.data.cache import cache_folder
from gansmith.data.programs import trusts
from gansmith.errors import UserError

SECRET = "made-here.key"
_WHOLE = re.compile(r"[0-9a-f]{64}")


def signed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json says of its data, with the mark of this machine; without where its cache cannot be written."""
    secret = _secret(make=True)
    return {**facts, "made_here": _mark(secret, facts)} if secret else dict(facts)


def made_here(facts: Mapping[str, Any]) -> bool:
    """Whether what run.json says of its data was written on this machine."""
    secret, mark = _secret(), facts.get("made_here")
    return secret is not None and isinstance(mark, str) and hmac.compare_digest(mark.encode(), _mark(secret, facts).encode())


def allow_data(path: Path, facts: Mapping[str, Any], given: Collection[str], other: bool) -> None:
    """Raises UserError if `facts` of data in the run.json `path`, which was not made here, name data or files that the user did not name.

    `given` are the names of options of opening them that the user gave, and with `other` the data too.
    """
    if trusts() or made_here(facts):
        return
    source, opening = facts.get("source"), facts.get("opening")
    found = [] if other or source is None else [("the data", str(source))]
    found += [
        (f"--{name.replace('_', '-')}", own)
        for name, value in (opening.items() if isinstance(opening, Mapping) else ())
        if name not in given and name != "kind"  # which no file may name at all
        for own in _files_in(value)
    ]
    for what, named in found:
        raise UserError(
            f"{path} names {what} {named[:200]}, but was not written on this machine (or its cache was emptied since): give "
            f"{'them' if what == 'the data' else 'it'} yourself, or --trust (in Python trust=True) to open what it names."
        )


def _files_in(value: Any) -> Iterator[str]:
    """Paths of files or folders that are here."""
    if isinstance(value, list | tuple):
        for part in value:
            yield from _files_in(part)
    elif isinstance(value, str) and ("/" in value or os.sep in value):
        with suppress(OSError, ValueError, RuntimeError):
            if Path(value).expanduser().exists():
                yield value


def _mark(secret: bytes, facts: Mapping[str, Any]) -> str:
    said = json.dumps([facts.get("source"), facts.get("opening")], sort_keys=True)
    return hmac.new(secret, said.encode(), "sha256").hexdigest()


def _secret(make: bool = False) -> bytes | None:
    """The secret of this machine; None if there is none, or it cannot be read."""
    path = cache_folder() / SECRET
    with suppress(OSError):
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{SECRET}.{secrets.token_hex(8)}.tmp")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
            try:
                with suppress(FileExistsError):
                    os.link(draft, path)  # whoever is second takes the first one's
            finally:
                draft.unlink()
        text = path.read_text(encoding="ascii", errors="replace")
        return text.encode() if _WHOLE.fullmatch(text) else None
    return None
