"""Three exact forms of the squared gradient norm of a critic, chosen by themselves (docs/exact-penalties.md).

- *Double backward* differentiates the graph of the gradient: any critic.
- *Held kinks* needs one pass for all weight gradients: critics made of the operations that the tape knows.
- *Forward mode* differentiates the directional derivative along the gradient: any critic, and `torch.compile` takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from gansmith.penalties.fused import with_held_kinks
from gansmith.penalties.tape import record

Critic = Callable[[Tensor], Tensor]
"""A batch of examples [B, ...] to logits [B] or [B, ...]; close over labels: `lambda x: critic(x, label)`."""

_compiler: ContextVar[Callable | None] = ContextVar("compiler of penalties", default=None)


@contextmanager
def compiled_with(compiler: Callable[[Callable], Callable] | None) -> Iterator[None]:
    """Inside, penalties are taken in forward mode through functions that `compiler` made; None leaves everything as it is."""
    token = _compiler.set(compiler)
    try:
        yield
    finally:
        _compiler.reset(token)


def obstacle(critic: Critic, x: Tensor) -> str | None:
    """The operation for which a critic is penalised by double backward; None if it takes the form with one weight pass."""
    return record(critic, x.detach().requires_grad_())[1].obstacle


def held_kinks_or_double_backward(critic: Critic, x: Tensor) -> tuple[Tensor, Tensor]:
    has_history = x.requires_grad
    logits, tape = record(critic, x if has_history else x.detach().requires_grad_())
    if tape.obstacle is None:
        return with_held_kinks(logits, tape, has_history)
    (gradient,) = torch.autograd.grad(logits.float().sum(), tape.x, create_graph=True)
    return logits, squared_norm(gradient)


def double_backward(critic: Critic, x: Tensor) -> tuple[Tensor, Tensor]:
    """The plain form, which the others equal."""
    x = x if x.requires_grad else x.detach().requires_grad_()
    logits = critic(x)
    (gradient,) = torch.autograd.grad(logits.float().sum(), x, create_graph=True)
    return logits, squared_norm(gradient)


def forward_mode(
    critic: Critic, x: Tensor, compiler: Callable[[Callable], Callable] = lambda function: function
) -> tuple[Tensor, Tensor]:
    """The squared norm by its value, and by the directional derivative along the constant gradient for its own gradient."""
    here = x if x.requires_grad else x.detach().requires_grad_()
    logits = critic(here)
    (gradient,) = torch.autograd.grad(logits.float().sum(), here, retain_graph=True)
    along = compiler(_directional)(critic, x.detach(), gradient)
    along = along.to(gradient.dtype)
    return logits, squared_norm(gradient) + 2 * (along - along.detach())


def _directional(critic: Critic, x: Tensor, direction: Tensor) -> Tensor:
    along = torch.func.jvp(critic, (x,), (direction,))[1]
    return along.flatten(1).sum(1) if along.dim() > 1 else along


def squared_norm(gradient: Tensor) -> Tensor:
    return gradient.flatten(1).square().sum(1)


def chosen(critic: Critic, x: Tensor) -> tuple[Tensor, Tensor]:
    compiler = _compiler.get()
    return held_kinks_or_double_backward(critic, x) if compiler is None else forward_mode(critic, x, compiler)
