"""StyleGAN2's filter [1, 3, 3, 1] (Karras et al. 2020). `bench/resampling.py` compares the forms that it can take.

Halving and enlarging are each other's adjoints up to a factor of four, and smoothing is its own: each backward pass is computed as a
forward pass of the other, because PyTorch's kernels for the gradients of such convolutions are slow.
"""

from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad
from torch.overrides import handle_torch_function, has_torch_function_unary


def smooth(
    x: Float[Tensor, "batch channels height width"], *, padding: int, stride: int = 1, gain: float = 1.0
) -> Float[Tensor, "batch channels _ _"]:
    """Filters by gain times [1, 3, 3, 1] / 8 in both directions, keeping every `stride`-th pixel; zeros outside (Karras et al. 2020).

    A depthwise convolution that computes only the pixels it keeps, and whose backward pass is again a forward pass.
    """
    if has_torch_function_unary(x):
        return handle_torch_function(smooth, (x,), x, padding=padding, stride=stride, gain=gain)
    mirrored = stride == 1 or (stride == 2 and padding == 1 and x.shape[2] % 2 == x.shape[3] % 2 == 0)
    if torch.compiler.is_compiling() or not mirrored:
        return _filtered(x, padding, stride, gain)
    return _Smooth.apply(x, padding, stride, gain)


def enlarge(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels double_height double_width"]:
    """Inserts a pixel after each one and filters by [1, 3, 3, 1] / 4: each new pixel lies a quarter of the way to a neighbour."""
    if has_torch_function_unary(x):
        return handle_torch_function(enlarge, (x,), x)
    return _larger(x) if torch.compiler.is_compiling() else _Enlarge.apply(x)


def _filtered(x: Tensor, padding: int, stride: int, gain: float) -> Tensor:
    make = _kernel if torch.compiler.is_compiling() else _kept_kernel
    kernel = make(x.shape[1], gain, x.dtype, x.device)
    with torch.autocast(x.device.type, enabled=False):
        return conv2d(x, kernel, stride=stride, padding=padding, groups=x.shape[1])


def _kernel(channels: int, gain: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=dtype, device=device) / 8
    return (taps[:, None] * taps * gain).expand(channels, 1, 4, 4).contiguous()


@lru_cache(maxsize=64)
def _kept_kernel(*facts: Any) -> Tensor:
    with torch.inference_mode(False):  # or training could not use what a preview made
        return _kernel(*facts)


def _larger(x: Tensor) -> Tensor:
    """Along a row, then for whole rows; zeros outside."""
    rows, columns = x.shape[2:]
    x = x.permute(0, 2, 3, 1)  # as it lies in memory, if channels-last
    beside = pad(x, (0, 0, 1, 1))
    wide = torch.stack([torch.lerp(x, beside[:, :, :-2], 0.25), torch.lerp(x, beside[:, :, 2:], 0.25)], 3).flatten(2)
    beside = pad(wide, (0, 0, 1, 1))
    both = torch.stack([torch.lerp(wide, beside[:, :-2], 0.25), torch.lerp(wide, beside[:, 2:], 0.25)], 2)
    return both.view(-1, 2 * rows, 2 * columns, x.shape[3]).permute(0, 3, 1, 2)


class _Smooth(torch.autograd.Function):
    """`_filtered`, whose backward pass is `smooth` or `enlarge`."""

    @staticmethod
    def forward(x: Tensor, padding: int, stride: int, gain: float) -> Tensor:
        return _filtered(x, padding, stride, gain)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        _, ctx.padding, ctx.stride, ctx.gain = inputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[override]
        if ctx.stride == 2:
            return enlarge(gradient * (ctx.gain / 4)), None, None, None
        return smooth(gradient, padding=3 - ctx.padding, gain=ctx.gain), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:  # type: ignore[override]
        return _filtered(tangent, ctx.padding, ctx.stride, ctx.gain)


class _Enlarge(torch.autograd.Function):
    """`_larger`, whose backward pass is `smooth`."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return _larger(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return smooth(gradient, padding=1, stride=2, gain=4)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:  # type: ignore[override]
        return _larger(tangent)
