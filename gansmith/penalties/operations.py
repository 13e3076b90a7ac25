"""The operations of piecewise linear critics: how each acts between two kinks, and its gradients with respect to its weights.

An operation is understood from one call of a torch function. `push` applies it, with the kinks where they were, to other numbers u
instead of its input; what it adds by itself (a bias) it adds `scale` times, a number for each example. `gradients` gives, for
the slope of something with respect to the output and the numbers u at the input, the gradient of each of `weights`.
All sums over examples are of `slope` times u, or of `slope` times `scale` for what is added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from gansmith.layers import halving
from gansmith.layers.halving import halve
from gansmith.layers.resample import downsample, upsample

aten = torch.ops.aten


@dataclass(frozen=True)
class Call:
    """A call of a torch function, and what it returned."""

    function: Callable
    args: tuple
    kwargs: dict[str, Any]
    is_source: Callable[[Any], bool]
    """Whether a value is the critic's input or made from it."""
    output: Any

    def named(self, *names: str, **defaults: Any) -> dict[str, Any] | None:
        """The arguments by name, the first of which is the input; None if others are made from the critic's input too."""
        found = {**defaults, **dict(zip((*names, *defaults), self.args, strict=False)), **self.kwargs}
        others = [value for name, value in found.items() if name != names[0]]
        return found if self.is_source(found[names[0]]) and not any(map(self.is_source, others)) else None


class Operation:
    """An operation that is linear as it is: repeated on u."""

    weights: tuple[Tensor, ...] = ()

    def __init__(self, repeat: Callable[..., Tensor]) -> None:
        self.repeat = repeat

    def push(self, sources: Sequence[Tensor], scale: Tensor | None) -> Tensor:
        return self.repeat(*sources)

    def gradients(self, sources: Sequence[Tensor], slope: Tensor, scale: Tensor | None) -> list[Tensor | None]:
        return []


class Affine(Operation):
    """A convolution or a linear layer, with or without bias."""

    def __init__(self, layer: Callable[[Tensor, Tensor], Tensor], weight: Tensor, bias: Tensor | None, call: Call) -> None:
        self.layer, self.weight, self.bias, self.dtype = layer, weight.detach(), bias, call.output.dtype
        self.weighted, self.biased = weight.requires_grad, bias is not None and bias.requires_grad
        self.weights = tuple(tensor for tensor in (weight, bias) if tensor is not None and tensor.requires_grad)

    def push(self, sources: Sequence[Tensor], scale: Tensor | None) -> Tensor:
        u = self.layer(sources[0].to(self.dtype), self.weight.to(self.dtype))
        if self.bias is None or scale is None:
            return u
        return u.add_(_beside(scale, u) * self.beside(u))

    def gradients(self, sources: Sequence[Tensor], slope: Tensor, scale: Tensor | None) -> list[Tensor | None]:
        found: list[Tensor | None] = []
        if self.weighted:
            found.append(self.weight_gradient(sources[0].to(slope.dtype), slope))
        if self.biased:
            bias = self.beside(slope)
            total = _of_sum(slope, bias.shape, scale)
            found.append(None if total is None else total.flatten().to(self.weight.dtype))
        return found

    def beside(self, output: Tensor) -> Tensor:
        """The bias, as it broadcasts against the output."""
        assert self.bias is not None
        return self.bias.detach().to(output.dtype).view(-1, *[1] * (output.dim() - 2))

    def weight_gradient(self, u: Tensor, slope: Tensor) -> Tensor:
        raise NotImplementedError


class Convolution(Affine):
    """`conv2d` with zero padding."""

    def __init__(self, call: Call, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int):
        pairs = [[*value] if isinstance(value, (tuple, list)) else [value, value] for value in (stride, padding, dilation)]
        self.stride, self.padding, self.dilation, self.groups = *pairs, groups
        super().__init__(lambda u, w: F.conv2d(u, w, None, *pairs, groups), weight, bias, call)  # pyright: ignore[reportCallIssue]

    def weight_gradient(self, u: Tensor, slope: Tensor) -> Tensor:
        shape = (self.stride, self.padding, self.dilation, False, [0, 0], self.groups)
        found = aten.convolution_backward(slope, u, self.weight.to(slope.dtype), None, *shape, [False, True, False])
        return found[1].to(self.weight.dtype)


class Halve(Affine):
    """`halve`: a convolution of 4x4 with stride 2."""

    def __init__(self, call: Call, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(lambda u, w: halve(u, w, None), weight, bias, call)

    def weight_gradient(self, u: Tensor, slope: Tensor) -> Tensor:
        return halving.weight_gradient(slope, u, self.weight.to(slope.dtype)).to(self.weight.dtype)


class Linear(Affine):
    """`linear` on features [B, F]."""

    def __init__(self, call: Call, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(F.linear, weight, bias, call)

    def weight_gradient(self, u: Tensor, slope: Tensor) -> Tensor:
        return (slope.T @ u).to(self.weight.dtype)


class LeakyReLU(Operation):
    """A kink at zero; with slope 0 it is ReLU. The kink stays where the recorded input had it."""

    def __init__(self, before: Tensor, negative_slope: float) -> None:
        self.before, self.negative_slope = before.detach(), negative_slope

    def push(self, sources: Sequence[Tensor], scale: Tensor | None) -> Tensor:
        return aten.leaky_relu_backward(sources[0], self.before, self.negative_slope, False)


class Addition(Operation):
    """A bias, or anything else that does not depend on the critic's input."""

    def __init__(self, added: Tensor) -> None:
        self.added = added
        self.weights = (added,) if added.requires_grad else ()

    def push(self, sources: Sequence[Tensor], scale: Tensor | None) -> Tensor:
        return sources[0] if scale is None else sources[0] + _beside(scale, sources[0]) * self.added.detach().to(sources[0].dtype)

    def gradients(self, sources: Sequence[Tensor], slope: Tensor, scale: Tensor | None) -> list[Tensor | None]:
        if not self.weights:
            return []
        total = _of_sum(slope, self.added.shape, scale)
        return [None if total is None else total.to(self.added.dtype)]


class Multiplication(Operation):
    """A factor that does not depend on the critic's input."""

    def __init__(self, factor: Tensor) -> None:
        self.factor = factor
        self.weights = (factor,) if factor.requires_grad else ()

    def push(self, sources: Sequence[Tensor], scale: Tensor | None) -> Tensor:
        return sources[0] * self.factor.detach()

    def gradients(self, sources: Sequence[Tensor], slope: Tensor, scale: Tensor | None) -> list[Tensor | None]:
        return [(slope * sources[0]).sum_to_size(self.factor.shape).to(self.factor.dtype)] if self.weights else []


class Concatenation(Operation):
    """The input's features beside others, labels for example."""

    def __init__(self, parts: list[Tensor | None], dim: int) -> None:
        """None stands for the input."""
        self.parts, self.dim = parts, dim

    def push(self, sources: Sequence[Tensor], scale: Tensor | None) -> Tensor:
        (u,) = sources
        zero = u.new_zeros(())
        scale = zero if scale is None else scale
        return torch.cat([u if part is None else part.to(u.dtype) * _beside(scale, part) for part in self.parts], self.dim)


def _beside(scale: Tensor, tensor: Tensor) -> Tensor:
    """The numbers of the examples [B], broadcast against [B, ...]."""
    return scale.to(tensor.dtype).view(-1, *[1] * (tensor.dim() - 1)) if scale.dim() else scale.to(tensor.dtype)


def _of_sum(slope: Tensor, shape: torch.Size, scale: Tensor | None) -> Tensor | None:
    """The gradient of what was added in this shape: the slopes weighted by the scale of each example, summed."""
    if scale is None:
        return None
    if slope.dim() == 4 and shape[-3:] == (slope.shape[1], 1, 1) and slope.is_contiguous(memory_format=torch.channels_last):
        positions = slope.permute(0, 2, 3, 1).reshape(-1, slope.shape[1])  # a matrix as it lies in memory
        scales = scale.to(slope.dtype).repeat_interleave(len(positions) // len(scale))
        return (scales @ positions).view(shape)
    return (slope * _beside(scale, slope)).sum_to_size(shape)


# ---- from calls to operations: None for what is not understood -------------------------------------------------------------------


def _convolution(call: Call) -> Operation | None:
    found = call.named("input", "weight", bias=None, stride=1, padding=0, dilation=1, groups=1)
    if found is None or isinstance(found["padding"], str) or found["input"].dim() != 4:
        return None
    del found["input"]
    return Convolution(call, **found)


def _linear(call: Call) -> Operation | None:
    found = call.named("input", "weight", bias=None)
    if found is None or found["input"].dim() != 2 or found["weight"].dim() != 2:
        return None
    return Linear(call, found["weight"], found["bias"])


def _halve(call: Call) -> Operation | None:
    found = call.named("x", "weight", "bias")
    return None if found is None else Halve(call, found["weight"], found["bias"])


def _leaky_relu(call: Call) -> Operation | None:
    found = call.named("input", negative_slope=0.01, inplace=False)
    return None if found is None or found["inplace"] else LeakyReLU(found["input"], found["negative_slope"])


def _relu(call: Call) -> Operation | None:
    found = call.named("input", inplace=False)
    return None if found is None or found["inplace"] else LeakyReLU(found["input"], 0.0)


def _addition(call: Call) -> Operation | None:
    if call.kwargs or len(call.args) != 2:
        return None
    a, b = call.args
    if call.is_source(a) and call.is_source(b):
        return Operation(torch.add) if a.shape == b.shape else None
    source, added = (a, b) if call.is_source(a) else (b, a)
    return Addition(added) if isinstance(added, Tensor) and source.shape == call.output.shape else None


def _multiplication(call: Call) -> Operation | None:
    if call.kwargs or len(call.args) != 2 or all(map(call.is_source, call.args)):
        return None
    source, factor = call.args if call.is_source(call.args[0]) else call.args[::-1]
    if isinstance(factor, Tensor):
        return Multiplication(factor) if source.shape == call.output.shape else None
    return Operation(lambda u: u * factor)


def _concatenation(call: Call) -> Operation | None:
    parts, dim = call.args[0], call.kwargs.get("dim", call.args[1] if len(call.args) > 1 else 0)
    mine = [part for part in parts if call.is_source(part)]
    if len(mine) != 1 or dim <= 0 or any(part.requires_grad for part in parts if part is not mine[0]):
        return None
    return Concatenation([None if part is mine[0] else part for part in parts], dim)


def _repeated(call: Call) -> Operation | None:
    """A rearrangement or mean of each example's numbers; rows stay rows because the number of rows stays."""
    if not call.args or not call.is_source(call.args[0]) or any(map(call.is_source, (*call.args[1:], *call.kwargs.values()))):
        return None
    function, rest, named = call.function, call.args[1:], call.kwargs  # not the call, which would keep what it returned alive
    return Operation(lambda u: function(u, *rest, **named))


def _padding(call: Call) -> Operation | None:
    mode, value = call.kwargs.get("mode", "constant"), call.kwargs.get("value")
    if len(call.args) != 2 or mode != "constant" or value or len(call.args[1]) > 2 * (call.output.dim() - 1):
        return None
    return _repeated(call)


def _interpolation(call: Call) -> Operation | None:
    return _repeated(call) if call.output.dim() == 4 else None


def _sum(call: Call) -> Operation | None:
    """A sum or mean over given dimensions other than the examples'."""
    found = call.named("input", dim=None, keepdim=False)
    if found is None or found["dim"] is None:
        return None
    dims = found["dim"] if isinstance(found["dim"], (tuple, list)) else (found["dim"],)
    rank = found["input"].dim()
    return None if any(dim % rank == 0 for dim in dims) else _repeated(call)


def _selection(call: Call) -> Operation | None:
    """Slices of features; all examples are kept."""
    index = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
    plain = all(part is None or part is ... or isinstance(part, (int, slice)) for part in index)
    return _repeated(call) if plain and index[0] == slice(None) else None


Understand = Callable[[Call], "Operation | None"]
OPERATIONS: dict[Any, Understand] = {
    torch.conv2d: _convolution,
    halve: _halve,
    F.linear: _linear,
    F.leaky_relu: _leaky_relu,
    **dict.fromkeys((F.relu, torch.relu, Tensor.relu), _relu),
    **dict.fromkeys((Tensor.add, Tensor.__add__, Tensor.__radd__, torch.add), _addition),
    **dict.fromkeys((Tensor.mul, Tensor.__mul__, Tensor.__rmul__, torch.mul), _multiplication),
    torch.cat: _concatenation,
    F.pad: _padding,
    F.interpolate: _interpolation,
    **dict.fromkeys((Tensor.sum, torch.sum, Tensor.mean, torch.mean), _sum),
    Tensor.__getitem__: _selection,
    **dict.fromkeys(
        (
            *(Tensor.flatten, torch.flatten, Tensor.unflatten, Tensor.view, Tensor.reshape, torch.reshape),
            *(Tensor.squeeze, torch.squeeze, Tensor.contiguous, Tensor.float, Tensor.double, Tensor.to),
            *(F.avg_pool2d, F.pixel_unshuffle, F.pixel_shuffle, downsample, upsample),
        ),
        _repeated,
    ),
}
"""How a call is understood, by the torch function called; what is not here is not understood."""

FACTS = {
    *(Tensor.dim, Tensor.size, Tensor.numel, Tensor.is_floating_point, Tensor.__len__, Tensor.is_contiguous),
    *(getattr(Tensor, name).__get__ for name in ("shape", "dtype", "device", "ndim", "requires_grad", "is_leaf")),
}
"""What may be asked of any tensor, because the answer does not depend on its numbers."""
