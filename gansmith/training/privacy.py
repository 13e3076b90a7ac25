"""Differential privacy: what noisy sums over random parts of the data betray of any one example, and gradients that keep to it.

A step takes every example with the same probability (the rate, Poisson sampling), lets each contribute a vector of length at most 1,
and adds normal noise to the sum. Its Renyi divergences at several orders (Mironov, Talwar & Zhang 2019, Renyi differential privacy of
the sampled Gaussian mechanism, section 3.3) add up over the steps and become (epsilon, delta) at the end (Canonne, Kamath & Steinke
2020, The discrete Gaussian for differential privacy, proposition 12). Neighbouring data differ by one example more or less.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import gammaln, logsumexp, xlog1py
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from gansmith.errors import UserError

ORDERS = (*range(2, 65), 72, 80, 96, 128, 192, 256, 512)
"""Whole orders, whose divergences have a closed form."""
CHUNK = 64
"""Examples whose gradients are held at a time."""
LEAST, MAXIMUM = 0.3, 1000.0
"""Between which the noise is searched."""


def divergences(rate: float, noise: float) -> Float[np.ndarray, " orders"]:
    """The Renyi divergences, at ORDERS, of one step with this sampling rate and this deviation of the noise."""
    if rate == 0:
        return np.zeros(len(ORDERS))
    found = []
    for order in ORDERS:
        k = np.arange(order + 1.0)
        chances = gammaln(order + 1) - gammaln(k + 1) - gammaln(order - k + 1)
        drawn = k * math.log(rate) + xlog1py(order - k, -rate)
        found.append(logsumexp(chances + drawn + k * (k - 1) / (2 * noise**2)) / (order - 1))
    return np.array(found)


def epsilon_of(spent: Float[np.ndarray, " orders"], delta: float) -> float:
    """The least epsilon, at this delta, that the divergences allow to be claimed."""
    orders = np.array(ORDERS, float)
    bounds = spent + np.log1p(-1 / orders) - (math.log(delta) + np.log(orders)) / (orders - 1)
    return max(0.0, float(bounds.min()))


def noise_for(epsilon: float, delta: float, rate: float, steps: int, spent: Float[np.ndarray, " orders"] | None = None) -> float:
    """The least noise with which so many more steps keep the whole below epsilon, to 3 digits.

    Raises UserError if no noise would, because what is already spent is too much.
    """
    before = np.zeros(len(ORDERS)) if spent is None else spent
    low, high = LEAST, MAXIMUM
    if epsilon_of(before + steps * divergences(rate, high), delta) > epsilon:
        raise UserError(
            f"The privacy budget of epsilon {epsilon:g} is spent (or too small for {steps:,} more steps): begin anew, or raise epsilon."
        )
    while high - low > 1e-3 * low:
        middle = (low + high) / 2
        if epsilon_of(before + steps * divergences(rate, middle), delta) > epsilon:
            low = middle
        else:
            high = middle
    return high


def clipped_sum(
    network: nn.Module, loss: Callable[..., Tensor], examples: tuple[Tensor, ...], limit: float
) -> tuple[dict[str, Tensor], Tensor]:
    """(the sum over examples of the gradients of their losses, each shortened to the limit, by parameter; the losses).

    `loss` receives the network as a function and one example as a batch of one. Networks must not mix examples (no batch norm).
    """
    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}

    def of_one(weights: dict[str, Tensor], *example: Tensor) -> Tensor:
        return loss(lambda *inputs: functional_call(network, weights, inputs), *(part[None] for part in example))

    total, losses = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}, []
    for chunk in zip(*(part.split(CHUNK) for part in examples), strict=True):
        if not len(chunk[0]):
            continue
        gradients, values = vmap(grad_and_value(of_one), (None, *([0] * len(chunk))))(parameters, *chunk)
        norms = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients.values()]).norm(dim=0)
        shortened = (limit / norms.clamp_min(1e-12)).clamp_max(1)
        for name, gradient in gradients.items():
            total[name] += torch.einsum("b,b...->...", shortened, gradient)
        losses.append(values)
    return total, torch.cat(losses) if losses else torch.zeros(1)


def as_term(network: nn.Module, gradients: dict[str, Tensor], value: Tensor) -> Float[Tensor, ""]:
    """A scalar of this value whose gradient is these gradients."""
    inner = torch.stack([(gradients[name] * parameter).sum() for name, parameter in network.named_parameters()]).sum()
    return value.detach() + inner - inner.detach()
