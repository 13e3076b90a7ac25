"""What is in data, and what would be trained on it here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gansmith.data.cache import cache_folder
from gansmith.data.inspection import Inspection
from gansmith.data.source import Source
from gansmith.data.values import Name, checked
from gansmith.errors import UserError
from gansmith.kinds.opening import inspect_dataset, read_options
from gansmith.planning import plan as planning
from gansmith.report.verdict import samples_needed


@checked
def inspect(data: Any, *, kind: Name | None = None, cache: Path | None = None, **options: Any) -> Inspection:
    """What is in the data, what is wrong with it, what we would train and how long that would take here.

    `kind` and `options` are those of `open_dataset`. Unreadable files are part of the report. Raises UserError if there is nothing to look
    at.
    """
    inspection = inspect_dataset(data, kind=kind, cache=cache, **options)
    found, own = read_options(data, kind, options)
    if found.has_parts(Source(data), own):
        inspection.suggestion = inspection.suggestion or (
            f"gansmith train {data if isinstance(data, str | Path) else 'DATA'} would train a model for each part, one after another, "
            f"with the usual GAN of {found.name} and the same budget each."
        )
        return inspection
    try:
        dataset = found.open(Source(data), own.leniently(), cache=cache_folder(cache))
        plan = planning.settle_threads(planning.plan(dataset), dataset)
        rehearsal = planning.rehearse(plan, dataset)
    except UserError as error:
        inspection.suggestion = f"Nothing can be trained on it yet: {error}"
        return inspection
    needed = samples_needed(len(dataset))
    hours = needed / rehearsal.examples_per_second / 3600
    minutes = max(1, round(hours * 60))
    time = f"{minutes} minute{'s' if minutes > 1 else ''}" if hours < 2 else f"{hours:.0f} hours"
    inspection.suggestion = (
        f"gansmith train {data if isinstance(data, str | Path) else 'DATA'} would train {plan.gan} (preset {plan.preset}) "
        "at about "
        f"{rehearsal.examples_per_second:,.0f} samples a second on this {plan.settings.device}: about {time} for the "
        f"{needed:,} samples that "
        "usually give a first good result."
    )
    return inspection
