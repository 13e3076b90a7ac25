"""The start of layers that paint or read patches of pixels at one position each (sub-pixel convolution, Shi et al. 2016)."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def start_even(painting: nn.Module, patch: int) -> None:
    """Gives all pixels of a patch the weights of its first one (Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution").

    The layer's own parameters have `channels * patch^2` rows, as `pixel_shuffle` takes them. With weights of their own, the pixels of
    all patches show the same pattern at first.
    """
    for parameter in painting.parameters(recurse=False):
        pixels = parameter.unflatten(0, (-1, patch**2))
        pixels.copy_(pixels[:, :1].clone().expand_as(pixels))


@torch.no_grad()
def read_evenly(weight: Tensor, patch: int) -> None:
    """Gives all pixels of a patch the same weights [outputs, channels * patch^2, ...] in a layer after `pixel_unshuffle`.

    A critic that starts with weights of their own wants the same pattern in all patches, and its generator paints it before anything
    else; a short training does not get rid of it. Each pixel learns on its own afterwards.
    """
    pixels = weight.unflatten(1, (-1, patch**2))
    pixels.copy_(pixels[:, :, :1].clone().expand_as(pixels))
