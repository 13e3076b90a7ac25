"""Weights & Biases: every named term, score and preview over samples of real data seen."""

from collections.abc import Sequence
from pathlib import Path

from gansmith.errors import UserError, missing_extra
from gansmith.watch.alarms import Alarms
from gansmith.watch.scalars import evaluation_scalars, tick_scalars
from gansmith.watch.watcher import Record, Watcher


class WandB(Watcher):
    """Sends the run to a project of the account that is logged in, and keeps wandb's own files in `folder`.

    Raises UserError if the package wandb is not installed or refuses to start.
    """

    def __init__(self, folder: Path, project: str = "gansmith") -> None:
        try:
            import wandb
        except ImportError as error:
            raise missing_extra("wandb", "wandb", "Watching with Weights & Biases") from error
        self.wandb, self.folder, self.project = wandb, folder, project
        self.alarms = Alarms()

    def started(self, run: Record) -> None:
        try:
            self.run = self.wandb.init(project=self.project, name=run.get("name"), config=dict(run), dir=str(self.folder))
        except self.wandb.Error as error:
            raise UserError(f"Weights & Biases did not start ({error}): run wandb login, or set WANDB_MODE=offline.") from error
        # Without it, wandb counts calls; we count samples of real data.
        self.run.define_metric("samples")
        self.run.define_metric("*", step_metric="samples")

    def tick(self, record: Record) -> None:
        self.run.log({"samples": record["samples"], **tick_scalars(record)})
        for alarm in self.alarms.raised(record):
            self.run.alert(title=alarm["name"], text=alarm["sentence"])

    def preview(self, samples: int, path: Path) -> None:
        self.run.log({"samples": samples, "pictures": self.wandb.Image(str(path))})

    def evaluation(self, scores: Sequence[Record]) -> None:
        for score in scores:
            self.run.log({"samples": score["samples_seen"], **evaluation_scalars(score)})

    def finished(self, sentence: str) -> None:
        self.run.summary["ended"] = sentence
        self.run.finish()
