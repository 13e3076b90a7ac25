"""How far pictures generated in bfloat16 are from those in float32, in brightnesses of 256.

    python bench/lowered.py

Each GAN is trained for a little, so that its weights are no longer those of the beginning; the same 512 noises are generated in both.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import gansmith

RESULTS = Path(__file__).parent / "results" / "lowered.json"
CASES = {
    "r3gan": {"data": "digits", "samples": 20_000},
    "dcgan": {"data": "digits", "samples": 20_000},
    "sngan": {"data": "digits", "samples": 10_000},
    "stylegan2": {"data": "digits", "samples": 4_000},
}
COUNT = 512


def pixels(run: Path, precision: str) -> tuple[np.ndarray, bool]:
    """The pictures as integers, and whether they were really made in this precision."""
    model = gansmith.load(run, precision=precision)
    made = np.stack([np.asarray(raw.image) for raw in model.generate(COUNT, seed=5)]).astype(np.int64)
    return made, model.optimized.bfloat16


def measured(run: Path) -> dict[str, float | bool]:
    (plain, _), (lowered, used) = pixels(run, "float32"), pixels(run, "bfloat16")
    off = np.abs(plain - lowered)
    return {
        "in_bfloat16": used,
        "mean": round(float(off.mean()), 4),
        "share_changed": round(float((off > 0).mean()), 4),
        "share_beyond_1": round(float((off > 1).mean()), 6),
        "max": int(off.max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gans", nargs="*", default=list(CASES))
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in parser.parse_args().gans:
        how = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            gansmith.train(how["data"], gan=name, samples=how["samples"], evaluate=False, threads=1, out=run)
            found[name] = {**how, **measured(run)}
        print(name, found[name], flush=True)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
