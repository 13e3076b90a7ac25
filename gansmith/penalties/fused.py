"""Logits and gradient norms of a piecewise linear critic with one pass for all weight gradients (docs/exact-penalties.md).

Let D be affine between its kinks, c_i = dLoss/dlogit_i and p_i = dLoss/d|v_i|^2 with v_i the slope of D at x_i. Then the gradient of
the loss with respect to a layer's weight is sum_i delta_i (x) u_i, where delta_i is the slope of D with respect to the layer's output
and u_i is what the layer would see if the critic, with its kinks held and its biases taken c_i times, ran on c_i x_i + 2 p_i v_i.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gansmith.penalties.operations import Operation
from gansmith.penalties.tape import Tape


@dataclass(frozen=True)
class Held:
    """A critic with its kinks held at x: operations, what each reads, and the slopes at the outputs of those that have weights."""

    x: Tensor
    slope: Tensor
    """v: the slope of each logit with respect to its example."""
    operations: Sequence[Operation]
    sources: Sequence[tuple[int, ...]]
    slopes: Sequence[Tensor | None]

    def gradients(self, scale: Tensor | None, weight: Tensor | None) -> list[Tensor | None]:
        """The gradients of the weights for dLoss/dlogit [B] and dLoss/dnorm [B], either None for zero."""
        shape = (-1, *[1] * (self.x.dim() - 1))
        start = self.x.new_zeros(()) if scale is None else scale.view(shape) * self.x
        start = start if weight is None else torch.addcmul(start, 2 * weight.view(shape), self.slope)
        seen: dict[int, Tensor] = {0: start}
        last_reader = {number: reader for reader, read in enumerate(self.sources) for number in read}
        last = max((i for i, slope in enumerate(self.slopes) if slope is not None), default=-1)
        found: list[Tensor | None] = []
        for i, (operation, read, slope) in enumerate(zip(self.operations, self.sources, self.slopes, strict=True)):
            u = [seen[number] for number in read] if i <= last else []
            if slope is not None:
                found.extend(operation.gradients(u, slope, scale))
            else:
                found.extend([None] * len(operation.weights))
            if i < last:
                seen[i + 1] = operation.push(u, scale)
                for number in set(read):
                    if last_reader[number] == i:
                        del seen[number]
        return found


class _Weights(torch.autograd.Function):
    """Zeros [B] and the squared norms [B], whose gradients go to the weights."""

    @staticmethod
    def forward(ctx: Any, held: Held, norms: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        ctx.held = held
        ctx.save_for_backward(*weights)
        ctx.set_materialize_grads(False)
        return torch.zeros_like(norms), norms.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor | None, weight: Tensor | None) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        _ = ctx.saved_tensors  # torch complains here if weights have changed since
        if scale is None and weight is None:
            return (None, None, *[None] * len(ctx.saved_tensors))
        with torch.autocast(ctx.held.x.device.type, enabled=False):
            return (None, None, *ctx.held.gradients(scale, weight))


class _Input(torch.autograd.Function):
    """Zeros [B] whose gradients go to the critic's input: the slope is known. No node of its own weights stands behind it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return slope.new_zeros(len(x))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (slope,) = ctx.saved_tensors
        return scale.view(-1, *[1] * (slope.dim() - 1)) * slope, None


def with_held_kinks(logits: Tensor, tape: Tape, has_history: bool) -> tuple[Tensor, Tensor]:
    """Logits and squared norms, differentiable once with respect to the weights; the logits also to the input, if it has a history.

    The history that the logits have so far is used up.
    """
    wanted = [step.output for step in tape.steps if step.operation.weights]
    x, *found = torch.autograd.grad(logits.float().sum(), [tape.x, *wanted], allow_unused=True, materialize_grads=False)
    slope = torch.zeros_like(tape.x) if x is None else x
    slopes = iter(found)
    held = Held(
        tape.x.detach(),
        slope,
        [step.operation for step in tape.steps],
        [step.sources for step in tape.steps],
        [next(slopes) if step.operation.weights else None for step in tape.steps],
    )
    zeros, norms = _Weights.apply(held, slope.flatten(1).square().sum(1), *tape.weights)
    logits = logits.detach() + zeros
    return (logits + _Input.apply(tape.x, slope) if has_history else logits), norms
