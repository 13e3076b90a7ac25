"""Linear layers without normalisation whose initial weights keep the variance, and what ends a critic (Huang et al. 2024)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.data.spec import Spec
from gansmith.layers.labels import Label, label_embedding

LEAKY_GAIN = math.sqrt(2 / 1.04)  # keeps the variance through a leaky ReLU of slope 0.2


def dense(features_in: int, features_out: int, *, gain: float = 1.0) -> nn.Linear:
    """A linear layer without bias, with the same initial weights."""
    layer = nn.Linear(features_in, features_out, bias=False)
    nn.init.normal_(layer.weight, 0, gain / math.sqrt(features_in))
    return layer


class BiasedLeakyReLU(nn.Module):
    """Adds a bias to each channel, then leaky ReLU with slope 0.2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x + self.bias.to(x.dtype).view(-1, *[1] * (x.dim() - 2)), 0.2)


class Judge(nn.Module):
    """Features (and class) to a logit."""

    def __init__(self, features: int, class_features: int, spec: Spec) -> None:
        super().__init__()
        self.score = dense(features, class_features if spec.conditions else 1)
        self.classes = label_embedding(spec, class_features)
        if self.classes is not None:
            nn.init.normal_(self.classes.weight, 0, 1 / math.sqrt(class_features))

    def forward(self, x: Float[Tensor, "batch features"], label: Label | None) -> Float[Tensor, " batch"]:
        score = self.score(x)
        return (score * self.classes(label)).sum(1) if self.classes is not None else score.squeeze(1)
