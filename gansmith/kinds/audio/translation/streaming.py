"""Sound in chunks, as it comes from a microphone or a long file, through a model that makes waves; equal to translating it as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from gansmith.errors import UserError
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import log_mel

if TYPE_CHECKING:
    from gansmith.model import Model

Wave = Float[np.ndarray, " samples"]


def check_translates(model: Model) -> AudioSpec:
    """The spec of a model that makes waves of something. Raises UserError for any other."""
    spec = model.codec.spec
    if not isinstance(spec, AudioSpec) or not isinstance(spec.source, AudioSpec):
        raise UserError("this model makes sounds from noise alone: use gansmith generate.")
    return spec


def context_of(network: nn.Module, spec: AudioSpec) -> int | None:
    """How many samples on each side what is made of a sample depends on; None if on all."""
    own = getattr(network, "context", None)
    if own is None:
        return None
    wanted = own + (spec.n_fft if spec.source is not None and spec.source.key == "mel" else 0)
    return -(-wanted // spec.hop) * spec.hop


class Stream:
    """What a model makes of sound that comes in chunks of any lengths, at the model's rate.

        stream = Stream(model)
        for chunk in microphone():
            play(stream.push(chunk))  # may be empty at first: the model looks ahead by stream.delay seconds
        play(stream.end())

    All parts together are what `translate_sound` makes of the whole, to rounding.
    """

    def __init__(self, model: Model) -> None:
        """Raises UserError for a model that needs the whole of a recording."""
        self.spec = check_translates(model)
        self.network, self.device = model.gan.players["generator"].averaged, model.gan.device
        context = context_of(self.network, self.spec)
        if context is None:
            raise UserError(
                f"{model.gan.name} needs the whole of a recording: stream with vocos, hifigan or cmgan, or translate it in parts."
            )
        self.context, self.least = context, max(2 * self.spec.n_fft, self.spec.hop)
        self._kept, self._start = np.zeros(0, np.float32), 0
        """What is still needed of what came, and the place of its first sample."""
        self._came = self._done = 0

    @property
    def delay(self) -> float:
        """Seconds by which the model looks ahead."""
        return self.context / self.spec.rate

    def push(self, chunk: Wave) -> Wave:
        """What can be said for sure after this chunk."""
        self._kept = np.concatenate([self._kept, np.asarray(chunk, np.float32)])
        self._came += len(chunk)
        usable = self._came // self.spec.hop * self.spec.hop
        ready = usable - self.context
        if ready <= self._done or usable - self._start < self.least:
            return np.zeros(0, np.float32)
        return self._made(self._kept[: usable - self._start], ready)

    def end(self) -> Wave:
        """The rest, as if silence followed."""
        if self._came == 0:
            return np.zeros(0, np.float32)
        whole = -(-self._came // self.spec.hop) * self.spec.hop
        if self._start == 0:
            whole = max(whole, -(-self.least // self.spec.hop) * self.spec.hop)
        piece = np.pad(self._kept, (0, whole - self._start - len(self._kept)))
        return self._made(piece, whole)[: self._came - whole or None]

    @torch.inference_mode()
    def _made(self, piece: np.ndarray, until: int) -> Wave:
        """The samples from those that are done on to this place; what is no longer needed is let go."""
        tensor = torch.from_numpy(piece)[None].to(self.device)
        x = log_mel(tensor, self.spec.mel) if self.spec.source is not None and self.spec.source.key == "mel" else tensor
        wave = self.network(x)[0].float().cpu().numpy()[self._done - self._start : until - self._start]
        self._done = until
        start = max(0, until - self.context)
        self._kept, self._start = self._kept[start - self._start :], start
        return wave
