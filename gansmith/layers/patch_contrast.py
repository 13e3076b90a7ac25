"""The contrast of patches (Park et al. 2020, section 3): a place should look like itself in the other image, and unlike other places."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, relu

from gansmith.layers.initial import normal_weights

TEMPERATURE = 0.07


class PatchProjection(nn.Module):
    """For every layer of features two fully connected layers to 256 numbers of length 1."""

    def __init__(self, widths: list[int], made: int = 256) -> None:
        super().__init__()
        self.first = nn.ModuleList(nn.Linear(width, made) for width in widths)
        self.second = nn.ModuleList(nn.Linear(made, made) for _ in widths)
        normal_weights(self)

    def forward(self, features: list[Float[Tensor, "_ _ _ _"]], places: list[Tensor]) -> list[Float[Tensor, "_ _ _"]]:
        """The projected features at these places of each layer, rows and columns counted through."""
        found = []
        for x, place, first, second in zip(features, places, self.first, self.second, strict=True):
            x = x.flatten(2).movedim(1, 2)[:, place]
            found.append(normalize(second(relu(first(x))).float(), dim=2))
        return found


def random_places(features: list[Tensor], most: int) -> list[Tensor]:
    """For every layer at most so many places, the same in all images of all processes."""
    return [torch.randperm(x.shape[2] * x.shape[3], device=x.device)[:most] for x in features]


def patch_contrast(made: list[Float[Tensor, "_ _ _"]], given: list[Float[Tensor, "_ _ _"]]) -> Float[Tensor, ""]:
    """InfoNCE (equation 4): which of an image's places is this one? The mean over layers; the given side takes no gradient."""
    losses = []
    for query, key in zip(made, given, strict=True):
        logits = query @ key.detach().movedim(1, 2) / TEMPERATURE  # [B, P, P]
        own = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
        losses.append(cross_entropy(logits.flatten(0, 1), own.flatten()))
    return torch.stack(losses).mean()
