"""Layers with equalised learning rates: weights of unit deviation, scaled as they are used (Karras et al. 2018, section 4.1).

Adam moves every weight by about its step size; with unit weights all layers then learn at the same pace, whatever their width.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, linear


def activated(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Leaky ReLU of slope 0.2 times sqrt(2), which about keeps the variance."""
    return leaky_relu(x, 0.2) * math.sqrt(2)


class EqualizedLinear(nn.Module):
    """A linear layer with scaled weights; `pace` multiplies the learning rate of weights and bias (0.01 in mapping networks)."""

    def __init__(self, features_in: int, features_out: int, *, pace: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features_out, features_in) / pace)
        self.bias = nn.Parameter(torch.full((features_out,), bias / pace))
        self.scale, self.pace = pace / math.sqrt(features_in), pace

    def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch _"]:
        return linear(x, self.weight * self.scale, self.bias * self.pace)


class EqualizedConvolution(nn.Module):
    """A convolution with scaled weights, of odd size; a stride of 2 takes an input that is padded already."""

    def __init__(self, channels_in: int, channels_out: int, size: int, *, stride: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels_out, channels_in, size, size))
        self.bias = nn.Parameter(torch.zeros(channels_out)) if bias else None
        self.scale = 1 / math.sqrt(channels_in * size**2)
        self.stride, self.padding = stride, size // 2 if stride == 1 else 0

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch _ _ _"]:
        return conv2d(x, self.weight * self.scale, self.bias, stride=self.stride, padding=self.padding)
