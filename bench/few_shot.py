"""Few images: the same GAN for the same CPU time with and without what keeps its critic from learning them by heart.

    python bench/few_shot.py toonfaces64_webp.npz --gan fastgan --augment none diffaugment ada --cpu-seconds 200

The first images train (500 unless said), the rest is held out and judges. One thread, so that seconds are CPU seconds of one core.
The results go to bench/results/few_shot.json and .md, a grid of each beside them.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from synthesis import RESULTS, SHOWN, opened, samples_for

import gansmith
from gansmith.planning.plan import cpu_model
from gansmith.runs.run import Run

SHOWN_SCORES = ("frechet", "precision", "recall", "coverage", "memorisation", "data_copying")


def parted(path: str, count: int, out: Path) -> tuple[str, str]:
    """Two files beside the runs: the images that train, and the rest."""
    with np.load(opened(path, out)) as file:
        images = file["images"]
    order = np.random.default_rng(0).permutation(len(images))
    parts = {"few": order[:count], "rest": order[count:]}
    for name, rows in parts.items():
        np.savez(out / f"{Path(path).stem}-{count}-{name}.npz", images=images[rows])
    return str(out / f"{Path(path).stem}-{count}-few.npz"), str(out / f"{Path(path).stem}-{count}-rest.npz")


def measure(gan: str, augment: str, few: str, rest: str, arguments: argparse.Namespace) -> dict[str, Any]:
    rising = augment.replace(".", "", 1).isdigit()  # r3gan's own: a probability that rises from 0
    name = "augment" if rising or gan != "r3gan" else "against_overfitting"
    options = {"gan": gan, "options": {name: float(augment) if rising else augment}, "seed": arguments.seed}
    samples = samples_for(few, options, arguments.cpu_seconds)
    folder = Run.next_folder(arguments.out, f"{gan}-{augment}-{arguments.count}-{arguments.seed}")
    before = time.process_time()
    run = gansmith.train(few, **options, samples=samples, evaluate=False, out=folder, device="cpu")
    trained = time.process_time() - before
    judgement = run.evaluate(data=rest, seed=arguments.seed, samples=arguments.judged)
    model = run.model()
    grid = RESULTS / "few_shot" / f"{gan}-{augment}.png"
    grid.parent.mkdir(parents=True, exist_ok=True)
    model.codec.preview(model.generate(SHOWN, seed=arguments.seed)).save(grid)
    return {
        "gan": gan,
        "augment": augment,
        "data": Path(few).stem,
        "seed": arguments.seed,
        "cpu_seconds": round(trained),
        "samples": samples,
        "alarms": sorted({alarm["name"] for record in run.records("log.jsonl") for alarm in record["health"]}),
        "scores": {score.name.partition("[")[0]: score.to_json() for score in judgement.scores},
    }


def table(results: list[dict[str, Any]]) -> str:
    lines = [
        "| data | GAN | against overfitting | seed | CPU s | samples | " + " | ".join(SHOWN_SCORES) + " |",
        "|---" * 12 + "|",
    ]
    for result in sorted(results, key=lambda r: (r["data"], r["gan"], r["scores"]["frechet"]["value"])):
        scores = [result["scores"].get(name) for name in SHOWN_SCORES]
        cells = ["" if s is None else f"{s['value']:.3f} ({s['low']:.3f} to {s['high']:.3f})" for s in scores]
        facts = [result[key] for key in ("data", "gan", "augment", "seed", "cpu_seconds", "samples")]
        lines.append("| " + " | ".join(map(str, facts + cells)) + " |")
    for label in ("baseline", "ceiling"):
        values = [results[-1]["scores"].get(name, {}).get(label) for name in SHOWN_SCORES]
        cells = ["" if value is None else f"{value:.3f}" for value in values]
        lines.append("| " + " | ".join([results[-1]["data"], label, "", "", "", "", *cells]) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="an npz of images, or of encoded ones")
    parser.add_argument("--gan", default="fastgan")
    parser.add_argument("--augment", nargs="+", default=["none", "diffaugment", "ada"], help="of r3gan a number too")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--cpu-seconds", type=float, default=200.0)
    parser.add_argument("--judged", type=int, default=1000, help="generated images that are judged")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/few_shot"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    few, rest = parted(arguments.data, arguments.count, arguments.out)
    path = RESULTS / "few_shot.json"
    for augment in arguments.augment:
        result = measure(arguments.gan, augment, few, rest, arguments)
        before = json.loads(path.read_text())["results"] if path.exists() else []
        same = ("gan", "augment", "data", "seed")
        results = [r for r in before if any(r[key] != result[key] for key in same)] + [result]
        machine = {"cpu": cpu_model(), "torch": torch.__version__, "threads": 1}
        path.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
        path.with_suffix(".md").write_text(table(results))
        print(table([result]))


if __name__ == "__main__":
    main()
