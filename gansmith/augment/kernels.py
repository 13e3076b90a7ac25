"""Random blur kernels (Wang et al. 2021, Real-ESRGAN, section 3.1): Gaussians, generalised and plateau-shaped ones, and sinc filters."""

from math import pi

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad

from gansmith.training.seeds import uniform_rows

SHAPES = (0.60, 0.85, 1.0)
"""Shares of Gaussian, generalised Gaussian and plateau kernels, added up; a quarter to a third of each is not round."""
ROUND = 0.65


def random_kernels(
    n: int, *, side: int, sigma: tuple[float, float], sinc: float, device: torch.device | str | None = None
) -> Float[Tensor, "n side side"]:
    """n kernels [side, side] that sum to 1: with probability `sinc` a low-pass filter with ringing, else a bell of width `sigma`."""
    chance = uniform_rows(n, 8, device=device)
    first = sigma[0] + (sigma[1] - sigma[0]) * chance[:, 0]
    second = torch.where(chance[:, 2] < ROUND, first, sigma[0] + (sigma[1] - sigma[0]) * chance[:, 1])
    power = torch.where(
        chance[:, 4] < SHAPES[0], 1.0, torch.where(chance[:, 4] < SHAPES[1], 0.5 + 3.5 * chance[:, 5], 1.0 + chance[:, 5])
    )
    bells = _bells(side, first, second, pi * (chance[:, 3] * 2 - 1), power, plateau=chance[:, 4] >= SHAPES[1])
    waves = _sinc(side, pi / 3 + (pi - pi / 3) * chance[:, 6])
    return torch.where((chance[:, 7] < sinc)[:, None, None], waves, bells)


def blurred(x: Float[Tensor, "n channels height width"], kernels: Float[Tensor, "n side side"]) -> Float[Tensor, "n c h w"]:
    """Each image by its own kernel, mirrored (or, where too small, repeated) at its edges."""
    n, channels, height, width = x.shape
    reach = kernels.shape[1] // 2
    mode = "reflect" if min(height, width) > reach else "replicate"
    grown = pad(x, (reach, reach, reach, reach), mode=mode).flatten(0, 1)[None]
    weights = kernels.repeat_interleave(channels, 0)[:, None].to(x.dtype)
    return conv2d(grown, weights, groups=n * channels).view(n, channels, height, width)


def gaussian_kernel(side: int, sigma: float) -> Float[Tensor, "1 side side"]:
    """One round Gaussian."""
    width = torch.tensor([sigma])
    return _bells(side, width, width, torch.zeros(1), torch.ones(1), plateau=torch.zeros(1, dtype=torch.bool))


def _bells(side: int, first: Tensor, second: Tensor, angle: Tensor, power: Tensor, plateau: Tensor) -> Tensor:
    """exp(-d^power / 2), or on a plateau 1 / (1 + d^power), of the squared distance d in units of both widths, turned by the angle."""
    axis = torch.arange(side, device=first.device) - (side - 1) / 2
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    cosine, sine = (turn.view(-1, 1, 1) for turn in (angle.cos(), angle.sin()))
    along, across = cosine * columns + sine * rows, cosine * rows - sine * columns
    distance = (along / first.view(-1, 1, 1)).square() + (across / second.view(-1, 1, 1)).square()
    raised = distance.clamp_min(1e-12) ** power.view(-1, 1, 1)
    kernels = torch.where(plateau.view(-1, 1, 1), 1 / (1 + raised), (-raised / 2).exp())
    return kernels / kernels.sum((1, 2), keepdim=True)


def _sinc(side: int, cutoff: Tensor) -> Tensor:
    """The round low-pass filter J1(w r) w / (2 pi r) (equation 6)."""
    axis = torch.arange(side, device=cutoff.device) - (side - 1) / 2
    radius = (axis[:, None].square() + axis[None, :].square()).sqrt()[None]
    cutoff = cutoff.view(-1, 1, 1)
    filters = cutoff * torch.special.bessel_j1(cutoff * radius) / (2 * pi * radius.clamp_min(1e-6))
    filters = torch.where(radius == 0, cutoff.square() / (4 * pi), filters)
    return filters / filters.sum((1, 2), keepdim=True)
