"""Networks of videos from a file as the space of distances: I3D as TorchScript (the distance is then FVD), VideoMAE and others as ONNX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.evaluation.extractors import Extractor
from gansmith.networks.pretrained.files import from_file
from gansmith.networks.pretrained.given import Given, resized, with_channels
from gansmith.networks.pretrained.onnx import OnnxNetwork

AT_ONCE = 16
I3D_FRAMES = 16
"""The fewest frames that I3D gets: of shorter clips some are shown again."""
I3D_SIDE = 224


def requested(asked: Any, device: str | torch.device = "cpu") -> Extractor:
    """The space that is asked for: a file, FILE.py:FUNCTION, a torch module, a function of a batch, or an extractor.

    Raises UserError for anything else.
    """
    if isinstance(asked, str | Path):
        found = from_file(str(asked), device)
        if found is None:
            raise UserError(
                f"--features of videos is a network in FILE.onnx, FILE.pt (TorchScript), FILE.pt2 (torch.export) or FILE.py:FUNCTION, "
                f"or left out for principal directions of the clips: it is {asked}."
            )
        return OfClips(found.network, name=found.name, key=found.key, device=device)
    if isinstance(asked, Extractor) and not isinstance(asked, torch.nn.Module):
        return asked
    if callable(asked):
        return OfClips(asked, device=device)
    raise UserError(
        f"features should be a file, a torch module or a function, but what came is of type {type(asked).__name__}: change it."
    )


class OfClips(Given):
    """A network of videos as a feature space.

    It is called with at most 16 clips [B, 3, T, H, W] in [-1, 1], gray ones coloured and transparent ones on white, and answers with
    features [B, d], tokens [B, n, d] or maps [B, d, t, h, w], of which the last two are averaged. An ONNX file says by the shape of its
    input how many frames of which size it takes, and, by where its 3 channels are, whether frames come first (VideoMAE). Attributes of a
    module say the same: `input_size`, `input_frames`, `frames_first`. Where frames are fixed, as many are taken, evenly spread. TorchScript
    that asks whether to `return_features`, as the I3D of StyleGAN-V and of common evaluations of FVD does, returns them, and gets at
    least 16 frames of 224 x 224 pixels.
    """

    def __init__(self, network: Callable[..., Any], *, name: str = "", key: str = "", device: str | torch.device = "cpu") -> None:
        super().__init__(network, name=name, key=key, device=device)
        self.frames: int | None = getattr(network, "input_frames", None)
        self.frames_first = bool(getattr(network, "frames_first", False))
        self.asks = _questions(network)
        if "return_features" in self.asks:
            self.size = self.size or (I3D_SIDE, I3D_SIDE)
        if isinstance(network, OnnxNetwork):
            sides = [side if isinstance(side, int) and side > 0 else None for side in network.session.get_inputs()[0].shape]
            if len(sides) != 5:
                raise UserError(
                    f"{self.name} should take clips, an input of five sides, but its input has {len(sides)}: give a network of videos."
                )
            self.frames_first = sides[2] == 3 and sides[1] != 3
            self.frames = sides[1 if self.frames_first else 2]
            height, width = sides[3:]
            self.size = None if height is None or width is None else (height, width)

    def _batches(self, data: Dataset) -> Iterator[Tensor]:
        for start in range(0, len(data), AT_ONCE):
            yield self.fitted(data.batch(slice(start, start + AT_ONCE))[data.codec.spec.key].float())

    def fitted(self, video: Float[Tensor, "batch frames channels height width"]) -> Tensor:
        """Clips as the network takes them."""
        steps = video.shape[1]
        wanted = self.frames or (max(steps, I3D_FRAMES) if "return_features" in self.asks else steps)
        video = video[:, torch.linspace(0, steps - 1, wanted).round().long()]
        frames = resized(with_channels(video.flatten(0, 1), 3), self.size)
        clips = frames.unflatten(0, (-1, wanted))
        return clips if self.frames_first else clips.transpose(1, 2)

    def _answer(self, batch: Tensor) -> Any:
        options = {
            name: value for name, value in (("rescale", False), ("resize", False), ("return_features", True)) if name in self.asks
        }
        output = self.network(batch.to(self.device), **options)
        if isinstance(output, Tensor) and output.dim() == 3:
            return output.mean(1)
        return output.mean((2, 3, 4)) if isinstance(output, Tensor) and output.dim() == 5 else output


def _questions(network: Any) -> set[str]:
    """The names of what TorchScript asks."""
    schema = getattr(getattr(network, "forward", None), "schema", None)
    return {argument.name for argument in schema.arguments} if schema is not None else set()
