"""Kills at random moments and right before random writes, and what the next start makes of it."""

import hashlib
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from faults_children import Ended, child, drafts, torn
from PIL import Image

from gansmith.data.film_writer import VideoWriter
from gansmith.data.tensors import read_tensors
from gansmith.runs.folder import RunFolder
from gansmith.training.checkpoint import checkpoints
from gansmith.training.trainer import Trainer

TRAIN = ["train", "points.npy", "--gan", "gan", "--gan.width", "16", "--gan.noise", "4", "--threads", "1", "--out", "run"]
BUDGET = ["--samples", "640", "--batch", "32", "--resume", "auto"]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)


def often() -> None:
    """Saves after every second round."""
    calls = 0

    def due(self: Trainer) -> bool:
        nonlocal calls
        calls += 1
        return calls % 2 == 0

    Trainer.checkpoint_due = due


@dataclass(frozen=True)
class Victim:
    """A command that is killed, and what must be true when it has been started again."""

    name: str
    template: Path
    """The folder in which it begins."""
    argv: list[str]
    again: list[str]
    equal: Callable[[Path, Path], bool]
    """Whether a folder in which it was killed and started again equals one in which it was not killed."""
    before: Callable[[], Any] = lambda: None
    first: float = 0.0
    """The share of its time and writes in which it is not killed."""
    counts: Counter = field(default_factory=Counter)


def work(home: Path, name: str, *commands: Sequence[str]) -> Path:
    """A new folder with data, in which these commands have been run."""
    folder = home / name
    folder.mkdir()
    rng = np.random.default_rng(0)
    np.save(folder / "points.npy", rng.standard_normal((400, 2)).astype(np.float32))
    (folder / "mine.txt").write_text("the user's own")
    for side in ("a", "b"):
        (folder / "pairs" / side).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "pairs" / side / f"{number}.png")
    (folder / "given").mkdir()
    for number in range(6):
        Image.fromarray(rng.integers(0, 256, (48, 48, 3), np.uint8)).save(folder / "given" / f"{number}.png")
    with VideoWriter(folder / "given" / "film.mp4", rate=10) as film:
        for _ in range(12):
            film.write(Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)))
    for command in commands:
        ended = child(list(command), folder)
        if ended.status:
            raise SystemExit(f"{command}: {ended.said}")
    return folder


def content(folder: Path) -> dict[str, str]:
    """The hash of every file by its path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def same_training(one: Path, other: Path) -> bool:
    """Whether two runs have the same last state, model and log."""
    states = [read_tensors(checkpoints(folder / "run" / "checkpoints")[-1])[0] for folder in (one, other)]
    keys = ("samples", "terms", "gradient_norms", "learning_rates", "health")
    logs = [
        [{key: line[key] for key in keys} for line in RunFolder(folder / "run").records("log.jsonl")] for folder in (one, other)
    ]
    weights = [read_tensors(folder / "run" / "model" / "model.safetensors")[0] for folder in (one, other)]
    return logs[0] == logs[1] and all(
        ours.keys() == theirs.keys() and all(ours[key].equal(theirs[key]) for key in ours) for ours, theirs in (states, weights)
    )


def same_judgement(one: Path, other: Path) -> bool:
    scores = [
        [(line["name"], line["value"], line["low"]) for line in RunFolder(folder / "run").records("evaluations.jsonl")]
        for folder in (one, other)
    ]
    whole = len(scores[1])
    judged = [(folder / "run" / "judgement.json").is_file() for folder in (one, other)]
    return same_training(one, other) and scores[0][-whole:] == scores[1] and all(judged)


def same_files(*names: str) -> Callable[[Path, Path], bool]:
    def same(one: Path, other: Path) -> bool:
        ours, theirs = ({name: own for name, own in content(folder).items() if name.startswith(names)} for folder in (one, other))
        return ours == theirs and bool(ours)

    return same


def newest_pictures(one: Path, other: Path) -> bool:
    """Whether the last 40 pictures of a folder are those of another, whatever their numbers."""
    ours, theirs = ([path.read_bytes() for path in sorted((folder / "made").glob("*.png"))][-40:] for folder in (one, other))
    return ours == theirs and len(ours) == 40


def victims(home: Path) -> list[Victim]:
    plain = work(home, "plain")
    trained = work(home, "trained", [*TRAIN, *BUDGET, "--no-evaluate"])
    pairs = work(
        home,
        "pairs",
        [
            "train",
            "pairs",
            "--gan",
            "pix2pix",
            "--gan.width",
            "4",
            "--samples",
            "16",
            "--batch",
            "4",
            "--out",
            "run",
            "--no-evaluate",
        ],
    )
    digits = work(
        home, "digits", ["train", "digits", "--gan", "gan", "--samples", "64", "--batch", "32", "--out", "run", "--no-evaluate"]
    )
    train, made = [*TRAIN, *BUDGET], ["generate", "run", "--seed", "3"]
    translate = ["translate", "run", "given"]
    return [
        Victim("saving", plain, [*train, "--no-evaluate"], [*train, "--no-evaluate"], same_training, often),
        Victim("judging", trained, train, train, same_judgement),
        Victim(
            "generating a folder",
            digits,
            [*made, "-n", "40", "--out", "made"],
            [*made, "-n", "40", "--out", "made"],
            newest_pictures,
        ),
        Victim(
            "generating a file",
            trained,
            [*made, "-n", "20000", "--out", "made.csv"],
            [*made, "-n", "20000", "--out", "made.csv", "--overwrite"],
            same_files("made.csv"),
        ),
        Victim(
            "translating",
            pairs,
            [*translate, "--out", "made"],
            [*translate, "--out", "made", "--overwrite"],
            same_files(*(f"made/{number}" for number in range(6))),
        ),
        Victim(
            "exporting",
            digits,
            ["export", "run", "--to", "safetensors", "--out", "exported"],
            ["export", "run", "--to", "safetensors", "--out", "exported", "--overwrite"],
            same_files("exported"),
        ),
    ]


def kill(home: Path, victim: Victim, expected: Path, usual: Ended, number: int, rng: random.Random) -> list[str]:
    """Kills the command once, starts it again, and returns what is wrong."""
    folder = home / "killed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(victim.template, folder)
    own = content(folder)
    at = {"at_write": rng.randint(1, max(1, usual.writes))} if rng.random() < 0.6 else {"after": rng.uniform(0, usual.seconds)}
    ended = child(victim.argv, folder, number=number, before=victim.before, **at)
    wrong = []
    if ended.status == 0:
        victim.counts["ended before"] += 1
    if ended.broke or ended.status == 2:
        wrong.append(f"ended with {ended.status}: {ended.said[-2000:]}")
    if ended.status == 130 and len(ended.sentences) + ended.said.count("Stopped and saved") != 1:
        wrong.append(f"not one sentence: {ended.said[-500:]}")
    if ended.left:
        wrong.append(f"children live on: {ended.left}")
    wrong += torn(folder)
    there = content(folder)
    lost = [name for name, was in own.items() if not name.startswith("run/") and there.get(name) != was]
    wrong += [f"lost {lost}"] if lost else []
    again = child(victim.again, folder)
    if again.status:
        wrong.append(f"the next start ended with {again.status}: {again.said[-2000:]}")
    elif not victim.equal(folder, expected):
        wrong.append("the next start made something else")
    if left := drafts(folder):
        wrong.append(f"left behind: {[path.name for path in left]}")
    return [f"{victim.name}, {signal.Signals(number).name} {at}: {fault}" for fault in wrong]


def run(home: Path, kills: int, seed: int) -> dict[str, Any]:
    rng, faults, killed = random.Random(seed), [], Counter()
    every = victims(home)
    usual, expected = {}, {}
    for victim in every:
        expected[victim.name] = home / f"whole {victim.name}"
        shutil.copytree(victim.template, expected[victim.name])
        usual[victim.name] = child(victim.argv, expected[victim.name], before=victim.before)
        if usual[victim.name].status:
            raise SystemExit(f"{victim.name}: {usual[victim.name].said}")
        print(f"{victim.name}: {usual[victim.name].seconds:.1f} s, {usual[victim.name].writes} writes", flush=True)
    shares = {"saving": 0.4, "judging": 0.2}
    order = [victim for victim in every for _ in range(round(kills * shares.get(victim.name, 0.4 / (len(every) - 2))))]
    for turn, victim in enumerate(order):
        number = SIGNALS[turn % len(SIGNALS)]
        found = kill(home, victim, expected[victim.name], usual[victim.name], number, rng)
        killed[f"{victim.name}, {signal.Signals(number).name}"] += 1
        for fault in found:
            print(fault, flush=True)
        faults += found
        print(f"{turn + 1} kills, {len(faults)} faults", flush=True)
    before = {victim.name: victim.counts["ended before"] for victim in every}
    return {"kills": len(order), "by": dict(killed), "ended_before": before, "faults": faults}
