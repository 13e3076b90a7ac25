"""A real picture's place in the latent space: the latent whose picture is nearest to it, and how near that is.

Found by gradient descent on the noise (or on the styles of a generator that has a mapping; Abdal et al. 2019, Image2StyleGAN) from
some of the nearest of random pictures. The distance is the squared difference of the pictures and of their averages over 2, 4, 8 ...
pixels. Noise is held at the length that noise has.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gansmith.data.codec import Batch
from gansmith.data.values import Frames, Rate, Seed, Steps, checked
from gansmith.edit.interpolation import walk
from gansmith.edit.studio import Studio
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import Stack
from gansmith.kinds.images.codec import Picture
from gansmith.kinds.images.metrics.structural_similarity import ms_ssim
from gansmith.model import Model

STARTS = 256
"""Random pictures of which the nearest are starts."""
TRIED = 4
"""Starts, each of another class where there are classes."""


@dataclass(frozen=True)
class Likeness:
    """How near one picture is to another."""

    psnr: float
    """Peak signal-to-noise ratio in decibels; more is nearer."""
    ms_ssim: float
    """Multi-scale structural similarity; 1 for equal pictures."""


@dataclass(frozen=True)
class Projection:
    """A picture's latent and what it paints."""

    style: Tensor
    """[1, D] or [1, L, W]."""
    condition: Batch
    target: Picture
    """The picture as the model's codec fits it."""
    painted: Picture
    start: Picture
    """The nearest of the random pictures."""
    likeness: Likeness
    likeness_of_start: Likeness
    """The trivial baseline: how near the nearest of STARTS random pictures is."""

    def sentence(self) -> str:
        return (
            f"PSNR {self.likeness.psnr:.1f} dB and MS-SSIM {self.likeness.ms_ssim:.3f}, where the nearest of {STARTS} random "
            f"pictures has {self.likeness_of_start.psnr:.1f} dB and {self.likeness_of_start.ms_ssim:.3f}."
        )


@checked
def project(
    model: Model,
    picture: Picture,
    *,
    steps: Steps = 300,
    rate: Rate = 0.05,
    seed: Seed = 0,
    where: Mapping[str, str] | None = None,
) -> Projection:
    """The projection of a picture. Its class, if none is given, is the one of the best of the starts.

    Raises UserError for a picture whose numbers the model's codec cannot hold.
    """
    studio = Studio(model)
    gan, codec = studio.gan, studio.codec
    opened = picture.image if picture.values is None else Stack(picture.values)
    try:
        pixels = codec.pixels(opened)
    except UserError:
        raise
    except ValueError as error:  # other channels, NaN and infinite numbers
        raise UserError(f"the picture {error}: give one like those the model was trained on.") from error
    target = codec.unpack({"image": pixels[None]})["image"]
    rng = torch.Generator().manual_seed(seed)
    condition = codec.conditions(STARTS, rng, **(where or {}))
    styles = studio.styles(gan.latent(STARTS, rng), condition)
    made = torch.cat([batch["image"] for batch in studio.batches(styles, condition)])
    starts = _nearest(distance(made, target.expand_as(made)), condition)
    found, winner = _descend(
        studio, styles[starts], {key: value[starts] for key, value in condition.items()}, target, steps, rate
    )
    (first,) = studio.batches(styles[starts[:1]], {key: value[starts[:1]] for key, value in condition.items()})
    condition = {key: value[starts[winner : winner + 1]] for key, value in condition.items()}
    (best,) = studio.batches(found, condition)
    return Projection(
        style=found.cpu(),
        condition=condition,
        target=codec.decode({"image": target, **condition})[0],
        painted=codec.decode(best)[0],
        start=codec.decode(first)[0],
        likeness=likeness(best["image"], target),
        likeness_of_start=likeness(first["image"], target),
    )


def _nearest(distances: Tensor, condition: Batch) -> Tensor:
    """The positions of the TRIED nearest pictures, of different classes where there are several."""
    order, label = distances.argsort().tolist(), condition.get("label")
    if label is None or label.is_floating_point() or len(label.unique()) == 1:
        return torch.tensor(order[:TRIED])
    first: dict[int, int] = {}
    for position in order:
        first.setdefault(int(label[position]), position)
    return torch.tensor([*first.values()][:TRIED])


def _descend(studio: Studio, starts: Tensor, condition: Batch, target: Tensor, steps: int, rate: float) -> tuple[Tensor, int]:
    """The best style [1, ...] met on the way down from any start, and from which."""
    gan, device = studio.gan.eval(), studio.gan.device
    target, on_sphere = target.to(device).expand(len(starts), -1, -1, -1), starts.dim() == 2
    style = starts.detach().clone().to(device).requires_grad_()
    optimiser = torch.optim.Adam([style], lr=rate)
    best, lowest, winner = starts[:1], torch.inf, 0
    for step in range(steps + 1):
        losses = distance(gan.paint(style, condition)["image"].float(), target)
        if (now := float(losses.detach().min())) < lowest:
            winner, lowest = int(losses.argmin()), now
            best = style[winner : winner + 1].detach().clone()
        optimiser.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / (steps + 1))) / 2
        (style.grad,) = torch.autograd.grad(losses.sum(), style)
        optimiser.step()
        if on_sphere:
            with torch.no_grad():
                style.mul_(starts.shape[1] ** 0.5 / style.norm(dim=1, keepdim=True))
    return best, winner


def distance(a: Float[Tensor, "batch channels h w"], b: Float[Tensor, "batch channels h w"]) -> Float[Tensor, " batch"]:
    """The mean squared difference of pictures, summed over them and their averages over 2, 4, 8 ... pixels."""
    total = (a - b).square().mean((1, 2, 3))
    while min(a.shape[2:]) >= 8:
        a, b = avg_pool2d(a, 2), avg_pool2d(b, 2)
        total = total + (a - b).square().mean((1, 2, 3))
    return total


def likeness(a: Float[Tensor, "1 channels h w"], b: Float[Tensor, "1 channels h w"]) -> Likeness:
    """How near two pictures in [-1, 1] are, the first one cut to that range."""
    a, b = (a.float().clamp(-1, 1) + 1) / 2, (b.float() + 1) / 2
    error = (a - b).square().mean().clamp_min(1e-10)
    return Likeness(psnr=float(-10 * error.log10()), ms_ssim=float(ms_ssim(a, b)))


@checked
def fuse(model: Model, first: Projection, second: Projection, *, frames: Frames = 9) -> list[Picture]:
    """Pictures on the way from one projection to the other: along the sphere in noise, straight in styles; classes change midway,
    attributes evenly."""
    studio = Studio(model)
    kind = "spherical" if first.style.dim() == 2 else "linear"
    styles = walk(torch.cat([first.style, second.style]), frames, kind)
    shares = torch.linspace(0, 1, frames)
    condition = {}
    for key, value in first.condition.items():
        a, b = value[0], second.condition[key][0]
        mixed = [torch.lerp(a, b, share) if a.is_floating_point() else (b if share > 0.5 else a) for share in shares.tolist()]
        condition[key] = torch.stack(mixed)
    return studio.painted(styles, condition)
