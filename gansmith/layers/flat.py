"""Fully connected players on flattened examples of any shape."""

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.data.spec import Spec
from gansmith.layers.labels import Label, with_label


class FlatGenerator(nn.Module):
    """Noise and class to an example, through three linear layers. Images end in tanh; points are unbounded."""

    def __init__(self, spec: Spec, *, noise: int, width: int) -> None:
        super().__init__()
        self.spec = spec
        self.first = nn.Linear(noise + spec.label_width, width)
        self.second = nn.Linear(width, width)
        self.last = nn.Linear(width, math.prod(spec.shape))

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Float[Tensor, "batch *shape"]:
        x = with_label(noise, label, self.spec)
        x = leaky_relu(self.first(x), 0.2)
        x = leaky_relu(self.second(x), 0.2)
        x = self.last(x).float()
        if len(self.spec.shape) > 1:
            x = x.tanh()
        return x.unflatten(1, self.spec.shape)


class FlatCritic(nn.Module):
    """An example and its class to a logit, through three linear layers."""

    def __init__(self, spec: Spec, *, width: int) -> None:
        super().__init__()
        self.spec = spec
        self.first = nn.Linear(math.prod(spec.shape) + spec.label_width, width)
        self.second = nn.Linear(width, width)
        self.last = nn.Linear(width, 1)

    def forward(self, x: Float[Tensor, "batch *shape"], label: Label | None = None) -> Float[Tensor, " batch"]:
        x = with_label(x.flatten(1), label, self.spec)
        x = leaky_relu(self.first(x), 0.2)
        x = leaky_relu(self.second(x), 0.2)
        return self.last(x).squeeze(1)
