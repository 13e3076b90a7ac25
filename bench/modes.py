"""Mode coverage on the ring and the grid: R3GAN against the original GAN, with pictures and alarms.

    python bench/modes.py --minutes 8

The protocol of PacGAN (Lin et al. 2018, section 4.1): a sample within three standard deviations of the nearest mode is of high
quality, and a mode is covered if at least one such sample lies there. 10,000 samples are judged. One thread, so that minutes are
CPU minutes. Run folders are left under --out; the table goes to bench/results/modes.json and .md.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

import gansmith
from gansmith.watch.live import Live

RESULTS = Path(__file__).parent / "results" / "modes.json"


def table(results: list[dict]) -> str:
    lines = [
        "| data | GAN | CPU s | samples | modes covered | within 3 sigma | reverse KL | alarms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        s = {name.partition("[")[0]: score for name, score in r["scores"].items()}
        cells = [
            f"{s[name]['value']:.{d}f} (real {s[name]['ceiling']:.{d}f})"
            for name, d in (("modes", 0), ("high_quality", 3), ("mode_divergence", 3))
        ]
        alarms = ", ".join(r["alarms"]) or "none"
        lines.append(f"| {r['data']} | {r['gan']} | {r['cpu_seconds']} | {r['samples']:,} | {' | '.join(cells)} | {alarms} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["ring", "grid"])
    parser.add_argument("--gans", nargs="+", default=["gan", "r3gan"])
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, help="instead of the GAN's own")
    parser.add_argument("--out", type=Path, default=Path("runs/modes"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    kept = json.loads(RESULTS.read_text())["results"] if RESULTS.exists() else []
    for data in arguments.data:
        for gan in arguments.gans:
            before = time.process_time()
            run = gansmith.train(
                data,
                gan=gan,
                options={"learning_rate": arguments.learning_rate} if arguments.learning_rate else {},
                minutes=arguments.minutes,
                seed=arguments.seed,
                watchers=[Live()],
                evaluate=False,
                out=arguments.out / f"{data}-{gan}-{arguments.seed}",
            )
            seconds = round(time.process_time() - before)
            judgement = run.evaluate(seed=arguments.seed)
            records = run.records("log.jsonl")
            result = {
                "data": data,
                "gan": gan + (f" (learning rate {arguments.learning_rate:g})" if arguments.learning_rate else ""),
                "seed": arguments.seed,
                "cpu_seconds": seconds,
                "samples": records[-1]["samples"],
                "alarms": sorted({alarm["name"] for record in records for alarm in record["health"]}),
                "scores": {score.name: score.to_json() for score in judgement.scores},
            }
            kept = [r for r in kept if (r["data"], r["gan"], r["seed"]) != (data, result["gan"], arguments.seed)] + [result]
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps({"torch": torch.__version__, "threads": 1, "results": kept}, indent=1) + "\n")
            RESULTS.with_suffix(".md").write_text(table(kept))
            print(table(kept), flush=True)


if __name__ == "__main__":
    main()
