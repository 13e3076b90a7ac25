"""Kills, flipped bits, full disks and folders that vanish: what happens to a run, and to what else the user has.

    python bench/faults.py                       # all of it
    python bench/faults.py kills --kills 100     # a part: kills, places, flips

Anything that is not as it should be is printed, counted and ends the bench with status 1.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "faults.json"
PARTS = ("kills", "places", "flips")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    faults = 0
    for part in arguments.parts:
        with tempfile.TemporaryDirectory(prefix="faults-") as name:
            home = Path(name)
            os.environ["GANSMITH_CACHE"] = str(home / "cache")
            module, began = importlib.import_module(f"faults_{part}"), time.monotonic()
            how = {"kills": (arguments.kills, arguments.seed), "flips": (arguments.flips, arguments.seed)}.get(part, ())
            found = module.run(home, *how)
        faults += len(found["faults"])
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[part] = {
            **found,
            "seconds": round(time.monotonic() - began, 1),
            "machine": f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        }
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{part}: {len(found['faults'])} faults", flush=True)
    raise SystemExit(1 if faults else 0)


def _processor() -> str:
    lines = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout.splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Model name")), platform.processor())


if __name__ == "__main__":
    main()
