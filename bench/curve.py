"""Texts: the curve of quality against diversity over temperatures, of a GAN and of likelihood alone after the same CPU seconds.

    python bench/curve.py captions.txt --samples 190000 --alone 200000 --seeds 0 1 2
    python bench/curve.py captions.txt --samples 44000 --alone 44000 --other gumbelgan:33000 --seeds 0

`nats` (of what was made, under an n-gram model of the training texts) is quality, `reverse_nats` (of held-out texts, under an n-gram
model of what was made) is diversity; `bleu` and `self_bleu` are another such pair. "gap" says how far the curve of the GAN lies below that
of likelihood alone where the diversity is the same, in nats: what is negative is above the curve; "gap_of_diversity" the same where the
quality is the same. One thread, CPU seconds; results are added to bench/results/curve.json.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sequences import note, trained

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model

RESULTS = Path(__file__).parent / "results" / "curve.json"
METRICS = ("nats", "reverse_nats", "bleu", "self_bleu", "text_c2st", "frechet", "copied_span")


def scored(fake: Dataset, train: Dataset, held_out: Dataset, count: int) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Values by name; what the others have (rival, ceiling, the interval)."""
    found = judge(fake, train, held_out, metrics=METRICS, samples=count).scores
    name = {score.name: score.name.partition("[")[0] for score in found}
    others = {
        name[score.name]: {each: round(getattr(score, each), 4) for each in ("low", "high", "rival", "ceiling")}
        for score in found
    }
    return {name[score.name]: round(score.value, 4) for score in found}, others


def gap(own: list[dict[str, float]], other: list[dict[str, float]], at: str = "reverse_nats", of: str = "nats") -> float:
    """How far points of a curve lie from another curve in `of`, on average, where both have the same of `at`; negative is better. A point
    that is better in `at` than the whole other curve is compared with its best end."""
    places, values = np.array(sorted((point[at], point[of]) for point in other)).T
    inside = [point for point in own if point[at] <= places[-1]] or own
    return round(float(np.mean([point[of] - np.interp(point[at], places, values) for point in inside])), 4)


def ready(train: Dataset, given: argparse.Namespace, folder: Path | None) -> tuple[Model, dict[str, Any], dict[str, float]]:
    """(the model, facts of its training, its gauges), from a folder that has them, else trained and saved there."""
    if folder is not None and (folder / "facts.json").exists():
        facts, gauges = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        return Model.load(folder), facts, gauges
    made, facts = trained(train, given)
    model, gauges = (
        Model(made, train.codec, {"gan": given.gan}),
        {name: round(float(each), 4) for name, each in made.gauges().items()},
    )
    if folder is not None:
        model.save(folder)
        (folder / "facts.json").write_text(json.dumps([facts, gauges]), encoding="utf-8")
    return model, facts, gauges


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--samples", type=int, required=True, help="of sequencegan as it is; 0 leaves it out")
    parser.add_argument(
        "--alone", type=int, required=True, help="of likelihood alone, so that both take the same seconds; 0 leaves it out"
    )
    parser.add_argument("--other", nargs="*", default=[], metavar="GAN:SAMPLES", help="other GANs beside them")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--temperatures", type=float, nargs="*", default=[1.0, 0.9, 0.8])
    parser.add_argument("--tries", type=int, nargs="*", default=[1, 4, 16], help="samples of which the critic draws one")
    parser.add_argument("--config", nargs="*", default=[], metavar="FIELD=JSON")
    parser.add_argument("--option", nargs="*", default=[], metavar="NAME=JSON", help="options of the data")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--save", type=Path, help="a folder for the models; those that are there already are not trained again")
    arguments = parser.parse_args()
    options = {name: json.loads(value) for name, _, value in (each.partition("=") for each in arguments.option)}
    train, held_out = open_dataset(arguments.data, kind="text", **options).split(0.2)
    config, records = arguments.config, []
    for seed in arguments.seeds:
        ways = [
            ("likelihood", "sequencegan", arguments.alone, [*config, "likelihood_share=1", "critic_share=0", "tries=1"], [1]),
            ("default", "sequencegan", arguments.samples, config, arguments.tries),
            *((each.partition(":")[0], *_split(each), [], [0]) for each in arguments.other),
        ]
        curves: dict[str, list[dict[str, float]]] = {}
        for way, gan, samples, own, tries in ways:
            if not samples:
                continue
            given = argparse.Namespace(gan=gan, samples=samples, seed=seed, precision=arguments.precision, config=own)
            model, facts, gauges = ready(train, given, arguments.save and arguments.save / f"{train.name}-{way}-{seed}")
            for number in tries:
                points = []
                for temperature in arguments.temperatures:
                    asked: Any = {"critic": str(number)} if number else {}
                    sampled = model.sample(arguments.count, seed=seed, truncation=temperature, **asked)
                    values, others = scored(Dataset.of(sampled, train.codec, "generated"), train, held_out, arguments.count)
                    points.append({"temperature": temperature, **values})
                    print(way, number, seed, points[-1], flush=True)
                name = f"{way}, one of {number}" if number > 1 else way
                curves[name] = points
                record = {"way": name, **facts, "gauges": gauges, "points": points, "others": others}
                if "likelihood" in curves:
                    record["gap"] = gap(points, curves["likelihood"])
                    record["gap_of_diversity"] = gap(points, curves["likelihood"], "nats", "reverse_nats")
                records.append(record)
                print(name, facts["cpu_seconds"], record.get("gap"), gauges, flush=True)
    note({"data": train.name, "options": arguments.option, "count": arguments.count, "records": records}, RESULTS)


def _split(each: str) -> tuple[str, int]:
    gan, _, samples = each.partition(":")
    return gan, int(samples)


if __name__ == "__main__":
    main()
