"""What a judgement leaves in its run: scores, judgement.json, pictures and the report."""

from typing import Any

import numpy as np

from gansmith import kinds
from gansmith.data.atomic import write_atomically
from gansmith.data.dataset import Dataset
from gansmith.data.json_files import sealed_json
from gansmith.evaluation.judgement import Judgement
from gansmith.report.html import write_report
from gansmith.runs.folder import RunFolder
from gansmith.runs.previews import beside, preview_of, write_preview


def write_artifacts(
    judgement: Judgement, run: RunFolder, fake: Dataset, training: Dataset, **conditions: Any
) -> list[dict[str, Any]]:
    """Writes everything and returns the new lines of evaluations.jsonl; see `Run.add_scores` for the conditions.

    `fake` holds the generated examples that were judged, `training` those that they were compared with.
    """
    records = run.add_scores(judgement.scores, **conditions)
    found = {"samples_seen": conditions.get("samples_seen"), "skipped": judgement.skipped}
    found["neighbours"] = judgement.neighbours.to_json()
    if judgement.overview is not None:
        found["portrait"] = judgement.overview.to_json()
    write_atomically(run.folder / "judgement.json", sealed_json(found))
    kind = kinds.find(training.codec.spec.kind)
    if kind.neighbours_are_shown:
        _pictures(judgement, run, fake, training)
    kind.artifacts(judgement, fake, training, run.samples)
    write_report(run.folder)
    return records


def _pictures(judgement: Judgement, run: RunFolder, fake: Dataset, training: Dataset) -> None:
    codec, shown = fake.codec, judgement.neighbours
    groups = [
        [*codec.decode(fake.batch(made.reshape(1))), *codec.decode(training.batch(near))]
        for made, near in zip(shown.generated, shown.nearest, strict=True)
    ]
    write_preview(run.samples, "neighbours", beside(codec, groups))
    if judgement.overview is not None:
        ranking = judgement.overview.ranking
        for name, positions in (("best", ranking.best), ("worst", ranking.worst)):
            raws = codec.decode(fake.batch(np.asarray(positions)))
            write_preview(run.samples, name, preview_of(codec, raws))
