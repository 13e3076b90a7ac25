"""gansmith train --seeds: one training for each seed, in one folder, compared at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.cli.options import without
from gansmith.data.values import seeds_in
from gansmith.errors import UserError

if TYPE_CHECKING:
    from gansmith.cli.train import Train

SHARED = ("--seeds", "--seed", "--out", "--resume")
"""Options that each training of a study has its own of."""


def study(options: Train, argv: Sequence[str], train: Callable[[list[str]], int]) -> int:
    """Trains once with each seed by the command `train`, in FOLDER/seed-N; those that are judged already are left as they are, those that
    were stopped go on.

    Raises UserError for options that one training alone has.
    """
    from gansmith.cli import compare
    from gansmith.runs.run import Run

    if options.resume not in (None, "auto") or options.dry_run or options.profile:
        raise UserError("--seeds trains several runs: leave --resume, --dry-run and --profile out, or train one.")
    if options.seed:
        raise UserError("--seeds and --seed contradict each other: leave one out.")
    assert options.seeds is not None and options.data is not None
    seeds = seeds_in(options.seeds)
    folder = options.out or Run.next_folder(Path("runs"), f"{Path(options.data).stem}-seeds")
    if (folder / "run.json").exists():
        raise UserError(f"{folder} is the folder of one run: choose another --out for these {len(seeds)}.")
    words = list(argv)
    for option in SHARED:
        words = without(option, words)
    places = [folder / f"seed-{seed}" for seed in seeds]
    for seed, place in zip(seeds, places, strict=True):
        if (place / "judgement.json").exists():
            print(f"{place} is trained and judged already.")
            continue
        status = train([*words, "--seed", str(seed), "--out", str(place), "--resume", "auto"])
        if status:
            return status
    judged = [str(place) for place in places if (place / "judgement.json").exists()]
    return compare.run(judged) if len(judged) > 1 else 0
