"""A trained GAN made ready to generate and nothing else: batch norms folded into convolutions, weights laid out for the machine."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from gansmith import kinds
from gansmith.data.codec import Batch
from gansmith.game import GAN

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
TRIED = 64
"""Examples on which the optimized GAN is compared with the one it came from."""
ROUNDING = 1e-3
"""The largest deviation that passes for rounding in float32, in examples between -1 and 1."""


@dataclass(frozen=True)
class Optimized:
    """A GAN at rest and how to call it."""

    gan: GAN
    bfloat16: bool
    """Whether to call it under bfloat16 autocast."""
    deviation: float
    """The mean absolute difference to the examples of the original GAN in float32."""

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float) -> Batch:
        return self._in_float32(lambda: self.gan.generate(n, condition, rng=rng, truncation=truncation))

    def generated(self, noise: Tensor, condition: Batch, truncation: float) -> Batch:
        """The examples of noise [n, D] that was drawn before; see `GAN.generated`."""
        return self._in_float32(lambda: self.gan.generated(noise, condition, truncation))

    def _in_float32(self, make: Callable[[], Batch]) -> Batch:
        with torch.autocast(self.gan.device.type, torch.bfloat16, enabled=self.bfloat16):
            made = make()
        return {key: tensor.float() if tensor.dtype == torch.bfloat16 else tensor for key, tensor in made.items()}


@torch.inference_mode()
def optimize_for_inference(gan: GAN, condition: Batch, bfloat16: bool = False) -> Optimized:
    """A copy of the GAN that makes the same examples faster. `condition` holds the conditions of TRIED examples.

    Each step is kept only if it changes no more than rounding does; bfloat16, if it stays below half a step of 8 bits on average. Tokens,
    which are drawn, change by leaps: a GAN that makes them stays as it is, and is not tried out.
    """
    gan = gan.eval()
    if not _tried(gan, {key: value[:1] for key, value in condition.items()}, 1).is_floating_point():
        return Optimized(copy.deepcopy(gan), False, 0.0)
    expected = _tried(gan, condition).float()

    def deviation(found: Optimized) -> Tensor:
        return (_tried(found, condition).float() - expected).abs()

    plain = Optimized(copy.deepcopy(gan), False, 0.0)
    folded = Optimized(_folded(copy.deepcopy(gan), condition), False, 0.0)
    differs = deviation(folded)
    best = Optimized(folded.gan, False, float(differs.mean())) if float(differs.max()) <= ROUNDING else plain
    if bfloat16:
        lowered = Optimized(_lowered(copy.deepcopy(best.gan)), True, 0.0)
        mean = float(deviation(lowered).mean())
        if mean <= (kinds.find(gan.spec.kind).rounding or 0.0):
            return Optimized(lowered.gan, True, mean)
    return best


def _tried(gan: GAN | Optimized, condition: Batch, count: int = TRIED) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    made = gan.generate(count, condition, rng=rng, truncation=1.0)
    return made[(gan.gan if isinstance(gan, Optimized) else gan).spec.key]


def _folded(gan: GAN, condition: Batch) -> GAN:
    """Batch norms that see a convolution's output alone become part of it; convolutions are laid out channels-last."""
    networks = [gan.players[name].averaged for name in gan.makers]
    last: list[tuple[Tensor, nn.Module]] = []
    pairs: dict[nn.BatchNorm2d, nn.Module] = {}

    def note(layer: nn.Module, _: Any, output: Tensor) -> None:
        last[:] = [(output, layer)]

    def match(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if last and last[0][0] is inputs[0] and isinstance(norm, nn.BatchNorm2d):
            pairs[norm] = last[0][1]

    hooks = []
    for network in networks:
        for layer in network.modules():
            if isinstance(layer, CONVOLUTIONS) and not parametrize.is_parametrized(layer):
                hooks.append(layer.register_forward_hook(note))
            elif isinstance(layer, nn.BatchNorm2d):
                hooks.append(layer.register_forward_pre_hook(match))
    _tried(gan, condition)
    for hook in hooks:
        hook.remove()
    for norm, layer in pairs.items():
        _fold(layer, norm)
    for network in networks:
        for parent in list(network.modules()):
            for name, child in parent.named_children():
                if child in pairs:
                    setattr(parent, name, nn.Identity())
        for layer in network.modules():  # one by one: Module.to would ask the same of the five dimensions of volumes, and fail
            if isinstance(layer, CONVOLUTIONS) and not parametrize.is_parametrized(layer):
                layer.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue], an overload that torch does not type
    return gan


def _fold(layer: nn.Module, norm: nn.BatchNorm2d) -> None:
    """y = (W x + b - m) s + t becomes y = (s W) x + ((b - m) s + t), with s = weight / sqrt(variance + eps)."""
    assert isinstance(layer, CONVOLUTIONS) and norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    bias = layer.bias if layer.bias is not None else torch.zeros_like(scale)
    if isinstance(layer, nn.ConvTranspose2d):  # [in, out / groups, ...]
        weight = layer.weight.unflatten(0, (layer.groups, -1)) * scale.view(layer.groups, 1, -1, 1, 1)
        layer.weight = nn.Parameter(weight.flatten(0, 1), requires_grad=False)
    else:
        layer.weight = nn.Parameter(layer.weight * scale.view(-1, 1, 1, 1), requires_grad=False)
    layer.bias = nn.Parameter((bias - norm.running_mean) * scale + norm.bias, requires_grad=False)


def _lowered(gan: GAN) -> GAN:
    """What autocast would turn into bfloat16 at every call is turned once."""
    for name in gan.makers:
        for layer in gan.players[name].averaged.modules():
            if isinstance(layer, (*CONVOLUTIONS, nn.Linear)) and not parametrize.is_parametrized(layer):
                layer.to(torch.bfloat16)
    return gan
