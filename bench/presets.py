"""How wide should the players be for the time there is? r3gan's plain players in several widths, each for several budgets.

    python bench/presets.py fashion_mnist_train.npz --widths 16 32 64 --cpu-seconds 20 120 600

One thread, CPU seconds, judged as in bench/quality.py. A width is that of the critic at its first stage; the generator has half of
it at half the side. The rule that chooses among the presets (`planning.default_preset`) rests on the table this adds to:
bench/results/presets.json and .md.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from quality import METRICS, RESULTS, ours
from synthesis import opened

from gansmith.planning.plan import cpu_model

FILE = RESULTS / "presets.json"


def table(results: list[dict[str, Any]]) -> str:
    lines = [
        "| data | budget | width | batch | rate | CPU s | samples | " + " | ".join(METRICS) + " |",
        "|---" * (7 + len(METRICS)) + "|",
    ]
    for result in sorted(results, key=lambda r: (r["data"], r["budget"], r["scores"]["frechet"]["value"])):
        facts = [result[key] for key in ("data", "budget", "width", "batch", "learning_rate", "cpu_seconds", "samples")]
        cells = [f"{s['value']:.3f} ({s['low']:.3f} to {s['high']:.3f})" for s in result["scores"].values()]
        lines.append("| " + " | ".join(map(str, facts + cells)) + " |")
    for name in sorted({result["data"] for result in results}):
        scores = next(result["scores"] for result in results if result["data"] == name)
        for label, key in (("baseline", "baseline"), ("ceiling (real)", "ceiling")):
            cells = " | ".join(f"{score[key]:.3f}" for score in scores.values())
            lines.append(f"| {name} | | {label} | | | | | {cells} |")
    return "\n".join(lines) + "\n"


def keep(result: dict[str, Any]) -> None:
    same = ("data", "budget", "width", "batch", "learning_rate", "seed")
    before = json.loads(FILE.read_text())["results"] if FILE.exists() else []
    results = [r for r in before if any(r[key] != result[key] for key in same)] + [result]
    machine = {"cpu": cpu_model(), "torch": torch.__version__, "threads": 1}
    FILE.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    FILE.with_suffix(".md").write_text(table(results))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--widths", type=int, nargs="+", default=[32])
    parser.add_argument("--cpu-seconds", type=float, nargs="+", default=[120.0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/presets"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    path = opened(arguments.data, arguments.out)
    rate = arguments.learning_rate
    for seconds in arguments.cpu_seconds:
        for width in arguments.widths:
            options = {"critic_width": width, "top_width": width // 2, "learning_rate": rate, "learning_rate_end": rate / 10}
            judgement, facts = ours(
                path, seconds, arguments.seed, arguments.out, gan="r3gan", options=options, batch=arguments.batch
            )
            scores = {score.name.partition("[")[0]: score.to_json() for score in judgement.scores}
            how = {"width": width, "batch": arguments.batch, "learning_rate": rate, "seed": arguments.seed}
            keep({"data": Path(arguments.data).stem, "budget": seconds, **how, **facts, "scores": scores})
            print(f"{seconds} {width} {scores['frechet']['value']:.3f}", flush=True)


if __name__ == "__main__":
    main()
