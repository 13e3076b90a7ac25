"""Words that are no commands, and hostile values of every option of commands, kinds of data and GANs."""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attacks.place import CHOICES, FAST, HUGE, NOTHING_TOO, PATHS, REAL, WHOLE, WORDS, Attack, Place
from gansmith import gans, kinds
from gansmith.cli import COMMANDS
from gansmith.cli.options import _fields
from tests.toys import SMALL


def commands(place: Place) -> Iterator[Attack]:
    wrong = [
        [],
        ["help", "nonsense"],
        ["--help", "extra"],
        ["--version", "now"],
        ["-h", "-h"],
        ["help", ""],
        ["nonsense"],
        [""],
        ["--"],
        ["-"],
    ]
    wrong += [
        ["train", "--nonsense"],
        ["list", "nonsense"],
        ["list", "gans", "more"],
        ["edit"],
        ["edit", "x"],
        ["edit", "x", "nonsense"],
        ["TRAIN"],
    ]
    wrong += [[name, "--nonsense"] for name in COMMANDS] + [[name, "--nonsense=1", "--help=2"] for name in COMMANDS]
    wrong += (
        [[name, *["a"] * 50] for name in COMMANDS] + [[name, "-z"] for name in COMMANDS] + [[name, "--="] for name in COMMANDS]
    )
    wrong += [
        ["a" * 100_000],
        ["日本語"],
        ["train\n"],
        ["\udcff"],
        ["list", "--json", "--json=maybe"],
        ["export", "x", "--to", "exe"],
    ]
    wrong += [["train", place.points, "--gan", word, "--dry-run"] for word in WORDS if word != ""]
    wrong += [["train", place.points, *FAST, "--preset", word] for word in WORDS if word != ""]
    wrong += [["train", place.points, "--kind", word] for word in WORDS]
    wrong += [
        [name, str(place.runs / "points"), "--device", word]
        for name in ("generate", "evaluate")
        for word in ("gpu", "cuda:x", "cpu:999", "", "mps:1", "meta", "\n")
    ]
    return (place.command("commands", argv, True) for argv in wrong)


def bases(place: Place) -> dict[str, list[str]]:
    """A command line of each command that is fine and quick."""
    points, images = str(place.runs / "points"), str(place.runs / "images")
    picture = str(place / "picture.png")
    return {
        "train": ["train", place.points, *FAST, "--out", "run"],
        "inspect": ["inspect", place.points],
        "evaluate": [
            "evaluate",
            "--real",
            place.points,
            "--fake",
            str(place / "others.npy"),
            "--metrics",
            "frechet",
            "--samples",
            "30",
        ],
        "generate": ["generate", points, "-n", "2", "--out", "made"],
        "translate": ["translate", str(place.runs / "pairs"), picture, "--out", "made"],
        "export": ["export", points, "--to", "safetensors", "--out", "made"],
        "compare": ["compare", points, str(place.runs / "points2"), "--metrics", "frechet"],
        "list": ["list"],
        "edit interpolate": ["edit", images, "interpolate", "--seeds", "1-2", "--frames", "4", "--out", "a.gif"],
        "edit grid": ["edit", images, "grid", "--seeds", "1-2", "--out", "a.png"],
        "edit mix": ["edit", images, "mix", "--seeds", "1-2", "--rows", "3-4", "--out", "a.png"],
        "edit directions": ["edit", images, "directions", "--seeds", "1", "--count", "2", "--out", "a.png"],
        "edit project": ["edit", images, "project", picture, "--steps", "2", "--out", "a.png"],
        "edit fuse": ["edit", images, "fuse", picture, picture, "--steps", "2", "--frames", "2", "--out", "a.png"],
        "edit average": ["edit", images, "average"],
        "optimise": ["optimise", str(place.runs / "molecules"), "--maximise", "qed", "--calls", "3", "--out", "made"],
        "speak": ["speak", str(place.runs / "speech"), "low high noise", "--out", "a.wav"],
        "demo": ["demo", "-n", "2", "--out", "demo"],
        "push": ["push", points, "me/mine", "--out", "card"],
        "serve": ["serve", "nothing-here"],
        "studio": ["studio", place.points],
    }


def shape_of(command: str) -> type:
    name, _, action = command.partition(" ")
    if action:
        return importlib.import_module("gansmith.cli.edit").SHAPES[action][0]
    own = {
        "translate": "images.translation.command",
        "optimise": "molecules.optimisation.command",
        "speak": "audio.speaking.command",
    }
    if name in own:
        return getattr(importlib.import_module(f"gansmith.kinds.{own[name]}"), name.capitalize())
    return getattr(importlib.import_module(f"gansmith.cli.{name}"), name.capitalize())


def options(place: Place) -> Iterator[Attack]:
    """Hostile values of every option of every command."""
    for command, argv in bases(place).items():
        for flag, (hint, one) in _fields(shape_of(command)).items():
            positional = one.name in (
                "run",
                "runs",
                "data",
                "input",
                "picture",
                "first",
                "second",
                "what",
                "folder",
                "text",
                "name",
            )
            if positional and not (command in ("evaluate", "compare") and one.name == "data"):
                continue
            flag = "-n" if flag == "--n" else flag
            for value, must in hostile(hint, flag):
                yield place.command(
                    "options",
                    [*without(argv, flag), f"{flag}={value}" if flag != "-n" else flag, *([value] if flag == "-n" else [])],
                    must,
                )


def without(argv: list[str], flag: str) -> list[str]:
    """The command line without a flag and its value."""
    if flag not in argv:
        return argv
    place = argv.index(flag)
    return [*argv[:place], *argv[place + 2 :]]


def hostile(hint: Any, flag: str) -> Iterator[tuple[str, bool]]:
    """Values for an option of this type, and whether each must be refused."""
    base, words = plain(hint)
    if base is int:
        yield from ((value, value != "0" or flag not in NOTHING_TOO) for value in WHOLE)
    elif base is float:
        yield from ((value, value != "0" or flag not in NOTHING_TOO) for value in REAL)
    elif words:
        yield from ((value, True) for value in CHOICES)
    elif base is bool:
        yield from ((value, True) for value in ("maybe", ""))
    elif flag in ("--seeds", "--rows"):
        yield from (
            (value, True)
            for value in (
                "",
                "1-",
                "4-1",
                "-1",
                "a",
                "2,2",
                "1-3,2",
                f"1-{HUGE}",
                "1-9999999999",
                HUGE,
                "1,,2",
                "nan",
                "9" * 5000,
            )
        )
    elif base is Path or flag in ("--features", "--inception", "--segmenter", "--real", "--fake", "--data", "--resume"):
        if flag in ("--real", "--fake"):
            yield from ((value, value != "/proc/self/mem") for value in PATHS)
        else:
            yield from ((value, flag not in ("--out", "--json")) for value in PATHS)
    elif flag in ("--where",):
        yield from (
            (value, True)
            for value in (
                "",
                "=",
                "class",
                "class=",
                "class=nonsense",
                "=1",
                "nan=nan",
                "n=3",
                "seed=1",
                "a" * 5000,
                "class>1",
                "\n=\n",
                "class=\udcff",
            )
        )
    elif flag in ("--metrics", "--judge-metrics", "--keep-best"):
        yield from ((value, value not in ("", " ", ",")) for value in (*WORDS, "frechet,frechet", "frechet,nonsense"))
    else:
        yield from ((value, False) for value in WORDS)


def plain(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type without what may be None or is said about it, and the words it takes."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = hint.__origin__
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return plain(next(part for part in typing.get_args(hint) if part is not types.NoneType))
    if typing.get_origin(hint) is typing.Literal:
        return str, typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return plain(typing.get_args(hint)[0])
    return hint, ()


def data_options(place: Place) -> Iterator[Attack]:
    """Hostile values of the options of every kind of data."""
    data = {"points": "points.npy", "images": "images", "tables": "rows.csv", "series": "series.npz", "text": "lines.txt"}
    data |= {"molecules": "molecules", "music": "tunes", "audio": "sounds", "video": "films"}
    special = {
        "resolution": (
            ["0", "-1", "nan", "10x", "x10", "0x0", "1e3", HUGE, "9" * 5000, "64x64x64", "", "100000", "16384", "٣"],
            True,
        ),
        "values": (["nan,1", "1,nan", "-inf,inf", "2,1", "1,1", "1", "1,2,3", "a,b", "", ",", "1e400,2"], True),
        "degrade": (
            [
                "x0",
                "x-1",
                "xnan",
                "x3.5",
                f"x{HUGE}",
                "noise",
                "noise-1",
                "noisenan",
                "noiseinf",
                "blur1e9",
                "jpeg0",
                "jpeg101",
                "nonsense",
                "",
                ",",
                "x2,x2,x2,x2,x2,x2",
            ],
            None,
        ),
        "schema": (
            [
                "{",
                '{"age": 5}',
                '{"age": null}',
                "[]",
                '{"nonsense": "categorical"}',
                '{"age": "nonsense"}',
                "/dev/zero",
                "/no",
                "{" * 1000,
                '{"age": {"a": 1}}',
            ],
            True,
        ),
        "columns": (["a,a", "nonsense", '"', ",", "\n"], None),
        "static": (["a,a", "nonsense", '"', ","], None),
        "encoding": (["nonsense", "", "\n", "idna", "base64", "zip", "rot13", "undefined", "utf-7", "a" * 5000], None),
        "masks": (PATHS, True),
    }
    for kind, name in data.items():
        for flag, (hint, one) in _fields(kinds.options_of(kind)).items():
            values, must = special.get(one.name, (None, None))
            pairs = (
                [(value, must if must is not None else False) for value in values]
                if values is not None
                else list(hostile(hint, flag))
            )
            for command in ("inspect",) if kind != "images" else ("inspect", "dry"):
                for value, refuse in pairs:
                    argv = (
                        ["inspect", str(place / name)]
                        if command == "inspect"
                        else ["train", str(place / name), "--gan", "gan", "--dry-run", "--batch", "4"]
                    )
                    if flag == "--no-labels" or plain(hint)[0] is bool:
                        continue
                    yield place.command("data options", [*argv, "--kind", kind, f"{flag}={value}"], refuse)


def gan_options(place: Place) -> Iterator[Attack]:
    """Hostile values of the options of every GAN."""
    data = {
        ("images", "generation"): ["images", "--resolution", "16"],
        ("images", "pairs"): ["pairs", "--resolution", "16"],
        ("images", "domains"): ["images", "--resolution", "16", "--kind", "domains"],
        ("tables", "generation"): ["rows.csv", "--kind", "tables"],
        ("series", "generation"): ["series.npz", "--kind", "series"],
        ("text", "generation"): ["lines.txt"],
        ("points", "generation"): ["points.npy"],
        ("molecules", "generation"): ["molecules", "--kind", "molecules"],
        ("music", "generation"): ["tunes", "--kind", "music"],
        ("audio", "generation"): ["sounds", "--kind", "audio", "--rate", "2000"],
        ("audio", "pairs"): ["sounds", "--kind", "audio", "--rate", "2000", "--degrade", "noise5"],
        ("video", "generation"): ["films", "--kind", "video", "--frames", "4"],
    }
    number = 0
    for name in gans.names():
        made = gans.find(name)
        if name not in SMALL or not made.kinds or (made.kinds[0], made.tasks[0]) not in data:
            continue
        where, *more = data[made.kinds[0], made.tasks[0]]
        if name in ("srgan", "esrgan", "real_esrgan"):
            where, more = "images", ["--degrade", "x4", "--resolution", "16"]
        small = {key: value for key, value in SMALL[name].items() if key != "features"}
        base = ["train", str(place / where), *more, "--gan", name, "--dry-run", "--batch", "4", "--threads", "1"]
        for hint, one in _fields(made.Config).values():
            base_type, words = plain(hint)
            if base_type not in (int, float) or words:
                continue
            negative = isinstance(one.default, float) and one.default < 0
            if base_type is int:
                values = [("nan", True), ("-1", True), (HUGE, True), ("1.5", True), ("", True), ("inf", True)]
                others = [("1000000000", False), ("0", False), ("70000", False), ("7", False)]
            else:
                values = [("nan", True), ("inf", True), ("-1", not negative), ("-inf", True), ("1e400", True), ("", True)]
                others = [("0", False), ("1e30", False), ("1e300", False), ("1e-300", False)]
            for value, must in (values[number % len(values)], others[number % len(others)]):
                given = {**small, one.name: value}
                argv = []
                for key, own in given.items():
                    words_ = own if isinstance(own, tuple | list) else [own]
                    spelled = f"--gan.{key.replace('_', '-')}"
                    if isinstance(own, bool):
                        argv += [spelled if own else f"--gan.no-{key.replace('_', '-')}"]
                    elif own is not None:
                        argv += [spelled, *map(str, words_)] if not str(words_[0]).startswith("-") else [f"{spelled}={words_[0]}"]
                yield place.command("GAN options", [*base, *argv], must)
            number += 1
