"""Residual players for points: two linear layers a block, no normalisation, the last layer of each starting at zero."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.data.spec import Spec
from gansmith.layers.dense import LEAKY_GAIN, BiasedLeakyReLU, Judge, dense
from gansmith.layers.labels import Label, label_embedding


class PointBlock(nn.Module):
    """The residual block for vectors: two linear layers, the last of which starts at zero."""

    def __init__(self, width: int, expansion: int, blocks: int) -> None:
        super().__init__()
        gain = LEAKY_GAIN * blocks ** (-1 / 2)  # Fixup with m = 2 layers
        self.widen = dense(width, width * expansion, gain=gain)
        self.activate = BiasedLeakyReLU(width * expansion)
        self.narrow = dense(width * expansion, width, gain=0)

    def forward(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        return x + self.narrow(self.activate(self.widen(x)))


class PointGenerator(nn.Module):
    """Noise (and class) to a point. The signs of the first `code_bits` numbers of the noise choose a learned vector."""

    def __init__(
        self, spec: Spec, *, noise: int, code_bits: int, class_embedding: int, width: int, blocks: int, expansion: int
    ) -> None:
        super().__init__()
        self.classes = label_embedding(spec, class_embedding)
        self.bits = code_bits
        self.enter = dense(noise - self.bits + (class_embedding if spec.conditions else 0), width)
        self.codes = nn.Embedding(2**code_bits, width) if code_bits else None
        self.blocks = nn.Sequential(*[PointBlock(width, expansion, blocks) for _ in range(blocks)])
        self.leave = nn.Linear(width, math.prod(spec.shape))

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Float[Tensor, "batch dimensions"]:
        signs, rest = noise[:, : self.bits] > 0, noise[:, self.bits :]
        if self.classes is not None:
            rest = torch.cat([rest, self.classes(label)], dim=1)
        x = self.enter(rest)
        if self.codes is not None:
            x = x + self.codes((signs << torch.arange(self.bits, device=noise.device)).sum(1))
        return self.leave(self.blocks(x)).float()


class PointCritic(nn.Module):
    """A point (and class) to a logit."""

    def __init__(self, spec: Spec, *, width: int, blocks: int, expansion: int) -> None:
        super().__init__()
        self.enter = dense(math.prod(spec.shape), width)
        self.activate = BiasedLeakyReLU(width)
        self.blocks = nn.Sequential(*[PointBlock(width, expansion, blocks) for _ in range(blocks)])
        self.judge = Judge(width, width, spec)

    def forward(self, point: Float[Tensor, "batch dimensions"], label: Label | None = None) -> Float[Tensor, " batch"]:
        return self.judge(self.blocks(self.activate(self.enter(point))), label)
