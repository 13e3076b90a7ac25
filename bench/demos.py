"""The models of gansmith demo, taken from runs that were trained and judged.

    gansmith train digits --samples 200000 --threads 1 --out digits
    python bench/demos.py digits digits --about "Handwritten digits." --data "the 5,000 digits of MNIST that ship with gansmith"
    gansmith train drums --samples 60000 --threads 1 --out drums
    python bench/demos.py drums drums --about "Drum hits: claps, cowbells, hats, kicks, snares, toms." --data "960 of the 1,200 ..."
    gansmith train shapes --samples 44800 --threads 1 --out shapes
    python bench/demos.py shapes shapes --about "Clips of a circle, square or triangle that moves." --data "1,920 of the 2,400 ..."

Copies the model without its folders of origin, and writes demo.json with the newest scores beside baseline and ceiling.
"""

import argparse
import json
import shlex
import shutil
from pathlib import Path

from gansmith import demos
from gansmith.report.facts import command
from gansmith.report.records import read_records
from gansmith.report.scores import newest

SHOWN = (
    *("frechet", "class_accuracy", "precision", "recall", "quality", "c2st", "tstr", "memorisation"),
    *("gan_test", "gan_train"),
    *("frame_frechet", "motion_error", "order", "shape_class", "shape_kept", "shape_bends"),
)
"""The metrics of every kind of data that a demo prints."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--about", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--command", help="the command as a reader should type it; else that of the run")
    parser.add_argument(
        "--seconds", type=float, help="CPU seconds, where the machine was shared; else the time that the run took"
    )
    arguments = parser.parse_args()
    records = read_records(arguments.run)
    place = demos.HERE / arguments.name
    shutil.rmtree(place, ignore_errors=True)
    (place / "model").mkdir(parents=True)
    for name in ("model.json", "model.safetensors"):
        shutil.copyfile(arguments.run / "model" / name, place / "model" / name)
    scores = [
        {key: record.get(key) for key in ("name", "value", "baseline", "ceiling", "better")}
        | {key: record[key] for key in ("rival", "rival_name") if record.get("rival") is not None}
        for record in newest(records.evaluations)
        if str(record["name"]).partition("[")[0] in SHOWN
    ]
    line = arguments.command or shlex.join(shlex.split(command(records) or ""))
    facts = {
        "about": arguments.about,
        "data": arguments.data,
        "command": line,
        "seconds": round(arguments.seconds or records.seconds or 0),
        "scores": scores,
    }
    (place / "demo.json").write_text(json.dumps(facts, indent=1) + "\n")
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    print(f"{place}: {size / 1e6:.2f} MB, {len(scores)} scores")


if __name__ == "__main__":
    main()
