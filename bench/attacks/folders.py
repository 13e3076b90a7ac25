"""Data, runs and results with strange names, and damaged folders of runs and models."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from attacks.place import FAST, Attack, Place


def names(place: Place) -> Iterator[Attack]:
    """Places with strange names: data, runs, results."""
    strange = [
        "日本語",
        "with space",
        "two\nlines",
        "tab\there",
        "-dash",
        "--out",
        "caf\udcc3\udca9\udcff",
        "a" * 255,
        "a" * 300,
        "%s%n{}",
        "$(id)",
        "'\"`",
        ".hidden",
        "..",
        "a.b.c",
        "[bold]x[/]",
        "*?",
        "\\",
        "\x01\x1b[31m",
        "é" * 100,
        "‮abc",
        "con",
        "=1+1",
        "run.json",
        "made.v1",
        "a.csv",
        "a.zip",
        "a.png",
        "model",
    ]

    def linked(name: str, source: Path) -> Callable[[Path], None]:
        def prepare(folder: Path) -> None:
            with suppress(OSError, ValueError):
                (folder / name).symlink_to(source)

        return prepare

    run, images = place.runs / "points", place.runs / "images"
    for name in strange:
        safe = f"./{name}"
        suffixed = f"{safe[:200]}.npy"
        yield place.command("names", ["inspect", suffixed], False, linked(suffixed, place / "points.npy"))
        yield place.command("names", ["train", suffixed, *FAST, "--out", "run"], False, linked(suffixed, place / "points.npy"))
        yield place.command("names", ["inspect", safe], False, linked(name, place / "images"))
        yield place.command("names", ["train", place.points, *FAST, "--out", safe], False)
        yield place.command("names", ["generate", safe, "-n", "2", "--out", "made"], False, linked(name, run))
        yield place.command("names", ["generate", str(run), "-n", "2", "--out", safe], False)
        yield place.command("names", ["generate", str(run), "-n", "2", "--out", name], False)
        yield place.command("names", ["generate", str(images), "-n", "2", "--out", safe], False)
        yield place.command("names", ["export", str(run), "--to", "safetensors", "--out", safe], False)
        yield place.command(
            "names",
            ["translate", str(place.runs / "pairs"), f"{safe[:200]}.png", "--out", f"out{name[:200]}"],
            False,
            linked(f"{safe[:200]}.png", place / "picture.png"),
        )
        yield place.command("names", ["edit", str(images), "grid", "--seeds", "1-2", "--out", f"{safe[:200]}.png"], False)
        yield place.command(
            "names",
            [
                "evaluate",
                "--real",
                place.points,
                "--fake",
                suffixed,
                "--metrics",
                "frechet",
                "--samples",
                "30",
                "--json",
                f"{safe[:200]}.json",
            ],
            False,
            linked(suffixed, place / "others.npy"),
        )
        yield place.command("names", ["list", safe], True)
    read = str(place / "picture.png")
    for argv in (
        ["generate", str(images), "-n", "1", "--out", read],
        ["edit", str(images), "grid", "--out", read],
        ["edit", str(images), "project", read, "--out", read],
        ["translate", str(place.runs / "pairs"), read, "--out", str(place / "")],
        ["translate", str(place.runs / "pairs"), str(place / "pairs/a"), "--targets", str(place / "pairs/b"), "--out", str(place / "pairs/b")],
        ["evaluate", "--real", place.points, "--fake", str(place / "others.npy"), "--json", place.points],
        ["export", str(run), "--to", "safetensors", "--out", str(run / "model" / "model.safetensors")],
        ["train", place.points, *FAST, "--out", str(run)],
        ["train", place.points, *FAST, "--out", place.points],
        ["generate", str(run), "-n", "2", "--out", place.points],
        ["generate", str(run), "-n", "2", "--out", str(place / "rows.csv")],
        ["generate", str(run), "-n", "2", "--out", "/dev/full"],
        ["generate", str(run), "-n", "2", "--out", "/proc/nothing"],
        ["train", place.points, *FAST, "--out", "/proc/nothing"],
        ["generate", str(images), "-n", "1", "--out", "/no/such.png/x.png"],
    ):  # fmt: skip
        yield place.command("names", argv, argv[0] != "generate" or "such" not in argv[-1])


def models(place: Place) -> Iterator[Attack]:
    """Damaged, mutated and strange folders of runs and models."""

    def copied(name: str, spoil: Callable[[Path], None]) -> Callable[[Path], None]:
        def prepare(folder: Path) -> None:
            shutil.copytree(place.runs / name, folder / "run")
            spoil(folder / "run")

        return prepare

    def acts(name: str) -> list[list[str]]:
        found = [["generate", "run", "-n", "1", "--out", "made"], ["export", "run", "--to", "safetensors", "--out", "e"]]
        if name == "images":
            found += [["edit", "run", "grid", "--seeds", "1", "--out", "a.png"]]
        if name == "pairs":
            found = [["translate", "run", str(place / "picture.png"), "--out", "made"], found[1]]
        return found

    spoils: dict[str, Callable[[bytes], bytes]] = {
        "empty": lambda _: b"",
        "half": lambda content: content[: len(content) // 2],
        "but one": lambda content: content[:-1],
        "zeros": lambda content: bytes(len(content)),
        "noise": lambda content: np.random.default_rng(0).bytes(len(content)),
        "text": lambda _: b"hello",
        "a list": lambda _: b"[]",
        "an object": lambda _: b"{}",
        "null": lambda _: b"null",
        "nan": lambda _: b"NaN",
        "deep": lambda _: b"[" * 100_000 + b"]" * 100_000,
        "wide": lambda _: b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        "twice": lambda content: content + content,
        "byte order": lambda content: b"\xff\xfe" + content.decode("latin-1").encode("utf-16-le"),
        "long number": lambda _: b'{"format": ' + b"9" * 100_000 + b"}",
    }

    def spoiled(path: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
        def spoil(run: Path) -> None:
            file = run / path
            content = file.read_bytes()
            file.unlink()
            file.write_bytes(change(content))

        return spoil

    for path in ("model/model.json", "model/model.safetensors", "run.json"):
        for what, change in spoils.items():
            for name in ("points", "images") if path != "run.json" else ("points",):
                for argv in (
                    acts(name)
                    if path != "run.json"
                    else [["evaluate", "run"], ["train", "--resume", "run"], ["compare", "run", str(place.runs / "points2")]]
                ):
                    yield place.command(
                        "runs", argv, path != "model/model.json", copied(name, spoiled(path, change)), f"{path} is {what}, {name}"
                    )
    for what in ("fifo", "zero", "folder", "socket", "loop", "gone", "dangling"):
        for path in ("model/model.json", "model/model.safetensors", "run.json", "model", "checkpoints"):
            for argv in (
                ["generate", "run", "-n", "1", "--out", "made"],
                ["evaluate", "run", "--metrics", "frechet", "--samples", "30"],
                ["train", "--resume", "run"],
            ):
                yield place.command(
                    "runs",
                    argv,
                    False,
                    copied("points", lambda run, what=what, path=path: replaced(run / path, what)),
                    f"{path} is {what}",
                )
    for what, change in spoils.items():
        yield place.command(
            "runs",
            ["train", "--resume", "run"],
            False,
            copied(
                "points",
                lambda run, change=change: [p.write_bytes(change(p.read_bytes())) for p in (run / "checkpoints").glob("*")],
            ),
            f"checkpoints are {what}",
        )
        yield place.command(
            "runs",
            ["edit", "run", "average"],
            True,
            copied(
                "images",
                lambda run, change=change: [p.write_bytes(change(p.read_bytes())) for p in (run / "checkpoints").glob("*")],
            ),
            f"checkpoints are {what}",
        )
    # values of single fields, in models without checksums
    values = [None, [], {}, "", "x", -1, 0, 10**9, 10**20, 1e308, float("nan"), True, [[[]]], "9" * 5000]
    number = 0
    for name in ("points", "images", "pairs", "rows", "series", "lines"):
        facts = json.loads((place.runs / name / "model" / "model.json").read_text())
        facts.pop("sha256", None)
        for where in fields_of(facts):
            for value in (values[number % len(values)], values[(number * 5 + 3) % len(values)]):
                argv = acts(name)[number % len(acts(name))]
                yield place.command(
                    "fields",
                    argv,
                    False,
                    copied(name, lambda run, facts=facts, where=where, value=value: unsealed(run / "model", facts, where, value)),
                    f"{name} with {where} {value!r:.20}",
                )
            number += 1
    facts = json.loads((place.runs / "points" / "run.json").read_text())
    for where in fields_of(facts):
        argv = [
            ["train", "--resume", "run"],
            ["evaluate", "run", "--metrics", "frechet", "--samples", "30"],
            ["compare", "run", str(place.runs / "points2"), "--metrics", "frechet"],
        ][number % 3]
        value = values[number % len(values)]
        number += 1
        yield place.command(
            "fields",
            argv,
            False,
            copied(
                "points",
                lambda run, where=where, value=value: (run / "run.json").write_text(json.dumps(changed(facts, where, value))),
            ),
            f"run.json with {where} {value!r:.20}",
        )


def fields_of(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all fields, and of the first part of every list."""
    if above:
        yield above
    parts = list(value.items())[:60] if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else []
    for key, part in parts:
        yield from fields_of(part, (*above, key))


def changed(facts: Any, where: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at one place."""
    copy = json.loads(json.dumps(facts))
    inner = copy
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    return copy


def unsealed(folder: Path, facts: Any, where: tuple[Any, ...], value: Any) -> None:
    """A model as older versions wrote it, without checksums, with one other value."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors", metadata={"gansmith": "{}"})  # as older versions wrote it
    (folder / "model.json").write_text(json.dumps(changed(facts, where, value)))


def replaced(path: Path, what: str) -> None:
    """Puts something in the place of a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if what == "fifo":
        os.mkfifo(path)
    elif what == "zero":
        path.symlink_to("/dev/zero")
    elif what == "folder":
        path.mkdir()
    elif what == "socket":
        here = os.getcwd()
        os.chdir(path.parent)
        socket.socket(socket.AF_UNIX).bind(path.name)
        os.chdir(here)
    elif what == "loop":
        path.symlink_to(path)
    elif what == "dangling":
        path.symlink_to("/no/such/file")
