"""Kills a short training with SIGKILL at random moments, resumes it every time, and compares the final weights.

    python bench/kills.py --kills 100

The training is started by `gansmith train ... --resume auto`, killed at a moment drawn between its start and its usual end, and
started again by the same command until it ends by itself. Its checkpoint and log must equal those of a training never killed.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gansmith.data.tensors import read_tensors
from gansmith.training.checkpoint import checkpoints

RESULTS = Path(__file__).parent / "results" / "kills.json"


def command(folder: Path, samples: int) -> list[str]:
    words = [
        "train",
        "ring",
        "--gan",
        "gan",
        "--samples",
        str(samples),
        "--out",
        str(folder),
        "--resume",
        "auto",
        "--no-evaluate",
    ]
    return [sys.executable, "-m", "gansmith", *words, "--gan.width", "64"]


def play(folder: Path, samples: int, kill_after: float | None) -> bool:
    """Starts or continues the training; True if it ended by itself."""
    process = subprocess.Popen(command(folder, samples), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        process.wait(kill_after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return False
    if process.returncode:
        raise SystemExit((process.stderr.read() if process.stderr else b"").decode())
    return True


def log(folder: Path) -> list[dict]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in ("samples", "terms", "gradient_norms", "learning_rates", "health")} for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--samples", type=int, default=120_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    random.seed(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        began = time.monotonic()
        play(home / "whole", arguments.samples, None)
        usual = time.monotonic() - began
        expected, _ = read_tensors(checkpoints(home / "whole" / "checkpoints")[-1])
        kills, runs, unequal = 0, 0, 0
        while kills < arguments.kills:
            folder = home / f"killed-{runs}"
            while not play(folder, arguments.samples, random.uniform(0.3, usual) if kills < arguments.kills else None):
                kills += 1
            found, _ = read_tensors(checkpoints(folder / "checkpoints")[-1])
            equal = all(found[key].equal(tensor) for key, tensor in expected.items()) and log(folder) == log(home / "whole")
            unequal += not equal
            runs += 1
            print(f"{kills} kills, {runs} trainings ended, {unequal} unequal", flush=True)
    result = {
        "kills": kills,
        "trainings": runs,
        "unequal": unequal,
        "samples": arguments.samples,
        "seconds_unkilled": round(usual, 1),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    raise SystemExit(1 if unequal else 0)


if __name__ == "__main__":
    main()
