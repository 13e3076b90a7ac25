"""Warm start: 300 pictures, begun with the weights of a run on others for a minute, beside a cold start of ten.

    python bench/warm_start.py toonfaces64_webp.npz

The first images (300 unless said) are the few; of the others one half trains the run to begin from and the other half judges. One thread,
so that seconds are CPU seconds of one core. `--starts cold` makes some of the five alone; what was measured before stays. The results go to
bench/results/warm_start.json and .md, a grid of each beside them.
"""

import argparse
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from synthesis import RESULTS, SHOWN, opened, samples_for

import gansmith
from gansmith.planning.plan import cpu_model

STARTS = ("others", "warm", "warm frozen", "cold brief", "cold")
SHOWN_SCORES = ("frechet", "precision", "recall", "memorisation")


def parted(path: str, count: int, out: Path) -> dict[str, str]:
    """Three files beside the runs: the few images, others to begin from, and others that judge."""
    with np.load(opened(path, out)) as file:
        images = file["images"]
    order = np.random.default_rng(0).permutation(len(images))
    half = count + (len(images) - count) // 2
    files = {}
    for name, rows in {"few": order[:count], "others": order[count:half], "judges": order[half:]}.items():
        files[name] = str(out / f"{Path(path).stem}-{count}-{name}.npz")
        np.savez(files[name], images=images[rows])
    return files


def measure(title: str, data: str, judges: str, seconds: float, arguments: argparse.Namespace, **more: Any) -> dict[str, Any]:
    samples = samples_for(data, {"gan": arguments.gan, "seed": arguments.seed}, seconds)
    before = time.process_time()
    folder = arguments.out / title.replace(" ", "-")
    shutil.rmtree(folder, ignore_errors=True)
    run = gansmith.train(
        data, gan=arguments.gan, seed=arguments.seed, samples=samples, evaluate=False, out=folder, device="cpu", **more
    )
    trained = time.process_time() - before
    judgement = run.evaluate(data=judges, seed=arguments.seed, samples=arguments.judged)
    model = run.model()
    grid = RESULTS / "warm_start" / f"{arguments.gan}-{title.replace(' ', '-')}.png"
    grid.parent.mkdir(parents=True, exist_ok=True)
    model.codec.preview(model.generate(SHOWN, seed=arguments.seed)).save(grid)
    facts = {"start": title, "gan": arguments.gan, "seed": arguments.seed, "cpu_seconds": round(trained), "samples": samples}
    return facts | {"scores": {score.name.partition("[")[0]: score.to_json() for score in judgement.scores}}


def table(results: list[dict[str, Any]]) -> str:
    head = ["start", "GAN", "seed", "CPU s", "samples", *SHOWN_SCORES]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for result in results:
        scores = [result["scores"].get(name) for name in SHOWN_SCORES]
        cells = ["" if s is None else f"{s['value']:.3f} ({s['low']:.3f} to {s['high']:.3f})" for s in scores]
        facts = [result[key] for key in ("start", "gan", "seed", "cpu_seconds", "samples")]
        lines.append("| " + " | ".join(map(str, facts + cells)) + " |")
    for label in ("baseline", "ceiling"):
        values = [results[-1]["scores"].get(name, {}).get(label) for name in SHOWN_SCORES]
        lines.append("| " + " | ".join([label, "", "", "", "", *("" if v is None else f"{v:.3f}" for v in values)]) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="an npz of images, or of encoded ones")
    parser.add_argument("--gan", default="r3gan")
    parser.add_argument("--starts", nargs="*", choices=STARTS, default=STARTS)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--before", type=float, default=600.0, help="CPU seconds of the run to begin from")
    parser.add_argument("--warm", type=float, default=60.0, help="CPU seconds after the warm start")
    parser.add_argument("--cold", type=float, default=600.0, help="CPU seconds of the cold start")
    parser.add_argument("--judged", type=int, default=1000, help="generated images that are judged")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/warm_start"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = parted(arguments.data, arguments.count, arguments.out)
    others = {"start_from": arguments.out / "others"}
    each = {
        "others": (files["others"], arguments.before, {}),
        "warm": (files["few"], arguments.warm, others),
        "warm frozen": (files["few"], arguments.warm, others | {"freeze_critic": 2}),
        "cold brief": (files["few"], arguments.warm, {}),
        "cold": (files["few"], arguments.cold, {}),
    }
    found = {}
    for title in arguments.starts:
        data, seconds, more = each[title]
        found[title] = measure(title, data, files["judges"], seconds, arguments, **more)
    recorded = RESULTS / "warm_start.json"
    before = json.loads(recorded.read_text())["results"] if recorded.exists() else []
    kept = {result["start"]: result for result in before if result["gan"] == arguments.gan} | found
    results = [kept[title] for title in STARTS if title in kept]
    machine = {"cpu": cpu_model(), "torch": torch.__version__, "threads": 1}
    recorded.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    (RESULTS / "warm_start.md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
