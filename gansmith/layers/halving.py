"""Convolutions of 4x4 with stride 2, which halve an image, and their transposes, which double it, where a CPU is slow at them.

oneDNN takes several times longer than the operations would in two cases: when the larger image has one or a few channels, and for the
weights of wide layers at 4x4 pixels. `Halving` and `Doubling` compute those as other, equal sums (bench/halving.py); all else is PyTorch's.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad, pixel_shuffle
from torch.overrides import handle_torch_function, has_torch_function

FEW_CHANNELS = 4
"""Channels of the larger image up to which doubling is a 3x3 convolution to four phases."""
FEW_POSITIONS, MANY_CHANNELS = 16, 128
"""Pixels of the smaller image, and channels of both, for which the gradient of the weights is one matrix product in bfloat16."""


class Halving(nn.Conv2d):
    """A convolution of 4x4 with stride 2 and padding 1."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)

    def forward(self, input: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch features _ _"]:
        return halve(input, self.weight, self.bias)


class Doubling(nn.ConvTranspose2d):
    """A transposed convolution of 4x4 with stride 2 and padding 1."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)

    def forward(  # type: ignore[override]
        self, input: Float[Tensor, "batch features height width"]
    ) -> Float[Tensor, "batch channels double_height double_width"]:
        return double(input, self.weight, self.bias)


def halve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`conv2d` of x [B, C, H, W] with weight [F, C, 4, 4], stride 2 and padding 1."""
    if has_torch_function((x, weight)):
        return handle_torch_function(halve, (x, weight), x, weight, bias)
    height, width = x.shape[2] // 2, x.shape[3] // 2
    even = x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0
    if not (even and _slow(x, weight, height * width)):
        return conv2d(x, weight, bias, 2, 1)
    x, weight, bias = _cast(x), _cast(weight), None if bias is None else _cast(bias)
    carrier = _Carrier.apply(weight, bias, [x], (len(x), len(weight), height, width), True)
    return _Product.apply(x, weight, bias, carrier, True)


def double(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`conv_transpose2d` of x [B, F, H, W] with weight [F, C, 4, 4], stride 2 and padding 1."""
    if torch.compiler.is_exporting() and weight.shape[1] >= MANY_CHANNELS:
        return _in_four_phases(x, weight, bias)
    if not _slow(x, weight, x.shape[2] * x.shape[3]):
        return conv_transpose2d(x, weight, bias, 2, 1)
    x, weight, bias = _cast(x), _cast(weight), None if bias is None else _cast(bias)
    if not torch.is_grad_enabled():  # an autograd function takes as long as a small layer
        return _doubled(x, weight, bias)
    carrier = _Carrier.apply(weight, bias, [x], (len(x), weight.shape[1], 2 * x.shape[2], 2 * x.shape[3]), False)
    return _Product.apply(x, weight, bias, carrier, False)


def _slow(x: Tensor, weight: Tensor, positions: int) -> bool:
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    return weight.shape[1] <= FEW_CHANNELS or (positions <= FEW_POSITIONS and min(weight.shape[:2]) >= MANY_CHANNELS)


def _cast(tensor: Tensor) -> Tensor:
    """What autocast would make of it, laid out as oneDNN reads it."""
    layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
    return tensor.to(torch.get_autocast_dtype("cpu"), memory_format=layout) if torch.is_autocast_enabled("cpu") else tensor


def weight_gradient(small: Tensor, large: Tensor, weight: Tensor) -> Tensor:
    """The gradient of a weight [F, C, 4, 4] that joins a small image [B, F, H, W] and a large one [B, C, 2H, 2W]."""
    features, channels, positions = small.shape[1], large.shape[1], small.shape[2] * small.shape[3]
    if positions > FEW_POSITIONS or min(features, channels) < MANY_CHANNELS or small.dtype != torch.bfloat16:
        shape = (None, [2, 2], [1, 1], [1, 1], False, [0, 0], 1, [False, True, False])
        return torch.ops.aten.convolution_backward(small, large, weight, *shape)[1]
    patches = pad(large.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).unfold(1, 4, 2).unfold(2, 4, 2)  # [B, H, W, C, 4, 4]
    columns = patches.permute(0, 1, 2, 4, 5, 3).reshape(-1, 16 * channels)
    rows = small.permute(0, 2, 3, 1).reshape(-1, features)
    return (rows.T @ columns).view(features, 4, 4, channels).permute(0, 3, 1, 2)


def _halved(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return conv2d(x, weight, bias, 2, 1)


def _doubled(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Each pixel of a large image with few channels depends on 2x2 small ones, the same for each of its four phases."""
    features, channels = weight.shape[:2]
    if channels > FEW_CHANNELS:
        return conv_transpose2d(x, weight, bias, 2, 1)
    taps = pad(weight.flatten(2), (0, 1))[:, :, _phases(x.device)]
    phases = taps.view(features, channels * 4, 3, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
    return pixel_shuffle(conv2d(x, phases, None if bias is None else bias.repeat_interleave(4), 1, 1), 2)


def _in_four_phases(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Each phase as a 2x2 convolution of its own: onnxruntime is slow at wide transposed convolutions."""
    taps = [[3, 1], [2, 0]]  # phase 0 sees the pixel before it and its own, phase 1 its own and the next
    kernels = [weight[:, :, rows][:, :, :, columns].transpose(0, 1) for rows in taps for columns in taps]
    padded = [pad(x, (1 - j, j, 1 - i, i)) for i in (0, 1) for j in (0, 1)]
    phases = [conv2d(part, kernel, bias) for part, kernel in zip(padded, kernels, strict=True)]
    return pixel_shuffle(torch.stack(phases, 2).flatten(1, 2), 2)


@cache
def _phases(device: torch.device) -> Tensor:
    """For each of the four phases and of the 3x3 neighbours, the tap of the 4x4 that joins them; 16 for none."""
    along = [[3, 1, None], [None, 2, 0]]  # phase 0 sees the pixel before it and its own, phase 1 its own and the next
    taps = [4 * i + j if i is not None and j is not None else 16 for a in along for b in along for i in a for j in b]
    with torch.inference_mode(False):  # it is kept, and a training may come after
        return torch.tensor(taps, device=device)


class _Product(torch.autograd.Function):
    """A product of x and weight, plus a bias, whose gradient goes to x; and to `carrier`, for weight and bias.

    Two nodes, because a Python function is not told for which of its inputs a gradient is wanted: a slope needs none of the weights.
    """

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, carrier: Tensor, halves: bool) -> Tensor:
        return _halved(x, weight, bias) if halves else _doubled(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])
        ctx.halves = inputs[4]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        back = _doubled if ctx.halves else _halved
        return back(gradient, ctx.saved_tensors[1]) if ctx.needs_input_grad[0] else None, None, None, gradient, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:  # type: ignore[override]
        (x, weight), (x_tangent, weight_tangent, bias) = ctx.saved_tensors, tangents[:3]
        product = _halved if ctx.halves else _doubled
        parts = [] if x_tangent is None else [product(x_tangent, weight)]
        parts += [] if weight_tangent is None else [product(x, weight_tangent)]
        parts += [] if bias is None else [bias.view(-1, 1, 1)]
        return sum(parts[1:], parts[0])


class _Carrier(torch.autograd.Function):
    """Zeros in the shape of the product: what flows back to them are the gradients of weight and bias."""

    @staticmethod
    def forward(weight: Tensor, bias: Tensor | None, held: list[Tensor], shape: tuple[int, ...], halves: bool) -> Tensor:
        return weight.new_zeros(()).expand(shape)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        weight, _, (ctx.x,), ctx.shape, ctx.halves = inputs
        ctx.save_for_backward(weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        small, large = (gradient, ctx.x) if ctx.halves else (ctx.x, gradient)
        wanted = ctx.needs_input_grad
        found = weight_gradient(small, large, ctx.saved_tensors[0]) if wanted[0] else None
        return found, gradient.sum((0, 2, 3)) if wanted[1] else None, None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:  # type: ignore[override]
        return next(tangent for tangent in tangents if tangent is not None).new_zeros(()).expand(ctx.shape)
