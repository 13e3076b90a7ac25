"""How a run was begun, read back from its run.json to go on with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith import gans, kinds
from gansmith.data.schema import MismatchError, check, describing
from gansmith.data.values import fields_checked
from gansmith.evaluation.cache import content_key
from gansmith.evaluation.validation import Validation
from gansmith.planning import plan as planning
from gansmith.runs.rebuild import at_most
from gansmith.runs.run import Run
from gansmith.training.checkpoint import checkpoints
from gansmith.training.trainer import Settings

if TYPE_CHECKING:
    from gansmith.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What a resumed run keeps."""

    run: Run
    config: Any
    settings: Settings
    examination: Validation | None

    @property
    def path(self) -> Path:
        return self.run.folder / "run.json"

    def check_size(self, plan: planning.Plan, data: Dataset) -> None:
        """Raises UserError if the game is no game, or far larger than the run's checkpoints say."""
        known = checkpoints(self.run.checkpoints)
        if known:
            with describing(self.path, "config"), at_most(known[-1].stat().st_size // 4, 1000):
                plan.build(data)


def as_begun(run: Run) -> Begun:
    """What run.json holds of a training. Raises UserError where it cannot be that of one."""
    path, facts = run.folder / "run.json", run.facts
    made = gans.find(facts["gan"])
    with describing(path, "config"):
        check(facts["config"], made.Config, "config")
        config = planning.made_config(made, facts["gan"], planning.Preset(about="", batch=1), facts["config"])
    with describing(path, "settings"):
        check(facts["settings"], Settings, "settings")
        settings = Settings(**facts["settings"])
        fields_checked(settings, "settings")
        if settings.precision not in ("float32", "bfloat16"):
            raise MismatchError(f"settings.precision should be float32 or bfloat16, but it is {settings.precision!r}")
    with describing(path, "examination"):
        return Begun(run=run, config=config, settings=settings, examination=_examination(facts.get("examination")))


def _examination(facts: dict[str, Any] | None) -> Validation | None:
    if facts is None:
        return None
    check(facts, Validation, "examination")
    found = Validation.from_json(facts)
    known = Validation.requested(found.metrics, found.samples, found.share, found.keep_best, found.patience)
    return known and replace(known, schedule=found.schedule)


def facts_of(name: str, dataset: Dataset, plan: planning.Plan, gan: Any, source: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json says of a training that begins."""
    spec = dataset.codec.spec
    return {
        "name": name,
        "gan": plan.gan,
        "preset": plan.preset,
        "config": dataclasses.asdict(plan.config),
        "used": gan.values_used(),
        "settings": dataclasses.asdict(plan.settings),
        "mirror": plan.mirror,
        "data": {
            **source,
            "name": dataset.name,
            "kind": spec.kind,
            "task": spec.task,
            "use": kinds.find(spec.kind).use(spec),
            "fingerprint": dataset.fingerprint,
            "examples": len(dataset),
            "classes": list(spec.classes),
            "shape": list(spec.shape),
        },
        "parameters": planning.parameters(gan),
        "environment": planning.environment(plan.settings),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def judged_with(held_out: Dataset, examination: Validation | None) -> dict[str, Any]:
    """What run.json remembers of how scores are taken: which examples are held out, and what is measured during training."""
    return {"held_out": content_key(held_out), "examination": examination.to_json() if examination else None}
