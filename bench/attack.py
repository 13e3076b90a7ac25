"""Bad inputs at every command and call: each must end in one sentence, or in what was asked for, soon and in little memory.

    python bench/attack.py                 # all of it; outcomes are kept in attack.jsonl
    python bench/attack.py --only files    # one group
    python bench/attack.py --again         # those that failed
    python bench/attack.py --record        # writes bench/results/attack.md and attack.json

The inputs are made in `attacks` beside this file: hostile values for every option of every command and every GAN, damaged and
strange files, strange names, and calls from Python. Each runs in a process forked from one that has imported gansmith, so what is
measured is what comes on top of the import. An outcome is

    refused     one sentence (status 2; in Python a UserError)
    accepted    status 0, for an input that has a meaning
    traceback   any other exception, or status
    hang        more than 5 CPU seconds (15 where it was accepted, trained or measured), or 20 seconds without any
    memory      more than 1 GB above the import
    silent      status 0, for an input that must be refused
    overwritten a file changed that the attack was only given
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
RESULTS = Path(__file__).parent / "results"
CPU_SECONDS, WORKING_SECONDS, WAITING_SECONDS, BYTES = 5.0, 15.0, 20.0, 2**30
BAD = ("traceback", "hang", "memory", "silent", "overwritten")


@dataclass(frozen=True)
class Outcome:
    """What became of one attack."""

    group: str
    name: str
    outcome: str
    said: str
    cpu: float
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", help="the group of attacks to run")
    parser.add_argument("--name", help="run the attacks whose names hold this, and print all they say")
    parser.add_argument("--folder", help="where data and runs are kept for another time")
    parser.add_argument("--every", type=int, default=1, help="run one attack in so many")
    parser.add_argument("--part", default="1/1", help="run this part of them, to have several at once: 1/2, 2/2")
    parser.add_argument(
        "--kept", type=Path, default=Path("attack.jsonl"), help="where outcomes are kept; those that are there are not run again"
    )
    parser.add_argument("--again", action="store_true", help="run those again that failed")
    parser.add_argument("--record", action="store_true", help="write the results from what is kept, and run nothing")
    parser.add_argument("--note", default="", help="a sentence for the record")
    chosen = parser.parse_args()
    if chosen.record:
        write(read(chosen.kept), chosen.note)
        return
    with contextlib.nullcontext(chosen.folder) if chosen.folder else tempfile.TemporaryDirectory() as folder:
        os.environ |= {"GANSMITH_CACHE": f"{folder}/cache", "HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
        sys.path.insert(0, str(Path(__file__).parent))
        import attacks

        place = attacks.Place(Path(folder))
        ran = forked(lambda: place.build(), seconds=600, size=2**34)
        assert ran.status == 0, ran.said
        everything = [
            attack
            for attack in attacks.all_of(place)
            if chosen.only in (None, attack.group) and (chosen.name or "") in attack.name
        ][:: chosen.every]
        part, parts = map(int, chosen.part.split("/"))
        kept = read(chosen.kept)
        done = {(one.group, one.name) for one in kept if not (chosen.again and one.outcome in BAD)}
        waiting = [attack for attack in everything[part - 1 :: parts] if (attack.group, plainly(attack.name, folder)) not in done]
        if chosen.again:
            failed = {(one.group, one.name) for one in kept if one.outcome in BAD}
            waiting = [attack for attack in waiting if (attack.group, plainly(attack.name, folder)) in failed]
        for number, attack in enumerate(waiting, 1):
            outcome = run(attack, place)
            outcome = replace(outcome, name=plainly(outcome.name, folder))
            if outcome.outcome in BAD or chosen.name:
                print(
                    f"{outcome.outcome}: [{attack.group}] {outcome.name}\n    {outcome.said[-3000 if chosen.name else -400 :]}",
                    flush=True,
                )
            with chosen.kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**asdict(outcome), "said": outcome.said[-1000:]}) + "\n")
            if number % 50 == 0:
                print(f"{number} of {len(waiting)}", flush=True)
    print(dict(Counter(one.outcome for one in read(chosen.kept))))


def plainly(name: str, folder: str) -> str:
    """The name of an attack wherever its data lie."""
    return name.replace(str(folder), "")


def read(kept: Path) -> list[Outcome]:
    """What is kept, of each attack the last outcome."""
    found: dict[tuple[str, str], Outcome] = {}
    for line in kept.read_text(encoding="utf-8").splitlines() if kept.exists() else ():
        one = Outcome(**json.loads(line))
        found[one.group, one.name] = one
    return list(found.values())


def run(attack: attacks.Attack, place: attacks.Place) -> Outcome:
    """Carries out one attack in a process of its own."""
    before = place.fingerprint()
    attack.prepare()
    ran = forked(attack.act, attack.folder)
    status, said = ran.status, ran.said
    if ran.size > BYTES:
        outcome = "memory"
    elif ran.timed_out or ran.cpu > (WORKING_SECONDS if status == 0 else CPU_SECONDS):
        outcome = "hang"
    elif status == 2 and "Traceback" not in said and said.strip():
        outcome = "refused"
    elif status == 0:
        outcome = "silent" if attack.must else "accepted"
    else:
        outcome = "traceback"
        said += f"\n(status {status})"
    if outcome in ("refused", "accepted") and (changed := place.changed(before)):
        outcome, said = "overwritten", f"{changed}\n{said}"
    attack.tidy()
    return Outcome(attack.group, attack.name, outcome, said, round(ran.cpu, 2), round(ran.size / 2**20, 1))


@dataclass
class Ran:
    """A process that has ended."""

    status: int
    said: str
    cpu: float
    size: int
    timed_out: bool


def forked(act: Callable[[], int], folder: Path | None = None, seconds: float = WAITING_SECONDS, size: int = 4 * BYTES) -> Ran:
    """Runs `act` in a child; its status, what it said, and what it took beyond this process."""
    base = own_size()
    heard, speaking = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        os.setpgid(0, 0)
        _act(act, folder, speaking, size, seconds)
    os.close(speaking)
    os.set_blocking(heard, False)
    said, moved, used_before, timed_out = b"", time.monotonic(), -1.0, False
    while True:
        with contextlib.suppress(BlockingIOError):
            while part := os.read(heard, 65536):
                said = (said + part)[-200_000:]
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if (now := cpu_of(child)) != used_before:
            moved, used_before = time.monotonic(), now
        if time.monotonic() > moved + WAITING_SECONDS:
            timed_out = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            _, status, used = os.wait4(child, 0)
            break
        time.sleep(0.02)
    with contextlib.suppress(BlockingIOError):
        while part := os.read(heard, 65536):
            said += part
    os.close(heard)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what it may have started
    code = os.waitstatus_to_exitcode(status)
    return Ran(code, said.decode(errors="replace"), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 - base, timed_out)


def _act(act: Callable[[], int], folder: Path | None, speaking: int, size: int, seconds: float) -> None:
    """The child's whole life."""
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, stream in ((nothing, 0), (speaking, 1), (speaking, 2)):
            os.dup2(number, stream)
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding="utf-8", errors="replace", line_buffering=True)
        sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", closefd=False), encoding="utf-8", errors="replace", line_buffering=True)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            os.chdir(folder)
        vast = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (vast + size, vast + size))
        resource.setrlimit(
            resource.RLIMIT_CPU, (int(max(seconds, WORKING_SECONDS + 5)), int(max(seconds, WORKING_SECONDS + 5)) + 1)
        )
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**31, 2**31))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        status = act()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


def cpu_of(process: int) -> float:
    """The CPU seconds that a process has taken so far, in hundredths."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return -2.0


def own_size() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def write(found: list[Outcome], note: str) -> None:
    """The record: counts by group, and every failure."""
    import platform

    import torch

    groups = list(dict.fromkeys(one.group for one in found))
    names = ("refused", "accepted", *BAD)
    lines = [
        "# Bad inputs",
        "",
        f"`python bench/attack.py`: {len(found):,} inputs, torch {torch.__version__.partition('+')[0]}, Python "
        f"{platform.python_version()}, one thread. Limits: {CPU_SECONDS:g} CPU seconds ({WORKING_SECONDS:g} of an "
        f"input that was accepted and so is trained on or measured), or {WAITING_SECONDS:g} seconds without any, beyond "
        "the import, 1 GB above it.",
        "",
        "Accepted are inputs that have a meaning, such as a folder with a strange name; silent would be status 0 where the input must be "
        "refused. Inputs that failed at first were run again once their fault was cured.",
        "",
        *([note, ""] if note else []),
        f"| inputs | all | {' | '.join(names)} |",
        f"|---|{'---:|' * (len(names) + 1)}",
    ]
    for group in groups:
        own = [one for one in found if one.group == group]
        counts = Counter(one.outcome for one in own)
        lines.append(f"| {group} | {len(own):,} | {' | '.join(str(counts[name]) for name in names)} |")
    counts = Counter(one.outcome for one in found)
    lines.append(f"| **all** | **{len(found):,}** | {' | '.join(f'**{counts[name]:,}**' for name in names)} |")
    slowest = max(found, key=lambda one: one.cpu)
    largest = max(found, key=lambda one: one.megabytes)
    lines += [
        "",
        f"The slowest took {slowest.cpu:g} CPU seconds ({slowest.group}: {slowest.outcome}), the largest {largest.megabytes:,.0f} MB above "
        f"the import ({largest.group}: {largest.outcome}).",
    ]
    if failures := [one for one in found if one.outcome in BAD]:
        lines += ["", "Failures:", "", *(f"- {one.outcome}: `{one.name[:200]}` ({one.group})" for one in failures)]
    (RESULTS / "attack.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    facts = {
        "inputs": len(found),
        "outcomes": {name: counts[name] for name in names},
        "groups": {group: dict(Counter(one.outcome for one in found if one.group == group)) for group in groups},
        "slowest": {**asdict(slowest), "said": ""},
        "largest": {**asdict(largest), "said": ""},
        "failures": [asdict(one) for one in found if one.outcome in BAD],
    }
    (RESULTS / "attack.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
