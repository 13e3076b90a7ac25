"""What GANs that read text aloud have in common: sentence after sentence, with short pauses between."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansmith.errors import UserError
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.speech.front_ends import sentences

BETWEEN = 0.12
"""Seconds of silence between sentences."""


def said(
    codec: Any, text: str, speaker: str | None, device: torch.device, make: Callable[[Tensor, Tensor | None], Tensor]
) -> Sound:
    """What `make` makes [1, samples] of the phonemes [1, T] of each sentence and the speaker's place [1], if there are several.

    Raises UserError for text that cannot be read, and for a speaker that there is not.
    """
    parts, replaced, place, rate = [], [], codec.a.speaker(speaker), codec.b.spec.rate
    who = torch.tensor([place], device=device) if codec.a.spec.speakers else None
    for sentence in sentences(text):
        numbers, others = codec.a.numbers_of(sentence)
        replaced += others
        wave = make(torch.tensor([numbers], device=device), who)[0].float().cpu().numpy()
        parts += [wave.clip(-1, 1), np.zeros(round(BETWEEN * rate), np.float32)]
    if not parts:
        raise UserError("there is nothing to say: give a sentence.")
    return Sound(np.concatenate(parts[:-1]), rate, replaced=tuple(replaced))


class Saying(nn.Module):
    """A network that speaks under the names that programs expect of its inputs."""

    def __init__(self, network: nn.Module, **facts: Any) -> None:
        super().__init__()
        self.network = network
        for name, value in facts.items():
            setattr(self, name, value)

    def forward(self, input: Tensor, speaker: Tensor | None = None) -> Tensor:
        return self.network(input, speaker)
