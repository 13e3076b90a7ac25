"""Files that are programs: whose word lets them run, and how a Python file is loaded.

A run or model folder may come from a stranger, so what it names is not the user's word: inside `named_in(its file)` a Python file
runs only where the user trusts the folder. Files that do not look like programs but are (TorchScript, torch.export, pickles) need
that trust from the user too.
"""

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from gansmith.errors import UserError

Answer = TypeVar("Answer")


class RefusedError(UserError):
    """A program that may not run."""


@dataclass(frozen=True)
class Copy:
    """A program that came with a model, as it was when the model was saved."""

    path: Path
    sha256: str

    def check(self) -> None:
        """Raises UserError if the file is not there or is not what was saved."""
        content = self.path.read_bytes() if self.path.is_file() else None
        if content is None or hashlib.sha256(content).hexdigest() != self.sha256:
            raise UserError(
                f"{self.path} {'is missing' if content is None else 'has changed since the model was saved'}: restore it, or train anew."
            )


@dataclass(frozen=True)
class Word:
    """Who names programs, and whether the user trusts them."""

    trusted: bool = False
    place: Path | None = None
    """The file that names them; None: the user."""
    said: frozenset[Path] = frozenset()
    """Programs that the user has named on this command, whatever the file says."""
    copies: Mapping[Path, Copy] = field(default_factory=dict)
    """Programs that lie beside the file, by the paths under which it names them."""


_RUN: dict[Path, bytes] = {}
_WORD: ContextVar[Word] = ContextVar("word", default=Word())  # noqa: B039, it is frozen


@contextmanager
def trusting(trust: bool) -> Iterator[None]:
    """Inside, programs run whoever names them, if `trust`; the word of the user that is given with `--trust` or `trust=True`."""
    with _speaking(replace(_WORD.get(), trusted=_WORD.get().trusted or trust)):
        yield


@contextmanager
def named_in(
    place: Path,
    trust: bool = False,
    said: str | Path | Iterable[Path] | None = None,
    copies: Mapping[Path, Copy] | None = None,
) -> Iterator[None]:
    """Inside, programs are named by the file `place`; of these only `said` and, if `trust`, all run. `copies` run in place of the programs
    under whose paths they stand, unless those are said."""
    word = _WORD.get()
    own = () if said is None else (said,) if isinstance(said, str | Path) else said
    known = word.said | {Path(path).resolve() for path in own}
    with _speaking(Word(word.trusted or trust, place, known, copies or {})):
        yield


@contextmanager
def _speaking(word: Word) -> Iterator[None]:
    before = _WORD.set(word)
    try:
        yield
    finally:
        _WORD.reset(before)


def speaks_a_file() -> bool:
    """Whether a file, and not the user, names programs now."""
    return _WORD.get().place is not None


def trusts() -> bool:
    """Whether the user trusts whatever names things now."""
    return _WORD.get().trusted


def allow_python(path: Path) -> None:
    """Raises UserError if a file of a run or a model, and not the user, names this Python file."""
    word = _WORD.get()
    own = path.resolve()
    if word.place is not None and not word.trusted and not word.said & {own, own.parent}:  # a kind is named by its folder
        raise RefusedError(
            f"{word.place} names the Python file {own}, which would run on this machine: read it, and if you trust it give "
            "--trust (in Python trust=True)."
        )


def allow_program(name: str | Path, why: str) -> None:
    """Raises UserError, with the reason `why` it is a program, unless the user trusts it: its name does not tell."""
    word = _WORD.get()
    if not word.trusted:
        named = f", which {word.place} names," if word.place is not None else ""
        raise RefusedError(
            f"{name}{named} {why}, which can do on this machine whatever you can: if you trust where it came from give --trust "
            "(in Python trust=True)."
        )


def python_module(path: Path, option: str, defines: str) -> ModuleType:
    """The module in a Python file, run under a name that no other module has.

    `option` is where the path was given and `defines` what the file should define, for messages. Raises UserError where there is no
    such file, where it may not run, and where it fails.
    """
    named, word = path.resolve(), _WORD.get()
    if named in word.copies and not word.said & {named, named.parent}:
        path = word.copies[named].path
        word.copies[named].check()
    if not path.is_file():
        raise UserError(
            f"{option} names the file {path}, which does not exist: give the path of a Python file that defines {defines}."
        )
    allow_python(path)
    source = path.read_bytes()
    mark = hashlib.sha256(source).hexdigest()[:8]
    name = re.sub(
        r"\W", "_", f"gansmith_file_{mark}_{path.stem}"
    )  # never that of a module somebody imports, as json.py would have
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module, loader = importlib.util.module_from_spec(specification), specification.loader
    sys.modules[name] = module  # where dataclasses and `inspect` look for it
    try:
        answer(path, lambda: loader.exec_module(module))
    except BaseException:
        del sys.modules[name]
        raise
    _RUN[named] = _RUN[path.resolve()] = source
    return module


def source_of(path: Path) -> bytes | None:
    """The program that ran in this process under this path, as it was then."""
    return _RUN.get(path.resolve())


def answer(path: Path, call: Callable[[], Answer]) -> Answer:
    """What code of the user's Python file answers; raises UserError where it fails or ends the process."""
    try:
        return call()
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == path.resolve()]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        came = f"{type(error).__name__}: {error}".strip(": ").partition("\n")[0]
        raise UserError(f"{path} fails{f' in line {line}' if line else ''} ({came}): correct it.") from error
