"""The judge: generated examples against real ones, beside a trivial baseline and the ceiling that real examples reach."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gansmith import kinds
from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset, choose
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.data.values import Examples, JudgeSeed, Names, checked
from gansmith.errors import UserError
from gansmith.evaluation.baseline import baseline_name, rivals
from gansmith.evaluation.cache import content_key, remember
from gansmith.evaluation.extractors import extractor_for
from gansmith.evaluation.judgement import LATE, Judgement, Neighbours
from gansmith.evaluation.nearest import nearest
from gansmith.evaluation.overview import overview as overview_of
from gansmith.evaluation.score import GROUPS, Score
from gansmith.evaluation.sides import Real, Side
from gansmith.metrics.registry import (
    Family,
    NotApplicableError,
    check_kind,
    families,
    family_of,
    kinds_of,
    load_family,
    metric_names,
)

if TYPE_CHECKING:
    from gansmith.model import Model

MAXIMUM = 10_000
"""Examples judged when no number is given."""
SHOWN = 16
"""Generated examples whose nearest training examples are reported: those that are nearest to them."""


@checked
def judge(
    fake: Dataset,
    train: Dataset,
    held_out: Dataset,
    *,
    metrics: Names | None = None,
    samples: Examples | None = None,
    seed: JudgeSeed = 0,
    cache: Path | None = None,
    everything: Dataset | None = None,
    model: Model | None = None,
    features: Any = None,
    inception: Path | str | None = None,
    resize: str = "clean",
    fast: bool = False,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    on_metrics: Callable[[Sequence[str], int, int], None] | None = None,
    overview: bool = False,
    segmenter: Any = None,
    seconds: float | None = None,
) -> Judgement:
    """Measures generated examples against the real ones they should resemble.

    Every side has the same number of examples: `samples` (10,000 if not given) or fewer where a side has fewer. Metrics that papers
    and packages define over all examples (fid, kid, is, ...) take all generated ones (or `samples`) against `everything` real (the
    training examples if not given). A metric that has no meaning for this data is skipped with a sentence. What depends on the
    real data alone (the feature network, real features, baselines, ceilings) is remembered in `cache` ($GANSMITH_CACHE or
    ~/.cache/gansmith), so the next model on the same data is judged faster. Statistics are in float64; the same seed gives the same
    scores.

    `features` is the space of the other metrics: "classifier" (trained on the spot, for images), "inception", or whatever
    `features.requested.find_extractor` takes. `inception` is the path of Inception-v3's weights, `resize` (clean, tensorflow, pytorch)
    how it gets its images, `fast` lets it compute in bfloat16, `device` is where given networks and Inception-v3 compute. `progress`
    receives how many images Inception-v3 has seen, of how many, and `on_metrics` the metrics measured next, their number and how many
    groups of metrics there are. `model` is what made the examples, for metrics that ask it for more.
    `segmenter` finds labels in images for the segmentation scores: a torch module, a function of a batch, FILE.onnx, FILE.pt, FILE.pt2 or
    FILE.py:FUNCTION that answers with logits [B, labels, H, W]; without it, one learns on the spot. `overview` asks for what a report
    shows besides: how the examples are spread, the best and the worst, a map. Once judging has taken `seconds`, whatever is not measured
    yet is skipped with a sentence.

    Raises UserError for an unknown metric, examples of another shape than the real ones, fewer on a side than any of the metrics can
    judge (20; 2 of those that look at each image alone), and networks or weights that cannot be had.
    """
    end = None if seconds is None else time.perf_counter() + seconds
    usual = (model.gan.judged_by if model else ()) or usual_metrics(train)
    names = _known(metrics if metrics is not None else usual)
    _refuse_unused(names, features, inception, segmenter)
    _same_geometry(train, fake, "generated")
    _same_geometry(train, held_out, "held-out")
    limit = MAXIMUM if samples is None else samples
    most, compared = kinds.find(train.codec.spec.kind).most_compared(train.codec.spec), None
    if most is not None and len(train) > max(most, limit):
        compared = choose(len(train), max(most, limit), seed)
        train = train.subset(compared)
    if most is not None and everything is not None and len(everything) > max(most, limit):
        everything = everything.subset(choose(len(everything), max(most, limit), seed))
    count = min(limit, len(fake), len(train), len(held_out))
    asked = "" if samples is None else f"{samples} were asked for, and "
    there = f"{asked}there are {len(fake)} generated, {len(train)} training and {len(held_out)} held-out ones"
    too_few = {name: fewest for name in names if (fewest := fewest_for(name)) > count}
    if len(too_few) == len(names):
        raise UserError(f"judging needs at least {min(too_few.values())} examples on every side, but {there}: give more.")
    names = [name for name in names if name not in too_few]
    lessons = min(limit, len(fake), len(train))
    folder = cache_folder(cache)
    drawn = choose(len(fake), min(samples or len(fake), len(fake)), seed)
    rows = choose(len(drawn), count, seed)
    judged = fake.subset(drawn)
    with torch.autocast("cpu", enabled=False):
        network = _inception(
            names, features, train, folder, weights=inception, resize=resize, fast=fast, device=device, progress=progress
        )
        space_is_free = features is None and all(hasattr(load_family(family_of(name)), "INCEPTION") for name in names)
        if network is not None and (features == "inception" or space_is_free):
            extractor = network
        else:
            extractor = extractor_for(train, seed, folder, features, device)
        real = Real(
            train=train,
            held_out=held_out,
            everything=train if everything is None else everything,
            judged=len(judged),
            extractor=extractor,
            inception=network,
            count=count,
            lessons=lessons,
            seed=seed,
            folder=folder,
            segmenter=segmenter,
        )
        taught = fake.subset(choose(len(fake), lessons, seed))
        side = Side(
            name="generated",
            data=judged.subset(rows),
            rows=rows,
            lessons=taught,
            everything=judged,
            reference=real.everything,
            real=real,
            model=model,
        )
        positions = drawn[rows]
        scores, skipped = _scores(names, side, on_metrics, end)
        skipped |= {
            name: f"{name} needs at least {fewest} examples on every side, but {there}." for name, fewest in too_few.items()
        }
        late = end is not None and time.perf_counter() > end
        shown = overview_of(side, positions) if overview and count >= GROUPS and not late else None
    return Judgement(
        scores=scores, skipped=skipped, find_neighbours=partial(_neighbours, side, positions, compared), overview=shown
    )


def _refuse_unused(names: Sequence[str], features: Any, inception: Any, segmenter: Any) -> None:
    """Raises UserError for networks that none of the metrics would look through."""
    families = [load_family(family_of(name)) for name in names]
    sentence = "--{0} names {1}, and none of the metrics uses it: leave it out, or add {2} to --metrics."
    if inception is not None and features != "inception" and not any(hasattr(family, "INCEPTION") for family in families):
        raise UserError(sentence.format("inception", f"{inception!s:.200}", "fid"))
    if segmenter is not None and not any(hasattr(family, "SEGMENTER") for family in families):
        raise UserError(sentence.format("segmenter", f"{segmenter!s:.200}", "mean_iou"))


def usual_metrics(train: Dataset) -> tuple[str, ...]:
    """The metrics of data like these when none are named."""
    spec = train.codec.spec
    return kinds.find(spec.kind).usual_metrics(spec)


def fewest_for(metric: str) -> int:
    """The fewest examples on every side that this metric can judge."""
    return getattr(load_family(family_of(metric)), "MINIMUM", GROUPS)


def over_all(metrics: Sequence[str] | None) -> bool:
    """Whether one of these metrics is defined over all examples, as those of Inception-v3 are."""
    return any(hasattr(load_family(family_of(name)), "INCEPTION") for name in (_known(metrics) if metrics else ()))


def _inception(names: Sequence[str], features: Any, train: Dataset, folder: Path, **options: Any) -> Any:
    """Inception-v3, if a metric of this data or the space asks for it, with the outputs that are needed."""
    kind = train.codec.spec.kind
    fitting = [load_family(family) for family in map(family_of, names) if kind in (kinds_of(family) or (kind,))]
    needed = [output for family in fitting for output in getattr(family, "INCEPTION", ())]
    if features == "inception":
        needed.append("features")
    return kinds.find(kind).inception(folder, tuple(sorted(set(needed))), **options) if needed else None


def _neighbours(side: Side, positions: np.ndarray, compared: np.ndarray | None) -> Neighbours:
    """The generated examples nearest to a training example for their class, the nearest first: where there are copies, they are among them.

    `positions` and `compared` say where generated and training examples lie among those that `judge` got; None if they are all.
    """
    with torch.autocast("cpu", enabled=False):
        suspects = side.suspicion.argsort(stable=True)[:SHOWN]
        distances, indices = nearest(side.features[suspects], side.real.features, 3)
        return Neighbours(
            generated=positions[suspects.numpy()],
            nearest=indices.numpy() if compared is None else compared[indices.numpy()],
            distances=distances.double().numpy(),
            generated_median=float(side.distances.quantile(0.5)),
            held_out_median=side.real.held_out_distance,
        )


def _scores(
    names: Sequence[str], side: Side, on_metrics: Callable[[Sequence[str], int, int], None] | None, end: float | None
) -> tuple[list[Score], dict[str, str]]:
    """The scores in the order of `names`, and the reasons of those that were skipped: after `end` (of time.perf_counter) all but the first
    family."""
    found: dict[str, Score] = {}
    skipped: dict[str, str] = {}
    modules = list(dict.fromkeys(family_of(name) for name in names))
    for number, module in enumerate(modules, 1):
        family, metrics = load_family(module), families()[module]
        wanted = [name for name in names if name in metrics]
        if end is not None and number > 1 and time.perf_counter() > end:
            skipped |= dict.fromkeys(wanted, LATE)
            continue
        if on_metrics is not None:
            on_metrics(wanted, number, len(modules))
        start = time.perf_counter()
        try:
            check_kind(module, side.real.train)
            measured = family.measure(side)
        except NotApplicableError as reason:
            skipped |= dict.fromkeys(wanted, str(reason))
            continue
        seconds = (time.perf_counter() - start) / len(measured)
        companions = _companions(module, family, side.real)
        for name in wanted:
            if name not in measured:
                skipped[name] = f"{name} finds nothing in {side.real.train.name} that it could measure."
                continue
            one = measured[name]
            found[name] = Score(
                name=f"{name}[{one.space}]",
                value=one.value,
                low=one.low,
                high=one.high,
                baseline=companions.get(f"baseline {name}"),
                baseline_name=getattr(family, "BASELINE", None) or baseline_name(side.real.train),
                ceiling=companions.get(f"ceiling {name}"),
                better=metrics[name][0],
                samples=one.samples,
                reference_samples=one.reference_samples,
                seed=side.real.seed,
                seconds=seconds,
                note=one.note,
                rival=companions.get(f"rival {name}"),
                rival_name=next(iter(rivals(side.real.train)), ""),
            )
    return [found[name] for name in names if name in found], skipped


def _companions(module: str, family: Family, real: Real) -> dict[str, float]:
    """This family's metrics of the baseline, the ceiling and, if there is one, the rival, where they have a meaning."""

    def compute() -> dict[str, Tensor]:
        sides = {"baseline": real.baseline, "ceiling": real.ceiling, **({"rival": real.rival} if real.rival else {})}
        found = {}
        for name, side in sides.items():
            with suppress(NotApplicableError):
                for metric, measured in family.measure(side).items():
                    found[f"{name} {metric}"] = torch.tensor(measured.value, dtype=torch.float64)
        return found

    depends_on = next(iter(rivals(real.train)), "") + (family.key(real) if hasattr(family, "key") else "")  # pyright: ignore[reportAttributeAccessIssue]
    if hasattr(family, "INCEPTION") and real.inception is not None:
        depends_on += f"{real.inception.key} {real.judged} {content_key(real.everything)}"
    remembered = remember(real.folder, f"companions-{module.rpartition('.')[2]}", (*real.key, depends_on), compute)
    return {name: float(value) for name, value in remembered.items()}


def _known(metrics: Sequence[str]) -> list[str]:
    """The metrics asked for, each once; raises UserError for an unknown one."""
    known = list(metric_names())
    if not metrics:
        raise UserError(f"metrics names none: the metrics are {listed(known, len(known))}.")
    for metric in metrics:
        if metric not in known:
            guess = did_you_mean(metric, known)
            raise UserError(f'there is no metric "{metric}"{guess}: the metrics are {listed(known, len(known))}.')
    return list(dict.fromkeys(metrics))


def _same_geometry(train: Dataset, other: Dataset, name: str) -> None:
    real, found = train.codec.spec, other.codec.spec
    if (real.kind, real.shape) != (found.kind, found.shape):
        raise UserError(
            f"the {name} examples must be like the training ones, {_geometry(train)}, "
            f"but they are {_geometry(other)}: convert them, or judge them against other data."
        )


def _geometry(data: Dataset) -> str:
    return f"{data.codec.spec.kind} of {'x'.join(map(str, data.codec.spec.shape))}"
