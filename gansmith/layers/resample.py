"""Resampling by a factor of two with the triangle filter [1, 2, 1], without depthwise convolutions, which are slow on CPUs.

The two are each other's adjoints up to a factor of four, and the backward pass of one is computed as the other: the kernels that go
forward are two to six times as quick as those that PyTorch has for their gradients.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad
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
    """A convolution of each channel that computes only the pixels it keeps: quick in this direction alone, and channels-last."""
    if torch.compiler.is_compiling():  # inductor fuses two means: [1, 2, 1] is [1, 1] twice
        return avg_pool2d(avg_pool2d(pad(x, (1, 0, 1, 0)), 2, stride=1), 2)
    taps = x.new_tensor([0.25, 0.5, 0.25])
    kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 3, 3).contiguous()
    with torch.autocast(x.device.type, enabled=False):
        return conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


def _larger(x: Tensor) -> Tensor:
    """Each pixel and the mean of it and the next, which are zeros after the last: along a row, then for whole rows."""
    rows, columns = x.shape[2:]
    x = x.permute(0, 2, 3, 1)  # as it lies in memory, if channels-last
    wide = torch.stack([x, torch.lerp(x, pad(x, (0, 0, 0, 1))[:, :, 1:], 0.5)], 3).flatten(2)
    both = torch.stack([wide, torch.lerp(wide, pad(wide, (0, 0, 0, 1))[:, 1:], 0.5)], 2)
    return both.view(-1, 2 * rows, 2 * columns, x.shape[3]).permute(0, 3, 1, 2)


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
        return _Upsample.apply(gradient / 4)

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
