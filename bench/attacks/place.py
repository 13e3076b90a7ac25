"""One bad input, and the folder of small data and runs that it may not change."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
import PIL.Image
import torch

import gansmith
from gansmith import gans, kinds
from gansmith.cli import main
from gansmith.data.readers import parquet_files  # noqa: F401
from gansmith.model import Model
from tests.data.mutations import encoded
from tests.toys import SMALL, every, small

for name in (
    "api",
    "model",
    "evaluation.judge",
    "edit.projection",
    "edit.directions",
    "edit.grids",
    "edit.film",
    "edit.rejection",
    "export.safetensors",
):
    importlib.import_module(f"gansmith.{name}")
for name in (*kinds.names(),):
    kinds.find(name)
for name in gans.names():
    gans.find(name)
warnings.simplefilter("default")

HUGE = "99999999999999999999999"
WHOLE = ["nan", "-1", "1.5", "two", "", HUGE, "9" * 5000, "0"]
REAL = ["nan", "inf", "-1", "soon", "", "1e400", "0"]
WORDS = ["", " ", "a" * 5000, "two\nlines", "-", "{", "caf\udcc3\udca9\udcff", "%s%n", "a,a", "[bold]x[/]"]
PATHS = [*WORDS[:7], "/dev", ".", "/dev/zero", "/proc/self/mem", "/no/such/folder"]
CHOICES = ["", "nonsense", "ａuto", "0"]
FAST = [
    "--gan",
    "gan",
    "--gan.width",
    "8",
    "--gan.noise",
    "4",
    "--samples",
    "64",
    "--batch",
    "16",
    "--threads",
    "1",
    "--no-evaluate",
]
NOTHING_TOO = {"--overlap", "--steps", "--seed", "--truncation", "--rejection", "--replay", "--gan.half-life"}
"""Options for which 0 has a meaning."""


@dataclass(frozen=True)
class Attack:
    """One bad input."""

    group: str
    name: str
    act: Callable[[], int]
    folder: Path
    must: bool
    """Whether it must be refused."""
    prepare: Callable[[], None] = lambda: None

    def tidy(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Place:
    """A folder with small data and runs, which no attack may change."""

    root: Path
    count: int = 0
    given: list[Path] = field(default_factory=list)

    def __truediv__(self, name: str) -> Path:
        return self.root / "given" / name

    @property
    def points(self) -> str:
        return str(self / "points.npy")

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def build(self) -> int:
        """Writes the data and trains the runs, if they are not there from an earlier time."""
        if (self.root / "built").exists():
            return 0
        rng = np.random.default_rng(0)
        for folder in ("images/cat", "images/dog", "pairs/a", "pairs/b", "masks"):
            (self / folder).mkdir(parents=True)
        np.save(self / "points.npy", rng.standard_normal((400, 2)))
        np.save(self / "others.npy", rng.standard_normal((400, 2)) + 1)
        for number in range(24):
            pixels = rng.integers(0, 256, (16, 16, 3), np.uint8)
            PIL.Image.fromarray(pixels).save(self / f"images/{('cat', 'dog')[number % 2]}/{number:02}.png")
            PIL.Image.fromarray(pixels).save(self / f"pairs/a/{number:02}.png")
            PIL.Image.fromarray(255 - pixels).save(self / f"pairs/b/{number:02}.png")
            PIL.Image.fromarray(np.where(pixels[..., 0] > 150, 255, 0).astype(np.uint8)).save(self / f"masks/{number:02}.png")
        rows = [f"{20 + n % 50},{('no', 'yes')[n % 2]},{rng.normal():.3f}" for n in range(200)]
        (self / "rows.csv").write_text("age,income,weight\n" + "\n".join(rows) + "\n")
        np.savez(self / "series.npz", series=rng.standard_normal((60, 12, 2)))
        (self / "lines.txt").write_text(
            "".join(f"the {('cat', 'dog')[n % 2]} sees {('a', 'the')[n % 3 % 2]} bird {n % 10}\n" for n in range(200))
        )
        for toy, name in (
            ("molecules", "molecules"),
            ("tunes", "tunes"),
            ("named sounds", "sounds"),
            ("labelled clips", "films"),
        ):
            data = every()[toy]
            data.codec.save(data.codec.decode(data.batch(range(24))), self / name)
        (self / "schema.json").write_text('{"age": "integer"}')
        (self / "picture.png").write_bytes(encoded("PNG", rng.integers(0, 256, (16, 16, 3), np.uint8)))
        for name, data, gan, more in (
            ("points", "points.npy", "gan", {}),
            ("points2", "points.npy", "gan", {"seed": 1}),
            ("images", "images", "stylegan2", {"resolution": 16}),
            ("pairs", "pairs", "pix2pix", {"resolution": 16}),
            ("rows", "rows.csv", "rowgan", {"kind": "tables"}),
            ("series", "series.npz", "seriesgan", {"kind": "series"}),
            ("lines", "lines.txt", "gumbelgan", {}),
            ("molecules", "molecules", "sequencegan", {"kind": "molecules"}),
            ("tunes", "tunes", "musegan", {"kind": "music"}),
            ("sounds", "sounds", "specgan", {"kind": "audio", "rate": 2000}),
            ("noisy", "sounds", "cmgan", {"kind": "audio", "rate": 2000, "degrade": "noise5"}),
            ("films", "films", "motiongan", {"kind": "video", "frames": 4}),
            ("steady", "films", "mocogan", {"kind": "video", "frames": 4}),
        ):
            gansmith.train(
                self / data, gan=gan, options=SMALL[gan], samples=48, batch=8, threads=1, out=self.runs / name,
                evaluate=name.startswith("points"), **more,
            )  # fmt: skip
        said = every()["said sounds"]
        Model(small("speech", said).eval(), said.codec, {"gan": "speech", "samples": 0}).save(self.runs / "speech" / "model")
        (self.runs / "speech" / "run.json").write_bytes((self.runs / "sounds" / "run.json").read_bytes())
        (self.root / "built").touch()
        return 0

    def fingerprint(self) -> dict[str, tuple[int, int]]:
        """Size and time of every file that was given."""
        return {str(path): (facts.st_size, facts.st_mtime_ns) for path, facts in self._files()}

    def changed(self, before: dict[str, tuple[int, int]]) -> str:
        """The first file that is no longer as it was."""
        after = self.fingerprint()
        return next((path for path, facts in before.items() if after.get(path) != facts), "")

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for folder in (self / "", *(self.runs / name / "model" for name in ("points", "images", "pairs", "rows"))):
            for path in folder.rglob("*"):
                if path.is_file():
                    yield path, path.stat()

    def command(
        self, group: str, argv: list[str], must: bool, prepare: Callable[[Path], None] | None = None, what: str = ""
    ) -> Attack:
        """A command line in an empty folder, which `prepare` may fill; `what` says with what."""
        self.count += 1
        folder = self.root / "work" / f"{self.count:05}"
        return Attack(
            group,
            f"{what}: {_line(argv)}" if what else _line(argv),
            lambda: main(argv),
            folder,
            must,
            (lambda: _prepared(folder, prepare)),
        )

    def call(self, group: str, code: str, must: bool) -> Attack:
        """A call from Python."""
        self.count += 1
        folder = self.root / "work" / f"{self.count:05}"
        names = {
            "gansmith": gansmith,
            "np": np,
            "pd": pd,
            "torch": torch,
            "Path": Path,
            "PIL": PIL,
            "place": self,
            "math": __import__("math"),
        }

        def act() -> int:
            try:
                exec(compile(code, "call", "exec"), names)
            except gansmith.UserError as error:
                print(f"UserError: {error}")
                return 2
            return 0

        return Attack(group, code, act, folder, must)


def _prepared(folder: Path, prepare: Callable[[Path], None] | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if prepare is not None:
        prepare(folder)


def _line(argv: list[str]) -> str:
    return " ".join(word if len(word) < 60 else f"{word[:40]}...({len(word)})" for word in map(repr, argv))
