"""How a run was begun, read back from its run.json to go on with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith import gans
from gansmith.data.schema import MismatchError, check, describing
from gansmith.data.values import fields_checked
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
