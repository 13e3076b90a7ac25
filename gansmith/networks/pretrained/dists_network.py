"""DISTS: image quality by structure and texture (Ding et al. 2020, Image quality assessment: unifying structure and texture similarity).

Means of a VGG16's maps tell textures apart, covariances structures; how much each channel of each counts was fitted to people's judgements.
Other than LPIPS it forgives texture that lies elsewhere.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d

from gansmith.errors import UserError
from gansmith.networks.pretrained.given import with_channels
from gansmith.networks.pretrained.perceptual_network import TRUNK_SOURCE, TRUNKS, vgg16
from gansmith.networks.pretrained.weights import find_weights, weights_at_hand

WEIGHTS = ("dists-0.1.pt", "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218", "GANSMITH_DISTS")
SOURCE = "https://raw.githubusercontent.com/dingkeyan93/DISTS/master/DISTS_pytorch/weights.pt"
CHANNELS = (3, 64, 128, 256, 512, 512)
"""Of the image itself and of the maps that are read."""
STABILISER = 1e-6

Images = Float[Tensor, "batch channels height width"]


class DISTS(nn.Module):
    """The distance, with the weights of its authors' package, on VGG16 in torchvision's layout. Images keep their size."""

    mean: Tensor
    deviation: Tensor
    window: Tensor
    alpha: Tensor
    beta: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.name = "dists-vgg"
        self.features, self.read = vgg16()
        taps = torch.from_numpy(np.hanning(5)[1:-1]).float()
        self.register_buffer("window", torch.outer(taps, taps) / taps.sum() ** 2)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        for name in ("alpha", "beta"):
            self.register_buffer(name, torch.ones(sum(CHANNELS)))

    @classmethod
    def pretrained(cls) -> "DISTS":
        """With its weights, which are fetched once; raises UserError if they cannot be, or are not in their usual layout."""
        trunk, trunk_sum, trunk_variable = TRUNKS["vgg"]
        file, weights_sum, variable = WEIGHTS
        name = "DISTS on VGG16"
        trunk_path = find_weights(name, variable=trunk_variable, urls=[TRUNK_SOURCE + trunk], sha256=trunk_sum, file=trunk)
        path = find_weights(name, variable=variable, urls=[SOURCE], sha256=weights_sum, file=file)
        return cls().loaded(trunk_path, path)

    def loaded(self, trunk: Path, weights: Path) -> "DISTS":
        """Itself with the weights of these files."""
        try:
            state = torch.load(trunk, map_location="cpu", weights_only=True)
            own = {key.removeprefix("features."): tensor for key, tensor in state.items() if key.startswith("features.")}
            self.features.load_state_dict(own)
        except Exception as error:  # torch raises half a dozen kinds for what is no such file
            raise UserError(f"{trunk} should hold VGG16 in torchvision's layout, but it does not: fetch it again.") from error
        try:
            state = torch.load(weights, map_location="cpu", weights_only=True)
            self.alpha.copy_(state["alpha"].detach().flatten())
            self.beta.copy_(state["beta"].detach().flatten())
        except Exception as error:
            raise UserError(f"{weights} should hold the weights of DISTS 0.1, but it does not: fetch it again.") from error
        return self.eval().requires_grad_(False)

    def maps(self, images: Float[Tensor, "batch 3 height width"]) -> Iterator[Tensor]:
        """The image from 0 to 1, and what the layers that are read answer to it; maximum pools are replaced by smooth ones."""
        yield images
        x = (images - self.mean) / self.deviation
        for index, layer in list(enumerate(self.features.children()))[: self.read[-1] + 1]:
            x = self._pooled(x) if isinstance(layer, nn.MaxPool2d) else layer(x)
            if index in self.read:
                yield x

    def _pooled(self, x: Tensor) -> Tensor:
        """The root of the squares under a Hann window, at every other place (equation 3)."""
        kernel = self.window.expand(x.shape[1], 1, 3, 3)
        return (conv2d(x.square(), kernel, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt()

    def forward(self, first: Images, second: Images) -> Float[Tensor, " batch"]:
        """The distance of each image in [-1, 1] from its partner, on the CPU (equations 5 to 7)."""
        both = with_channels(torch.cat([first, second]).to(self.mean.device), 3).add(1).div(2)
        total = self.alpha.sum() + self.beta.sum()
        similarity = torch.zeros(len(first), device=both.device)
        for maps, alpha, beta in zip(self.maps(both), self.alpha.split(CHANNELS), self.beta.split(CHANNELS), strict=True):
            x, y = maps.flatten(2).chunk(2)
            mean_x, mean_y = x.mean(2), y.mean(2)
            texture = (2 * mean_x * mean_y + STABILISER) / (mean_x.square() + mean_y.square() + STABILISER)
            across = (x * y).mean(2) - mean_x * mean_y
            spread = x.var(2, correction=0) + y.var(2, correction=0)
            structure = (2 * across + STABILISER) / (spread + STABILISER)
            similarity = similarity + (alpha * texture + beta * structure).sum(1) / total
        return (1 - similarity).cpu()


def dists_at_hand() -> str | None:
    """Which files hold the weights of DISTS if they are on this machine already, else None; fetches nothing."""
    trunk, trunk_sum, trunk_variable = TRUNKS["vgg"]
    file, weights_sum, variable = WEIGHTS
    paths = (
        weights_at_hand(trunk, variable=trunk_variable, sha256=trunk_sum, file=trunk),
        weights_at_hand(file, variable=variable, sha256=weights_sum, file=file),
    )
    found = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths if path]
    return " ".join(found) if len(found) == len(paths) else None
