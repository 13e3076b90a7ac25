"""Resampling by a factor of two with the triangle filter [1, 2, 1], without depthwise convolutions, which are slow on CPUs.

The two are each other's adjoints up to a factor of four, and the backward pass of one is computed as the other: the kernels that go
forward are two to six times as quick as those that PyTorch has for their gradients.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad
from torch.overrides import handle_torch_function, has_torch_function_unary


def downsample(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels half_height half_width"]:
    """Smooths by [1, 2, 1] / 4 in both directions and keeps every second pixel; zeros outside. The sides must be even."""
    if has_torch_function_unary(x):
        return handle_torch_function(downsample, (x,), x)
    return _smaller(x) if torch.compiler.is_compiling() else _Downsample.apply(x)


def upsample(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels double_height double_width"]:
    """Inserts a pixel after each one and smooths by [1, 2, 1] / 2: the adjoint of `downsample` times four; zeros outside."""
    if has_torch_function_unary(x):
        return handle_torch_function(upsample, (x,), x)
    return _larger(x) if torch.compiler.is_compiling() else _Upsample.apply(x)


def _smaller(x: Tensor) -> Tensor:
    """[1, 2, 1] is [1, 1] twice: an overlapping mean of two pixels, then a mean of two with stride two."""
    overlapping = avg_pool2d(pad(x, (1, 0, 1, 0)), 2, stride=1)
    return avg_pool2d(overlapping, 2)


def _larger(x: Tensor) -> Tensor:
    """Between two pixels their mean: linear interpolation at the pixels and half-way, up to a last one of zeros."""
    height, width = x.shape[2:]
    finer = (2 * height + 1, 2 * width + 1)
    return interpolate(pad(x, (0, 1, 0, 1)), size=finer, mode="bilinear", align_corners=True)[:, :, :-1, :-1]


class _Downsample(torch.autograd.Function):
    """`_smaller`, whose backward pass is `_larger`."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return _smaller(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _Upsample.apply(gradient) / 4

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:  # type: ignore[override]
        return _smaller(tangent)


class _Upsample(torch.autograd.Function):
    """`_larger`, whose backward pass is `_smaller`."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return _larger(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _Downsample.apply(gradient) * 4

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:  # type: ignore[override]
        return _larger(tangent)
