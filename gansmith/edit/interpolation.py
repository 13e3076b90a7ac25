"""Walks between latent rows, straight or along the sphere."""

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.values import Frames, SomeSeeds, Truncation, checked
from gansmith.edit.studio import Studio
from gansmith.errors import UserError
from gansmith.model import Model

PATHS = ("spherical", "linear")


def linear(a: Float[Tensor, " *shape"], b: Float[Tensor, " *shape"], share: float) -> Float[Tensor, " *shape"]:
    """The point `share` of the way from a to b on a straight line."""
    return torch.lerp(a, b, share)


def spherical(a: Float[Tensor, " *shape"], b: Float[Tensor, " *shape"], share: float) -> Float[Tensor, " *shape"]:
    """The point `share` of the way from a to b on a great circle (Shoemake 1985; White 2016), the length changing evenly.

    Normal noise of many dimensions lies near a sphere, whose inside, which a straight line crosses, the generator never saw.
    """
    lengths = torch.lerp(a.norm(), b.norm(), share)
    cosine = (a.flatten() @ b.flatten() / (a.norm() * b.norm()).clamp_min(1e-12)).clamp(-1, 1)
    angle = cosine.arccos()
    if angle.sin() < 1e-4:  # the same direction, or opposite ones, between which no circle is the shortest
        return torch.lerp(a, b, share)
    mixed = torch.sin((1 - share) * angle) * a / a.norm() + torch.sin(share * angle) * b / b.norm()
    return lengths * mixed / angle.sin()


def walk(keys: Float[Tensor, "keys *shape"], frames: int, path: str = "spherical", loop: bool = False) -> Tensor:
    """[frames, ...]: evenly spaced points on the way through all keys, back to the first one if it is a loop.

    Raises UserError for an unknown path and for fewer than two keys.
    """
    if path not in PATHS:
        raise UserError(f"an interpolation is {' or '.join(PATHS)}, not {path!r}.")
    if len(keys) < 2 or frames < 2:
        raise UserError(f"an interpolation needs two seeds and two frames at least, but there are {len(keys)} and {frames}.")
    between = spherical if path == "spherical" else linear
    legs = len(keys) if loop else len(keys) - 1
    points = []
    for frame in range(frames):
        place = legs * frame / (frames if loop else frames - 1)
        leg = min(int(place), legs - 1)
        points.append(between(keys[leg], keys[(leg + 1) % len(keys)], place - leg))
    return torch.stack(points)


@checked
def interpolate(
    model: Model,
    seeds: SomeSeeds,
    *,
    frames: Frames = 60,
    path: str = "spherical",
    loop: bool = True,
    truncation: Truncation = 1.0,
    **where: str,
) -> list[Image.Image]:
    """The frames of a walk through the latent rows of these seeds, under one condition.

    Noise is interpolated before the mapping, if the generator has one. Raises UserError as `walk` does, and for equal seeds that follow
    each other.
    """
    ways = zip(seeds, [*seeds[1:], *(seeds[:1] if loop else ())], strict=False)
    if len(seeds) > 1 and (still := next((seed for seed, after in ways if seed == after), None)) is not None:
        end = " (the last one is followed by the first)" if loop else ""
        raise UserError(f"seed {still} follows itself{end}, and on that way nothing would move: give other --seeds.")
    studio = Studio(model)
    rows = walk(studio.latents(seeds), frames, path, loop)
    condition = studio.one_condition(frames, seeds[0], **where)
    return studio.pictures(studio.styles(rows, condition, truncation), condition)
