"""TensorBoard: every named term, score and preview over samples of real data seen."""

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

from gansmith.data.preview import media_beside, type_of
from gansmith.errors import missing_extra
from gansmith.watch.alarms import Alarms
from gansmith.watch.scalars import evaluation_scalars, tick_scalars
from gansmith.watch.watcher import Record, Watcher


class TensorBoard(Watcher):
    """Writes event files into `folder`; a run that was resumed at some samples replaces what it had written beyond them.

    Raises UserError if the package tensorboard is not installed.
    """

    def __init__(self, folder: Path, resumed_at: int | None = None) -> None:
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError as error:
            raise missing_extra("tensorboard", "tensorboard", "Watching with TensorBoard") from error
        self.writer = SummaryWriter(str(folder), purge_step=resumed_at)
        self.alarms = Alarms()
        self._samples = resumed_at or 0

    def started(self, run: Record) -> None:
        self.writer.add_text("run", f"```json\n{json.dumps(dict(run), indent=2, default=str)}\n```", self._samples)

    def tick(self, record: Record) -> None:
        self._samples = record["samples"]
        for name, value in tick_scalars(record).items():
            self.writer.add_scalar(name, value, self._samples)
        for alarm in self.alarms.raised(record):
            self.writer.add_text(f"health/{alarm['name']}", alarm["sentence"], self._samples)
        self.writer.flush()

    def preview(self, samples: int, path: Path) -> None:
        import numpy as np
        from PIL import Image

        with Image.open(path) as image:
            self.writer.add_image("samples", np.asarray(image.convert("RGB")), samples, dataformats="HWC")
        for name, medium in media_beside(path).items():
            if type_of(medium) == "audio/wav":  # the only sound that TensorBoard plays; it plays no films
                self._add_wav(f"samples/{name}", medium.read_bytes(), samples)
            elif type_of(medium).startswith("text/"):
                text = medium.read_text("utf-8", errors="replace")
                self.writer.add_text(f"samples/{name}", indent(text, "    ", lambda _: True), samples)  # Markdown's verbatim

    def _add_wav(self, name: str, content: bytes, samples: int) -> None:
        """A WAV file as it is: the writer's own `add_audio` takes one channel, and rounds it to 16 bits."""
        from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue], made by protobuf

        if self.writer.file_writer is not None:
            audio = Summary.Audio(encoded_audio_string=content, content_type="audio/wav")
            self.writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=name, audio=audio)]), samples)

    def evaluation(self, scores: Sequence[Record]) -> None:
        for score in scores:
            for name, value in evaluation_scalars(score).items():
                self.writer.add_scalar(name, value, score["samples_seen"])

    def message(self, sentence: str) -> None:
        self.writer.add_text("messages", sentence, self._samples)

    def finished(self, sentence: str) -> None:
        self.message(sentence)
        self.writer.close()
