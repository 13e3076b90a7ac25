"""Weights & Biases: every named term, score and preview over samples of real data seen."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from gansmith.data.preview import media_beside, type_of
from gansmith.errors import UserError, missing_extra
from gansmith.watch.alarms import Alarms
from gansmith.watch.scalars import evaluation_scalars, tick_scalars
from gansmith.watch.watcher import Record, Watcher

WRAPPED = {
    **dict.fromkeys(("audio/flac", "audio/mpeg", "audio/ogg", "audio/wav"), "Audio"),
    **dict.fromkeys(("video/mp4", "video/webm", "image/gif"), "Video"),
    **dict.fromkeys(("image/png", "image/webp"), "Image"),
}
"""The classes in which wandb shows files of these types; it is given no others."""


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
        shown = {"pictures": self.wandb.Image(str(path))}
        for name, medium in media_beside(path).items():
            if type_of(medium).startswith("text/"):
                text = medium.read_text("utf-8", errors="replace")
                shown[f"media/{name}"] = self.wandb.Html(f"<pre>{escape(text)}</pre>")
            elif wrapped := WRAPPED.get(type_of(medium)):
                shown[f"media/{name}"] = getattr(self.wandb, wrapped)(str(medium))
        self.run.log({"samples": samples, **shown})

    def evaluation(self, scores: Sequence[Record]) -> None:
        for score in scores:
            self.run.log({"samples": score["samples_seen"], **evaluation_scalars(score)})

    def finished(self, sentence: str) -> None:
        self.run.summary["ended"] = sentence
        self.run.finish()
