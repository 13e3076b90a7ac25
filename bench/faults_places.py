"""Disks that fill, folders that close or vanish, partners that are killed, little memory: at every kind of write, and what comes after.

A full disk is a limit on the size of files that the child gets right before its n-th write (RLIMIT_FSIZE, so every write of a byte
fails with an error of the system, whoever makes it), taken away when it is started again.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from faults_children import Ended, child, drafts, torn
from faults_kills import BUDGET, TRAIN, often, same_training, work

WRITES = (
    "log.jsonl",
    "messages.jsonl",
    "samples",
    "checkpoints",
    "model",
    "report.html",
    "evaluations.jsonl",
    "judgement.json",
    "run.json",
)
"""Kinds of write of a training and its judging, by what stands in the path."""
TRAINED = [*TRAIN, *BUDGET, "--judge-samples", "60", "--judge-metrics", "frechet"]


def refuse(kind: str) -> Callable[[], Any]:
    """In the child: from its first write to such a path on there is no room."""

    def before() -> None:
        often()
        fill_at(lambda path: kind in path)

    return before


def fill_at(fits: Callable[[str], bool]) -> None:
    """From the first opening to write of such a path on, no file takes a byte."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR) and fits(str(arguments[0])):
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    sys.addaudithook(hook)


def at_write(kind: str, act: Callable[[], Any]) -> Callable[[], Any]:
    """In the child: `act` is called once, right before the second write to such a path."""

    def before() -> None:
        often()
        seen = 0

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal seen
            if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR) and kind in str(arguments[0]):
                seen += 1
                if seen == 2:
                    act()

        sys.addaudithook(hook)

    return before


def no_room_for_results() -> None:
    fill_at(lambda path: "made" in path or "exported" in path)


def vanished() -> None:
    shutil.move("run", "elsewhere")


def little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))


def wrong_in(name: str, ended: Ended, folder: Path, statuses: tuple[int, ...] = (2,)) -> list[str]:
    """What is wrong with a command that met a fault."""
    wrong = []
    if ended.hung or "Traceback" in ended.said or ended.status not in statuses:
        wrong.append(f"ended with {ended.status}: {ended.said[-1500:]}")
    elif ended.status == 2 and len(ended.sentences) != 1:
        wrong.append(f"not one sentence: {ended.said[-500:]}")
    if ended.left:
        wrong.append(f"children live on: {ended.left}")
    return [f"{name}: {fault}" for fault in wrong + torn(folder)]


def resumed(name: str, folder: Path, expected: Path) -> list[str]:
    """What is wrong with the training that goes on."""
    again = child(TRAINED, folder, before=often)
    wrong = [f"the next start ended with {again.status}: {again.said[-1500:]}"] if again.status else []
    if not wrong and not same_training(folder, expected):
        wrong.append("the next start made something else")
    if left := drafts(folder):
        wrong.append(f"left behind: {[path.name for path in left]}")
    return [f"{name}: {fault}" for fault in wrong]


def run(home: Path) -> dict[str, Any]:
    plain, faults, tried = work(home, "plain"), [], []
    expected = home / "whole"
    shutil.copytree(plain, expected)
    if (ended := child(TRAINED, expected, before=often)).status:
        raise SystemExit(ended.said)

    def fresh() -> Path:
        folder = home / "faulty"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(plain, folder)
        return folder

    def note(name: str, found: list[str]) -> None:
        tried.append(name)
        faults.extend(found)
        print(f"{name}: {found or 'as it should be'}", flush=True)

    for kind in WRITES:
        folder, name = fresh(), f"no room for {kind}"
        note(name, [*wrong_in(name, child(TRAINED, folder, before=refuse(kind)), folder), *resumed(name, folder, expected)])
    for kind in ("samples", "checkpoints", "log.jsonl", "model"):
        folder, name = fresh(), f"the run folder vanishes at {kind}"
        found = wrong_in(name, child(TRAINED, folder, before=at_write(kind, vanished)), folder)
        if (folder / "elsewhere").is_dir():  # what it made anew in the place of the old one is no run
            shutil.rmtree(folder / "run", ignore_errors=True)
            (folder / "elsewhere").rename(folder / "run")
        note(name, [*found, *resumed(name, folder, expected)])
    for part in commands(home, fresh):
        note(*part)
    for part in (together(fresh, expected), memory(fresh, expected), encoder(home, fresh), partner(fresh)):
        note(*part)
    return {"tried": tried, "faults": faults}


def commands(home: Path, fresh: Callable[[], Path]) -> list[tuple[str, list[str]]]:
    """Results of other commands on a full disk: nothing half, and the second call makes them."""
    from faults_kills import victims

    found = []
    for victim in victims(home / "victims") if (home / "victims").mkdir() is None else ():
        if victim.name in ("saving", "judging"):
            continue
        folder, name = home / "faulty", f"no room while {victim.name}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(victim.template, folder)
        ended = child(victim.argv, folder, before=no_room_for_results)
        wrong = wrong_in(name, ended, folder)
        again = child(victim.again, folder)
        if again.status:
            wrong.append(f"{name}: the next start ended with {again.status}: {again.said[-500:]}")
        if left := drafts(folder):
            wrong.append(f"{name}: left behind {[path.name for path in left]}")
        found.append((name, wrong))
    return found


def together(fresh: Callable[[], Path], expected: Path) -> tuple[str, list[str]]:
    """A second training in the folder of one that runs is refused, and does it no harm."""
    folder, name = fresh(), "two trainings in one folder"
    found: list[str] = []

    def second() -> None:
        command = [sys.executable, "-m", "gansmith", *TRAINED]
        other = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        (folder / "second").write_text(f"{other.returncode}\n{other.stderr}")

    first = child(TRAINED, folder, before=at_write("checkpoints", second))
    status, _, said = (folder / "second").read_text().partition("\n")
    if status != "2" or sum(line.startswith("gansmith: ") for line in said.splitlines()) != 1:
        found.append(f"{name}: the second one ended with {status}: {said[-500:]}")
    (folder / "second").unlink()
    found += wrong_in(name, first, folder, statuses=(0,))
    if first.status == 0 and not same_training(folder, expected):
        found.append(f"{name}: the first one made something else")
    return name, found


def memory(fresh: Callable[[], Path], expected: Path) -> tuple[str, list[str]]:
    """With 3 GB of address space: a sentence or the usual result; what was there goes on without the limit."""
    folder, name = fresh(), "3 GB of address space"
    found = wrong_in(name, child(TRAINED, folder, before=lambda: (often(), little_memory())), folder, statuses=(0, 2))
    found += resumed(name, folder, expected)
    large = child(
        [*TRAIN[:4], "--gan.width", "4000", "--batch", "200000", "--samples", "400000", "--out", "large"],
        folder,
        before=little_memory,
    )
    return name, [*found, *wrong_in(f"{name}, a large batch", large, folder)]


def encoder(home: Path, fresh: Callable[[], Path]) -> tuple[str, list[str]]:
    """ffmpeg is killed while it writes a film: one sentence, no half film, and the next call makes it."""
    name = "ffmpeg is killed"
    folder = home / "faulty"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(home / "victims" / "pairs", folder)
    argv = ["translate", "run", "given/film.mp4", "--out", "made"]

    def before() -> None:
        whole = subprocess.Popen

        class Killed(whole):  # pyright: ignore[reportGeneralTypeIssues]
            def __init__(self, command: Any, **how: Any) -> None:
                super().__init__(command, **how)
                if "matroska" in command:
                    time.sleep(0.2)
                    with suppress(ProcessLookupError):
                        os.kill(self.pid, signal.SIGKILL)

        subprocess.Popen = Killed

    found = wrong_in(name, child(argv, folder, before=before), folder)
    if (folder / "made").is_dir() and any((folder / "made").iterdir()):
        found.append(f"{name}: it left {sorted(path.name for path in (folder / 'made').iterdir())}")
    if (again := child(argv, folder)).status:
        found.append(f"{name}: the next start ended with {again.status}: {again.said[-500:]}")
    return name, found


def partner(fresh: Callable[[], Path]) -> tuple[str, list[str]]:
    """One of two processes of a training is killed: status 1, one sentence that says which, and the run goes on."""
    folder, name = fresh(), "one of two processes is killed"
    command = [
        sys.executable,
        "-m",
        "gansmith",
        *TRAIN,
        "--samples",
        "400000",
        "--batch",
        "32",
        "--devices",
        "2",
        "--no-evaluate",
    ]
    first = subprocess.Popen(
        [*command, "--resume", "auto"],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    began = time.monotonic()
    while not list((folder / "run" / "checkpoints").glob("*.safetensors")) and time.monotonic() < began + 300:
        time.sleep(0.5)
    time.sleep(2)
    from faults_children import alive

    workers = _workers(first.pid)
    if len(workers) < 2:
        os.killpg(first.pid, signal.SIGKILL)
        return name, [f"{name}: there are {len(workers)} processes to kill, and {first.communicate()[1][-1500:]}"]
    os.kill(workers[-1], signal.SIGKILL)
    try:
        said = first.communicate(timeout=300)[1]
    except subprocess.TimeoutExpired:
        os.killpg(first.pid, signal.SIGKILL)
        return name, [f"{name}: it went on for 300 seconds"]
    found = []
    if first.returncode != 1 or "Traceback" in said or not any(line.startswith("gansmith: ") for line in said.splitlines()):
        found.append(f"{name}: ended with {first.returncode}, workers {workers}: {said[-1500:]}")
    if left := alive(first.pid):
        found.append(f"{name}: children live on: {left}")
    checkpoints = sorted((folder / "run" / "checkpoints").glob("*.safetensors"))
    again = child(["train", "--resume", "run", "--samples", str(int(checkpoints[-1].stem) + 320), "--no-evaluate"], folder)
    if again.status:
        found.append(f"{name}: the next start ended with {again.status}: {again.said[-500:]}")
    return name, found


def _workers(above: int) -> list[int]:
    """The workers of torchrun below a process: those that have a rank. They are no members of its session."""
    parents: dict[int, int] = {}
    for facts in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(facts.parent.name)] = int(facts.read_text().rpartition(") ")[2].split()[1])
    found = []
    for process in sorted(parents):
        own = process
        while own in parents and own != above:
            own = parents[own]
        with suppress(OSError):
            if own == above and process != above and b"\0RANK=" in b"\0" + Path(f"/proc/{process}/environ").read_bytes():
                found.append(process)
    return found
