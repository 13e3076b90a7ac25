"""A run: its folder, and what every command does with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansmith.data.programs import named_in
from gansmith.data.values import Examples, Name, Seed, Somewhere, Speed, Truncation, checked
from gansmith.runs.folder import RunFolder
from gansmith.runs.model_files import copies_beside

if TYPE_CHECKING:
    from gansmith.edit.detection import Detector
    from gansmith.evaluation.judgement import Judgement
    from gansmith.game import GAN
    from gansmith.model import Model
    from gansmith.report.verdict import Verdict


class Run(RunFolder):
    """A run folder: configuration, checkpoints, log, samples, evaluations, model and report."""

    judgement: Judgement | None = None
    """What the training found at its end, in the process that trained."""

    def model(self) -> Model:
        """The trained model, ready to generate."""
        from gansmith.model import Model

        return Model.load(self.model_folder if self.takes_best else self.folder, trust=self.trust)

    def game(self, model: Model) -> GAN:
        """The whole game of this model, critics included, with initial weights. Raises UserError if a part of it may not run."""
        with named_in(self.folder / "run.json", self.trust, copies=copies_beside(self.model_folder)):
            gan = type(model.gan)(model.gan.config, model.gan.spec)
        if gan.untrainable is not None:
            raise gan.untrainable
        return gan

    @checked
    def generate(
        self,
        n: Examples = 64,
        *,
        seed: Seed = 0,
        truncation: Truncation = 1.0,
        where: Mapping[str, str] | None = None,
        **conditions: str,
    ) -> list[Any]:
        """n new examples in the codec's raw form (images: pictures with a label), e.g. `run.generate(64, where={"class": "7"})`."""
        return self.model().generate(n, seed=seed, truncation=truncation, where=where, **conditions)

    @checked
    def speak(self, text: str, *, speed: Speed = 1.0, vocoder: Model | None = None, speaker: str | None = None) -> Any:
        """The text as speech, e.g. `run.speak("Good morning.")`; see `gansmith.model.Model.speak`."""
        return self.model().speak(text, speed=speed, vocoder=vocoder, speaker=speaker)

    def evaluate(self, **options: Any) -> Judgement:
        """Judges the model against its data; see `gansmith.evaluate`."""
        from gansmith.evaluation.evaluate import evaluate_run

        return evaluate_run(self, **options)

    @checked
    def detector(self, *, seed: Seed = 0) -> Detector:
        """The critic as a detector of what the model makes: `run.detector().probability(texts)`, with its `auc` on held-out data.

        Raises UserError without a checkpoint, and where the data are no longer at hand.
        """
        from gansmith.edit.detection import Detector
        from gansmith.runs.data import run_data, split

        return Detector.of(self, split(run_data(self))[1], seed=seed)

    @checked
    def export(self, to: Name = "onnx", out: Somewhere | None = None, overwrite: bool = False) -> Path:
        """Exports the model to a file or folder, without `out` to export/ in the run, whose files it replaces; see `gansmith.export`."""
        return self.model().export(to, out or self.folder / "export", overwrite or out is None)

    def push(self, name: str, *, private: bool = False, licence: str | None = None) -> str:
        """Uploads the model with a card to the hub under "user/name", and returns the address of its page; see `gansmith.runs.hub.push`."""
        from gansmith.runs.hub import push

        return push(self, name, private=private, licence=licence)

    @property
    def verdict(self) -> Verdict:
        """What the run is worth so far, in words, and the command that helps most."""
        from gansmith.report.records import read_records
        from gansmith.report.verdict import verdict

        return verdict(read_records(self.folder))

    def _repr_html_(self) -> str:
        from gansmith.watch.shown import run

        return run(self.folder, self.facts["name"], self.verdict)

    def report(self) -> Path:
        """Writes report.html anew and returns its path."""
        from gansmith.report.html import write_report

        return write_report(self.folder)
