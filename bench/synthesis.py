"""Any GAN on any image data for the same CPU time: every score with its baseline and ceiling, and a grid of samples to look at.

    python bench/synthesis.py sngan fashion_mnist_train.npz --cpu-seconds 300 --out runs/synthesis

One thread, so that seconds are CPU seconds of one core. `DATA` may be anything `gansmith train` takes, or an npz of encoded
images ("data", "offsets" and perhaps "labels", "classes"). `--set width=64` changes an option of the GAN; a result is kept for
each GAN, data set, name of the settings and seed. The results go to bench/results/synthesis.json and .md, the grids beside them.
"""

import argparse
import ast
import io
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from PIL import Image

import gansmith
from gansmith.kinds.opening import open_dataset
from gansmith.planning import plan as planning
from gansmith.planning.plan import cpu_model
from gansmith.runs.run import Run
from gansmith.training.trainer import Settings, Trainer

RESULTS = Path(__file__).parent / "results"
WARM_UP = 4
"""Rounds before the pace is measured."""
PACE_SECONDS = 8.0
"""CPU seconds over which the pace is measured; they are not part of the budget."""
SHOWN = 64
METRICS = ("frechet", "precision", "recall", "density", "coverage", "memorisation", "condition_accuracy")


def opened(path: str, out: Path) -> str:
    """The data as `gansmith.train` takes it; encoded images are decoded here, into a file beside the runs."""
    if not path.endswith(".npz"):
        return path
    decoded = out / f"{Path(path).stem}-decoded.npz"
    with np.load(path) as file:
        if "offsets" not in file:
            return path
        if not decoded.exists():
            stream, offsets = file["data"].tobytes(), file["offsets"]
            images = [Image.open(io.BytesIO(stream[a:b])).convert("RGB") for a, b in zip(offsets, offsets[1:], strict=False)]
            labels = {name: file[name] for name in ("labels", "classes") if name in file}
            out.mkdir(parents=True, exist_ok=True)
            np.savez(decoded, images=np.stack([np.asarray(image) for image in images]), **labels)
    return str(decoded)


def samples_for(data: Any, options: dict[str, Any], seconds: float) -> int:
    """How many samples of real data this GAN sees in so many CPU seconds of this machine."""
    examples = open_dataset(data)
    plan = planning.plan(examples, **options, device="cpu")
    settings = Settings(batch=plan.settings.batch, samples=10**9, precision=plan.settings.precision)
    trainer = Trainer(plan.build(examples), examples, settings)
    trainer.gan.clock.total = 10**9
    for _ in range(WARM_UP):
        trainer.play_round()
    began, seen = time.process_time(), trainer.gan.clock.samples
    while time.process_time() - began < PACE_SECONDS:
        trainer.play_round()
    pace = (trainer.gan.clock.samples - seen) / (time.process_time() - began)
    return max(plan.settings.batch, int(pace * seconds))


def measure(gan: str, data: Any, name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    given = {key: ast.literal_eval(value) for key, _, value in (text.partition("=") for text in arguments.set)}
    options = {"gan": gan, "preset": arguments.preset, "options": given, "batch": arguments.batch, "seed": arguments.seed}
    samples = samples_for(data, options, arguments.cpu_seconds)
    folder = Run.next_folder(arguments.out, f"{gan}-{name}-{arguments.name or 'default'}-{arguments.seed}")
    before = time.process_time()
    run = gansmith.train(data, **options, samples=samples, evaluate=False, out=folder, device="cpu")
    trained = time.process_time() - before
    judgement = run.evaluate(metrics=METRICS, seed=arguments.seed)
    last = run.records("log.jsonl")[-1]
    model = run.model()
    grid = RESULTS / "synthesis" / f"{gan}-{name}{'-' + arguments.name if arguments.name else ''}.png"
    grid.parent.mkdir(parents=True, exist_ok=True)
    model.codec.preview(model.generate(SHOWN, seed=arguments.seed)).save(grid)
    return {
        "gan": gan,
        "data": name,
        "settings": arguments.name or "default",
        "preset": run.facts["preset"],
        "options": given,
        "seed": arguments.seed,
        "cpu_seconds": round(trained),
        "samples": last["samples"],
        "examples_per_second": round(last["samples"] / trained, 1),
        "parameters": run.facts["parameters"],
        "alarms": sorted({alarm["name"] for record in run.records("log.jsonl") for alarm in record["health"]}),
        "scores": {score.name.partition("[")[0]: score.to_json() for score in judgement.scores},
    }


def table(results: list[dict[str, Any]]) -> str:
    shown = ("frechet", "precision", "recall", "coverage", "condition_accuracy")
    lines = ["| data | GAN | settings | seed | CPU s | samples | images/s | " + " | ".join(shown) + " |", "|---" * 12 + "|"]
    for result in sorted(results, key=lambda r: (r["data"], r["scores"]["frechet"]["value"])):
        scores = [result["scores"].get(name) for name in shown]
        cells = ["" if s is None else f"{s['value']:.3f} ({s['low']:.3f} to {s['high']:.3f})" for s in scores]
        facts = [result[key] for key in ("data", "gan", "settings", "seed", "cpu_seconds", "samples", "examples_per_second")]
        lines.append("| " + " | ".join(map(str, facts + cells)) + " |")
    for name in sorted({result["data"] for result in results}):
        scores = max((result["scores"] for result in results if result["data"] == name), key=len)
        for label, key in (("baseline", "baseline"), ("ceiling (real)", "ceiling")):
            values = [scores.get(metric, {}).get(key) for metric in shown]
            cells = ["" if value is None else f"{value:.3f}" for value in values]
            lines.append("| " + " | ".join([name, label, "", "", "", "", "", *cells]) + " |")
    return "\n".join(lines) + "\n"


def keep(result: dict[str, Any]) -> None:
    """Adds the result to those of other GANs, data, settings and seeds."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "synthesis.json"
    before = json.loads(path.read_text())["results"] if path.exists() else []
    same = ("gan", "data", "settings", "seed")
    results = [r for r in before if any(r[key] != result[key] for key in same)] + [result]
    machine = {"cpu": cpu_model(), "torch": torch.__version__, "threads": 1}
    path.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    path.with_suffix(".md").write_text(table(results))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gan")
    parser.add_argument("data")
    parser.add_argument("--data-name", help="how the data is called in the results; its file's first word if left out")
    parser.add_argument("--cpu-seconds", type=float, default=300.0)
    parser.add_argument("--preset")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--set", nargs="*", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--name", help="what settings other than the default are called")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/synthesis"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    name = arguments.data_name or Path(arguments.data).stem.partition("_")[0]
    result = measure(arguments.gan, opened(arguments.data, arguments.out), name, arguments)
    keep(result)
    print(table([result]))


if __name__ == "__main__":
    main()
