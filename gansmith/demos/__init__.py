"""Small trained models that come with the package, each in a folder: model/, and demo.json with what was measured (bench/demos.py)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NotRequired, TypedDict

from gansmith.data.atomic import make_folder
from gansmith.data.json_files import read_object
from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError

HERE = Path(__file__).parent


class Measured(TypedDict):
    """A score of the demo's training."""

    name: str
    value: float
    baseline: NotRequired[float | None]
    rival: NotRequired[float | None]
    rival_name: NotRequired[str]
    ceiling: NotRequired[float | None]
    better: str


class Demo(TypedDict):
    """What demo.json holds."""

    about: str
    """What it makes, in a line."""
    data: str
    """What it was trained on, and under which licence."""
    command: str
    """The command that trained it."""
    seconds: int
    """How long that took, on one core."""
    scores: list[Measured]


def names() -> list[str]:
    """The demos there are."""
    return sorted(path.parent.name for path in HERE.glob("*/demo.json"))


def demo(name: str) -> Demo:
    """What is known of a demo. Raises UserError if there is none of this name."""
    known = names()
    if name not in known:
        raise UserError(f"There is no demo {name!r:.80}{did_you_mean(name, known)}: choose one of {', '.join(known)}.")
    return read_object(HERE / name / "demo.json")  # pyright: ignore[reportReturnType]


def place_model(name: str, folder: Path) -> Path:
    """Copies the model of a demo into folder/model, where every command finds it, and returns that."""
    demo(name)
    make_folder(folder / "model")
    for path in (HERE / name / "model").iterdir():
        shutil.copyfile(path, folder / "model" / path.name)
    return folder / "model"
