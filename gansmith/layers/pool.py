"""Examples that are kept to be learned from more than once."""

import torch
from jaxtyping import Int
from torch import Tensor, nn

from gansmith.data.tokens import TokenSpec
from gansmith.layers.labels import Label
from gansmith.training.seeds import uniform_rows


class Pool(nn.Module):
    """The newest `size` sequences that were added, and their labels: a game's state, no part of its models."""

    def __init__(self, spec: TokenSpec, size: int) -> None:
        super().__init__()
        self.labelled = spec.conditions > 0
        labels = torch.zeros(size, dtype=torch.long) if spec.classes else torch.zeros(size, len(spec.attributes))
        self.register_buffer("tokens", torch.zeros(size, spec.shape[0], dtype=torch.int32))
        self.register_buffer("labels", labels)
        self.register_buffer("added", torch.zeros((), dtype=torch.long))
        self.tokens: Tensor
        self.labels: Tensor
        self.added: Tensor
        """How many were ever added."""

    def add(self, tokens: Int[Tensor, "batch length"], label: Label | None) -> None:
        places = (self.added + torch.arange(len(tokens), device=tokens.device)) % len(self.tokens)
        self.tokens[places] = tokens.to(self.tokens.dtype)
        if label is not None:
            self.labels[places] = label.to(self.labels.dtype)
        self.added += len(tokens)

    def some(self, count: int) -> tuple[Int[Tensor, "batch length"], Label | None]:
        """So many of them at random, each as often as it falls, and their labels."""
        dice = uniform_rows(count, device=self.tokens.device)
        chosen = (dice * self.added.clamp_max(len(self.tokens))).long()
        return self.tokens[chosen].long(), self.labels[chosen] if self.labelled else None

    def all(self) -> Int[Tensor, "batch length"]:
        """Those that are kept, without labels."""
        return self.tokens[: int(self.added.clamp_max(len(self.tokens)))].long()

    def forget(self) -> None:
        """Leaves nothing of them."""
        for buffer in self.buffers():
            buffer.zero_()
