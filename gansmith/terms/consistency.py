"""Consistency regularisation: a critic should not mind a harmless change of its input, a generator should mind one of its noise."""

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.training.seeds import normal_rows, uniform_rows

SHIFT = 0.125
"""The largest translation, in parts of the side."""


def consistency(before: Float[Tensor, "batch *any"], after: Float[Tensor, "batch *any"]) -> Float[Tensor, ""]:
    """The mean squared difference of the critic's logits before and after a change of each example.

    CR (Zhang et al. 2020, equation 4) for augmented real examples; bCR (Zhao et al. 2021, algorithm 1) adds augmented generated
    ones; zCR's term for the critic (algorithm 2) compares examples generated from noise and from perturbed noise.
    """
    return (before.float() - after.float()).square().mean()


def latent_insistence(example: Float[Tensor, "batch *shape"], perturbed: Float[Tensor, "batch *shape"]) -> Float[Tensor, ""]:
    """zCR's term for the generator (Zhao et al. 2021, algorithm 2): minus the mean squared change of the examples."""
    return -consistency(example, perturbed)


def nearby(noise: Float[Tensor, "batch noise"], deviation: float) -> Float[Tensor, "batch noise"]:
    """Noise perturbed by normal noise of this deviation."""
    return noise + deviation * normal_rows(*noise.shape, device=noise.device)


def flipped_and_shifted(images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
    """The augmentation of the papers: flipped half of the time, and moved by a few whole pixels; mirrored at the border."""
    draws = uniform_rows(len(images), 3, device=images.device)
    images = torch.where((draws[:, 0] < 0.5).view(-1, 1, 1, 1), images.flip(3), images)
    for dimension, draw in ((2, draws[:, 1]), (3, draws[:, 2])):
        size = images.shape[dimension]
        most = int(size * SHIFT + 0.5)
        moved = torch.arange(size, device=images.device) + ((2 * most + 1) * draw).long()[:, None] - most  # [B, size]
        source = size - 1 - (size - 1 - moved.abs()).abs()  # reflected at both ends
        source = source[:, None, :, None] if dimension == 2 else source[:, None, None, :]
        images = images.gather(dimension, source.expand_as(images))
    return images
