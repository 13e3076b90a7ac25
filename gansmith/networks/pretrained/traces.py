"""What the answers of a network or function depend on, as a hash: so that features of an older one are not taken for its own."""

import functools
import hashlib
import inspect
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def file_trace(path: Path) -> str:
    """The hash of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def trace(network: Any) -> str:
    """The hash of a module's weights, settings and code; of a function, that of its code and of the networks, numbers and functions
    that it names itself (what these name in turn is not followed)."""
    digest = hashlib.sha256()
    for part in _parts(network):
        digest.update(part)  # pyright: ignore[reportArgumentType], an array is a buffer
        digest.update(b"\0")
    return digest.hexdigest()


def _parts(thing: Any) -> Iterator[bytes | np.ndarray]:
    if isinstance(thing, nn.Module):
        yield repr(thing).encode()
        for name, module in thing.named_modules():
            settings = {key: value for key, value in vars(module).items() if key != "training" and not key.startswith("_")}
            yield from (name.encode(), *_code(type(module)), *_values(settings))
        yield from _values(thing.state_dict())
    elif inspect.isfunction(thing):
        named = inspect.getclosurevars(thing)
        yield from _code(thing)
        yield from _values({**named.globals, **named.nonlocals, **(thing.__kwdefaults__ or {}), "defaults": thing.__defaults__})
    elif inspect.ismethod(thing):
        yield from (*_parts(thing.__self__), *_parts(thing.__func__))
    elif isinstance(thing, functools.partial):
        yield from (*_parts(thing.func), *_values({**thing.keywords, "arguments": thing.args}))
    else:
        yield from (*_code(type(thing)), *_values(getattr(thing, "__dict__", {})))


def _values(values: dict[str, Any]) -> Iterator[bytes | np.ndarray]:
    for name, value in values.items():
        yield name.encode()
        if isinstance(value, nn.Module):
            yield from _parts(value)
        elif isinstance(value, Tensor):
            yield f"{value.dtype} {tuple(value.shape)}".encode()
            yield value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
        elif isinstance(value, np.ndarray):
            yield from (f"{value.dtype} {value.shape}".encode(), np.ascontiguousarray(value))
        elif isinstance(value, list | tuple):
            yield from _values({str(i): item for i, item in enumerate(value)})
        elif isinstance(value, dict):
            yield from _values({str(key): item for key, item in value.items()})
        elif value is None or isinstance(value, str | int | float | complex | Path):
            yield repr(value).encode()
        else:
            yield from _code(value if inspect.isroutine(value) or inspect.isclass(value) else type(value))


def _code(thing: Any) -> Iterator[bytes]:
    """The name of a class or function and, unless it is torch's own, its text."""
    module = getattr(thing, "__module__", None) or ""
    yield f"{module}.{getattr(thing, '__qualname__', '')}".encode()
    if module.partition(".")[0] in ("torch", "builtins"):
        return
    with suppress(OSError, TypeError):  # typed at a prompt, or written in C
        yield inspect.getsource(thing).encode()
    if inspect.isfunction(thing):  # the text is that of the whole line, which may hold two
        code = thing.__code__
        yield code.co_code
        yield repr((code.co_names, [one for one in code.co_consts if not inspect.iscode(one)])).encode()
