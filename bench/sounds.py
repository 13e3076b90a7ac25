"""Any GAN of sounds on any data for the same CPU time: every score with its baseline, rival and ceiling, and a sheet to look at.

    python bench/sounds.py specgan drums --cpu-seconds 300 --out runs/sounds
    python bench/sounds.py specgan digits/ --cpu-seconds 900        # folders of classes, train/ and test/

One thread, so that seconds are CPU seconds of one core. `--set width=32` changes an option of the GAN. The results go to
bench/results/sounds.json and .md, the sheets beside them.
"""

import argparse
import ast
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

import gansmith
from gansmith.kinds.opening import open_dataset
from gansmith.planning import plan as planning
from gansmith.planning.plan import cpu_model
from gansmith.runs.run import Run
from gansmith.training.trainer import Settings, Trainer

RESULTS = Path(__file__).parent / "results"
WARM_UP, PACE_SECONDS = 3, 4.0
"""Rounds before the pace is measured, and CPU seconds over which it is; they are not part of the budget."""
SHOWN = 16


def samples_for(data: str, options: dict[str, Any], seconds: float) -> int:
    """How many sounds this GAN sees in so many CPU seconds of this machine."""
    examples = open_dataset(data, kind="audio")
    plan = planning.plan(examples, **options, device="cpu")
    settings = Settings(batch=plan.settings.batch, samples=10**9, precision=plan.settings.precision)
    trainer = Trainer(plan.build(examples), examples, settings)
    trainer.gan.clock.total = 10**9
    for _ in range(WARM_UP):
        trainer.play_round()
    began, seen = time.process_time(), trainer.gan.clock.samples
    while time.process_time() - began < PACE_SECONDS:
        trainer.play_round()
    return max(plan.settings.batch, int((trainer.gan.clock.samples - seen) / (time.process_time() - began) * seconds))


def measured(arguments: argparse.Namespace, name: str) -> dict[str, Any]:
    given = {key: ast.literal_eval(value) for key, _, value in (text.partition("=") for text in arguments.set)}
    options = {"gan": arguments.gan, "options": given, "seed": arguments.seed}
    samples = samples_for(arguments.data, options, arguments.cpu_seconds)
    folder = Run.next_folder(arguments.out, f"{arguments.gan}-{name}-{arguments.seed}")
    before = time.process_time()
    run = gansmith.train(
        arguments.data, kind="audio", **options, samples=samples, evaluate=False, out=folder, device="cpu", threads=1
    )
    trained = time.process_time() - before
    judgement = run.evaluate(seed=arguments.seed)
    model = run.model()
    sheet = RESULTS / "sounds" / f"{arguments.gan}-{name}.png"
    sheet.parent.mkdir(parents=True, exist_ok=True)
    model.codec.preview(model.generate(SHOWN, seed=arguments.seed)).save(sheet)
    return {
        "gan": arguments.gan,
        "data": name,
        "options": given,
        "seed": arguments.seed,
        "cpu_seconds": round(trained),
        "samples": run.records("log.jsonl")[-1]["samples"],
        "scores": {score.metric: score.to_json() for score in judgement.scores},
    }


def table(results: list[dict[str, Any]]) -> str:
    metrics = list(dict.fromkeys(metric for result in results for metric in result["scores"]))
    lines = ["| data | of | CPU s | " + " | ".join(metrics) + " |", "|---" * (3 + len(metrics)) + "|"]
    for result in sorted(results, key=lambda own: (own["data"], own["gan"])):
        scores = [result["scores"].get(name) or {} for name in metrics]
        value = ["" if not own else f"{own['value']:.3f} ({own['low']:.3f} to {own['high']:.3f})" for own in scores]
        lines.append(
            f"| {result['data']} | {result['gan']}, seed {result['seed']} | {result['cpu_seconds']} | {' | '.join(value)} |"
        )
        for label in ("baseline", "rival", "ceiling"):
            cells = ["" if own.get(label) is None else f"{own[label]:.3f}" for own in scores]
            if any(cells):
                lines.append(f"| {result['data']} | {label} | | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gan")
    parser.add_argument("data")
    parser.add_argument("--cpu-seconds", type=float, default=300.0)
    parser.add_argument("--set", nargs="*", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/sounds"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    result = measured(arguments, Path(arguments.data).name)
    path = RESULTS / "sounds.json"
    before = json.loads(path.read_text())["results"] if path.exists() else []
    same = ("gan", "data", "seed", "options")
    results = [own for own in before if any(own[key] != result[key] for key in same)] + [result]
    machine = {"cpu": cpu_model(), "torch": torch.__version__, "threads": 1}
    path.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    path.with_suffix(".md").write_text(table(results))
    print(table([result]))


if __name__ == "__main__":
    main()
