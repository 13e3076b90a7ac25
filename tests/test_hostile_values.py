"""Whatever value an option of a command is given, the command ends with status 0 or 2, and refuses what no such option can be.

The values are the same in every run, or drawn anew with HYPOTHESIS_PROFILE=anew. What must be refused follows from the type alone, not from
the ranges that the options declare.
"""

import dataclasses
import importlib
import math
import os
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import gansmith
from gansmith import gans
from gansmith.cli import COMMANDS, main
from gansmith.kinds.molecules import toys as molecule_toys
from gansmith.model import Model
from tests import toys

HUGE = "9" * 23
FAST = [
    "--gan",
    "gan",
    "--gan.width",
    "8",
    "--gan.noise",
    "4",
    "--samples",
    "32",
    "--batch",
    "16",
    "--threads",
    "1",
    "--no-evaluate",
]
WORDS = st.sampled_from(
    ["", " ", "-", "a" * 5000, "two\nlines", "caf\udcc3\udca9", "{", "[b]x[/]", "a,a", "%s", "日本語"]
) | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
NUMBERS = st.sampled_from(["nan", "inf", "-inf", "-1", "0", "", "1.5", "soon", HUGE, "9" * 5000, "1e400", "0x10", "٣"])
NO_ANSWER = ("run", "runs", "input", "picture", "first", "second", "what", "text", "help")
"""Options that stand for what a command is about."""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a run on points, and models of images."""
    folder = tmp_path_factory.mktemp("workshop")
    rng = np.random.default_rng(0)
    np.save(folder / "points.npy", rng.standard_normal((200, 2)))
    np.save(folder / "others.npy", rng.standard_normal((200, 2)))
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(folder / "picture.png")
    options = {"width": 8, "noise": 4}
    gansmith.train(
        folder / "points.npy", gan="gan", options=options, samples=32, batch=16, threads=1, evaluate=False, out=folder / "run"
    )
    molecules = molecule_toys.molecules()
    for name, data in (
        ("sequencegan", molecules),
        ("latentgan", toys.every()["labelled texts"]),
        ("stylegan2", toys.images(channels=3)),
        ("pix2pix", toys.pairs()),
        ("speech", toys.every()["said sounds"]),
    ):
        Model(toys.small(name, data).eval(), data.codec, {"gan": name, "samples": 0}).save(folder / name / "model")
    return folder


def command_lines() -> dict[str, list[str]]:
    """A command line of each command, to which an option is added."""
    return {
        "train": ["train", "points.npy", *FAST, "--out", "new"],
        "inspect": ["inspect", "points.npy"],
        "evaluate": ["evaluate", "--real", "points.npy", "--fake", "nothing-here.npy"],
        "generate": ["generate", "run", "-n", "1", "--out", "made"],
        "translate": ["translate", "pix2pix", "picture.png", "--out", "made"],
        "optimise": ["optimise", "sequencegan", "--maximise", "qed", "--calls", "3", "--out", "made"],
        "demo": ["demo", "--out", "demo"],
        "push": ["push", "run", "me/mine", "--out", "card"],
        "speak": ["speak", "speech", "low high noise", "--out", "a.wav"],
        "export": ["export", "run", "--to", "safetensors", "--out", "made"],
        "detect": ["detect", "run", "points.npy"],
        "compare": ["compare", "run", "nothing-here"],
        "list": ["list", "formats"],
        "serve": ["serve", "nothing-here"],
        "studio": ["studio", "points.npy"],
        "edit interpolate": ["edit", "stylegan2", "interpolate", "--seeds", "1-2", "--frames", "2", "--out", "a.gif"],
        "edit restyle": ["edit", "latentgan", "restyle", "the old dog sees a cat.", "--where", "class=question"],
        "edit grid": ["edit", "stylegan2", "grid", "--seeds", "1", "--out", "a.png"],
        "edit mix": ["edit", "stylegan2", "mix", "--seeds", "1", "--rows", "2", "--out", "a.png"],
        "edit directions": ["edit", "stylegan2", "directions", "--count", "1", "--out", "a.png"],
        "edit project": ["edit", "stylegan2", "project", "picture.png", "--steps", "1", "--out", "a.png"],
        "edit fuse": [
            "edit",
            "stylegan2",
            "fuse",
            "picture.png",
            "picture.png",
            "--steps",
            "1",
            "--frames",
            "2",
            "--out",
            "a.png",
        ],
        "edit average": ["edit", "run", "average"],
    }


def test_every_command_and_action_is_attacked():
    actions = {f"edit {action}" for action in importlib.import_module("gansmith.cli.edit").ACTIONS}
    assert set(command_lines()) == {*COMMANDS, *actions} - {"edit"}


@pytest.mark.parametrize("command", command_lines())
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_value_an_option_has_the_command_ends_well(command, data, workshop, tmp_path, monkeypatch, capsys):
    """Each option of the command with a value that its type should not have, or hardly."""
    for flag, hint in flags_of(command):
        value = data.draw(values_for(hint), label=flag)
        attacked(workshop, tmp_path, monkeypatch, capsys, command_lines()[command], flag, value, must_be_refused(hint, value))


@pytest.mark.parametrize("flag", ["--partner", "--targets", "--masks", "--out"])
def test_a_name_longer_than_any_file_system_allows_is_not_repeated_whole(flag, workshop, tmp_path, monkeypatch, capsys):
    attacked(workshop, tmp_path, monkeypatch, capsys, command_lines()["translate"], flag, "a" * 5000, True)


@pytest.mark.parametrize("name", ["gan", "r3gan", "stylegan2", "rowgan", "pix2pix"])
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_value_an_option_of_a_gan_has_the_command_ends_well(name, data, workshop, tmp_path, monkeypatch, capsys):
    """The data do not fit most of the GANs, which is said after what is wrong with the options."""
    made = gans.find(name)
    for one in dataclasses.fields(made.Config):
        hint = typing.get_type_hints(made.Config)[one.name]
        if plain(hint)[0] not in (int, float):
            continue
        value = data.draw(NUMBERS.filter(lambda value, hint=hint: must_be_refused(hint, value)))
        line = ["train", "points.npy", "--gan", name, "--samples", "32", "--dry-run"]
        attacked(workshop, tmp_path, monkeypatch, capsys, line, f"--gan.{one.name.replace('_', '-')}", value, True)


def attacked(
    workshop: Path, tmp_path: Path, monkeypatch: Any, capsys: Any, line: list[str], flag: str, value: str, must: bool
) -> None:
    """Runs the command in a folder of its own, whose files are links."""
    folder = tmp_path / str(len(os.listdir(tmp_path)))
    folder.mkdir()
    for path in workshop.iterdir():
        (folder / path.name).symlink_to(path)
    monkeypatch.chdir(folder)
    short = flag == "--n"
    if (flag := "-n" if short else flag) in line:
        place = line.index(flag)
        line = [*line[:place], *line[place + 2 :]]
    status = main([*line, *([flag, value] if short else [f"{flag}={value}"])])
    said = capsys.readouterr().err
    assert status in (0, 2), f"{flag}={value!r}: status {status}"
    if must:
        assert status == 2, f"{flag}={value!r} was accepted"
    if status == 2:
        assert said.startswith("gansmith: ") and len(said) < 2500, f"{flag}={value!r}: {said[:3000]}"


def flags_of(command: str) -> Iterator[tuple[str, Any]]:
    """The options of a command with their types."""
    name, _, action = command.partition(" ")
    if action:
        shape = importlib.import_module("gansmith.cli.edit").SHAPES[action][0]
    elif name == "translate":
        shape = importlib.import_module("gansmith.kinds.images.translation.command").Translate
    elif name == "optimise":
        shape = importlib.import_module("gansmith.kinds.molecules.optimisation.command").Optimise
    elif name == "speak":
        shape = importlib.import_module("gansmith.kinds.audio.speaking.command").Speak
    else:
        shape = getattr(importlib.import_module(f"gansmith.cli.{name}"), name.capitalize())
    for name, hint in typing.get_type_hints(shape).items():
        if (
            name not in NO_ANSWER
            and not dataclasses.is_dataclass(hint)
            and not (name == "data" and command in ("train", "inspect"))
        ):
            yield f"--{name.replace('_', '-')}", hint


def plain(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without None, and the words it takes."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return plain(next(part for part in typing.get_args(hint) if part is not types.NoneType))
    if typing.get_origin(hint) is typing.Literal:
        return str, typing.get_args(hint)
    return plain(typing.get_args(hint)[0]) if typing.get_origin(hint) is tuple else (hint, ())


def values_for(hint: Any) -> st.SearchStrategy[str]:
    base, words = plain(hint)
    return NUMBERS | WORDS if base in (int, float) or words or base is bool else WORDS


def must_be_refused(hint: Any, value: str) -> bool:
    """Whether no option of this type can have this value, whatever it is for: no number, not finite, negative, beyond 64 bits; none of
    the words; anything for an option without a value."""
    base, words = plain(hint)
    if base is bool or words:
        return value not in words and value not in ("True", "False", "None")
    if base not in (int, float):
        return False
    try:
        number = base(value)
        return not math.isfinite(number) or number < 0 or (base is int and number >= 2**64)
    except (ValueError, OverflowError):  # no number, or one of thousands of digits
        return True


@pytest.mark.parametrize("key", ["n", "seed", "rng", "self", "count", "model"])
@pytest.mark.parametrize("model", ["run", "stylegan2", "latentgan", "speech", "sequencegan"])
def test_a_condition_called_as_something_inside_is_a_sentence(key, model, workshop, tmp_path, capsys):
    commands = [["generate", model, "-n", "1", "--out", str(tmp_path / "made")]]
    if model == "stylegan2":
        commands += [["edit", model, action, "--out", str(tmp_path / "a.png")] for action in ("grid", "directions")]
    for command in commands:
        command[1] = str(workshop / model)
        assert main([*command, "--where", f"{key}=3"]) == 2
        assert capsys.readouterr().err.startswith("gansmith: ")
