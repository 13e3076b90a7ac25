"""Every GAN on MNIST for the same CPU time: Frechet distance, precision, recall, density, coverage, classification accuracy.

    python bench/handwriting.py mnist_train.npz --minutes 12 --out runs/handwriting

One thread, so that minutes are CPU minutes. `DATA` may be anything `gansmith train` takes, e.g. the name mnist where there is a
network. Each GAN leaves its run folder (pictures, report) under --out; the table goes to bench/results/handwriting.json and .md.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

import gansmith
from gansmith.planning.plan import cpu_model
from gansmith.watch.live import Live

GANS = ("gan", "dcgan", "wgan", "wgan_gp", "r3gan")
RESULTS = Path(__file__).parent / "results"


def train(data: str, gan: str, budget: dict, seed: int, out: Path) -> dict:
    before = time.process_time()
    run = gansmith.train(data, gan=gan, **budget, seed=seed, evaluate=False, watchers=[Live()], out=out / f"{gan}-{seed}")
    trained = time.process_time() - before
    judgement = run.evaluate(seed=seed)
    last = run.records("log.jsonl")[-1]
    return {
        "gan": gan,
        "seed": seed,
        "cpu_seconds": round(trained),
        "samples": last["samples"],
        "examples_per_second": round(last["samples"] / trained),
        "alarms": sorted({alarm["name"] for record in run.records("log.jsonl") for alarm in record["health"]}),
        "scores": {score.name: score.to_json() for score in judgement.scores},
    }


def table(results: list[dict]) -> str:
    names = list(results[0]["scores"])
    lines = ["| GAN | CPU s | samples | " + " | ".join(names) + " |", "|---" * (3 + len(names)) + "|"]
    for result in sorted(results, key=lambda r: r["scores"][names[0]]["value"]):
        cells = [f"{s['value']:.3f} ({s['low']:.3f} to {s['high']:.3f})" for s in result["scores"].values()]
        lines.append(f"| {result['gan']} | {result['cpu_seconds']} | {result['samples']:,} | " + " | ".join(cells) + " |")
    for label, key in (("baseline", "baseline"), ("ceiling (real)", "ceiling")):
        lines.append(f"| {label} | | | " + " | ".join(f"{s[key]:.3f}" for s in results[-1]["scores"].values()) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--gans", nargs="+", default=GANS)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--samples", type=int, help="instead of minutes, where the machine is shared")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/handwriting"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "handwriting.json"
    for gan in arguments.gans:
        budget = {"samples": arguments.samples} if arguments.samples else {"minutes": arguments.minutes}
        result = train(arguments.data, gan, budget, arguments.seed, arguments.out)
        kept = json.loads(path.read_text())["results"] if path.exists() else []
        kept = [r for r in kept if (r["gan"], r["seed"]) != (gan, arguments.seed)] + [result]
        machine = {"cpu": cpu_model(), "torch": torch.__version__, "threads": 1}
        path.write_text(json.dumps({"machine": machine, "results": kept}, indent=1) + "\n")
        path.with_suffix(".md").write_text(table(kept))
        print(table(kept), flush=True)


if __name__ == "__main__":
    main()
