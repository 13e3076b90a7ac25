"""The same crop and the same flip for both images of a pair, drawn from torch's generator by row."""

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.errors import UserError
from gansmith.training.seeds import uniform_rows


def cropped_together(
    a: Float[Tensor, "batch given height width"], b: Float[Tensor, "batch made tall wide"], side: int
) -> tuple[Float[Tensor, "batch given h w"], Float[Tensor, "batch made t w2"]]:
    """A random square of `side` pixels of each a, and the same place of its b, which may be a whole factor larger."""
    scale, (height, width) = b.shape[2] // a.shape[2], a.shape[2:]
    place = (uniform_rows(len(a), 2) * torch.tensor([height - side + 1, width - side + 1])).long().tolist()
    given = torch.stack([x[:, top : top + side, left : left + side] for x, (top, left) in zip(a, place, strict=True)])
    made = torch.stack(
        [
            x[:, scale * top : scale * (top + side), scale * left : scale * (left + side)]
            for x, (top, left) in zip(b, place, strict=True)
        ]
    )
    return given, made


def flipped_together(
    a: Float[Tensor, "batch given height width"], b: Float[Tensor, "batch made tall wide"]
) -> tuple[Float[Tensor, "batch given height width"], Float[Tensor, "batch made tall wide"]]:
    """Half of the pairs mirrored left to right."""
    flip = (uniform_rows(len(a), device=a.device) < 0.5).view(-1, 1, 1, 1)
    return torch.where(flip, a.flip(3), a), torch.where(flip, b.flip(3), b)


def varied_together(
    a: Float[Tensor, "batch given height width"], b: Float[Tensor, "batch made tall wide"], *, crop: int, flip: bool
) -> tuple[Float[Tensor, "batch given h w"], Float[Tensor, "batch made t w2"]]:
    """Pairs cropped to `crop` pixels of a (0: whole images) and, with `flip`, half of them mirrored."""
    if crop:
        a, b = cropped_together(a, b, crop)
    return flipped_together(a, b) if flip else (a, b)


def crop_for(asked: int, given: tuple[int, ...], usual: int) -> int:
    """The side of crops of images given [C, H, W]: what was asked for, else 0 (whole images), or the usual side of larger ones.

    Raises UserError where the images are smaller than what was asked for.
    """
    check_crop(asked, given)
    return asked or (min(usual, *given[1:]) if max(given[1:]) > usual else 0)


def check_crop(side: int, given: tuple[int, ...]) -> None:
    """Raises UserError where an image [C, H, W] is smaller than its crops."""
    if side > min(given[1:]):
        raise UserError(
            f"crops of {side} pixels do not fit into images of {given[2]}x{given[1]}: give a smaller --gan.crop, or a greater --resolution."
        )
