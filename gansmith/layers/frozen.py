"""A trained network that is never moved, as a source of feature maps."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.data.programs import allow_program
from gansmith.errors import UserError, missing_extra
from gansmith.networks.pretrained.given import Given, resized, with_channels
from gansmith.networks.pretrained.pretrained import Prepared
from gansmith.networks.pretrained.stored import from_function, from_script

if TYPE_CHECKING:
    from gansmith.game import GAN

LEVELS = 4
"""The deepest maps of a network of timm."""


def frozen_network(requested: str) -> Given:
    """The network that is asked for: "timm:NAME" with its published weights, "FILE.py:FUNCTION", whose function returns a torch module, or
    "FILE.pt", a TorchScript file. It answers a batch of images with a map [B, C, h, w] or a list of maps.

    Raises UserError for anything else, and where there is no such network.
    """
    if requested.startswith("timm:"):
        return _of_timm(requested.removeprefix("timm:"))
    if python := re.fullmatch(r"(.+\.py):(\w+)", requested):
        return from_function(Path(python[1]).expanduser(), python[2])
    if requested.endswith(".pt"):
        return from_script(Path(requested).expanduser())
    came = f"it is {requested!r}" if requested else "none was given"
    raise UserError(
        "A projected critic judges by the feature maps of a trained network, and "
        f"{came}: give --gan.features as timm:NAME, FILE.py:FUNCTION or FILE.pt, or choose --gan fastgan, which needs none."
    )


def _of_timm(name: str) -> Given:
    if ":" in name:  # hf-hub:USER/NAME, local-dir:PATH
        allow_program(f"timm:{name}", "may be a pickle of its author")
    try:
        import timm  # pyright: ignore[reportMissingImports], an extra
        import timm.data  # pyright: ignore[reportMissingImports]
    except (ImportError, RuntimeError) as error:  # the latter where torchvision was built for another torch
        raise missing_extra("timm", "features", f"The feature network {name}") from error
    try:
        network = timm.create_model(name, pretrained=True, features_only=True)
    except Exception as error:  # timm's own errors, the hub's, and every kind of missing network
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"timm:{name} could not be loaded as a network of feature maps ({reason}): check the name, and go online once for its weights."
        ) from error
    own = timm.data.resolve_model_data_config(network)
    size, way = own["input_size"][1:], own["interpolation"]
    return Given(Prepared(network, size=size, interpolation=way, mean=own["mean"], deviation=own["std"]), name=name)


class FrozenFeatures(nn.Module):
    """Images [B, C, H, W] in [-1, 1] to the network's last maps, the largest first. Gradients flow to the images, never to weights."""

    def __init__(self, requested: str) -> None:
        super().__init__()
        given = frozen_network(requested)
        if not isinstance(given.network, nn.Module):
            raise UserError(
                f"{requested} should be a torch module, through which gradients flow to the images: let it return one."
            )
        self.network = given.network.eval()
        for weight in self.network.parameters():  # TorchScript has no requires_grad_ of the whole
            weight.requires_grad_(False)
        self.size, self.channels, self.mode, self.requested = given.size, given.channels, given.mode, requested

    def train(self, mode: bool = True) -> "FrozenFeatures":
        """It stays as it was trained."""
        return super().train(False)

    def forward(self, images: Float[Tensor, "batch _ _ _"]) -> list[Tensor]:
        """Raises UserError where the network answers with anything but maps."""
        maps = self.network(resized(with_channels(images.float(), self.channels), self.size, self.mode))
        maps = [maps] if isinstance(maps, Tensor) else list(maps)
        if not maps or any(one.dim() != 4 for one in maps):
            shapes = ", ".join(str(list(one.shape)) for one in maps) or "nothing"
            raise UserError(
                f"{self.requested} should answer with maps [B, C, h, w], but {shapes} came: take the output of an earlier layer."
            )
        return maps[-LEVELS:]


def features_for_training(gan: "GAN", requested: str) -> FrozenFeatures | None:
    """The network of a perceptual term, or None without a request.

    Where it cannot be loaded, the GAN still generates, and `gan.untrainable` is the reason that is raised when it is trained.
    """
    try:
        return FrozenFeatures(requested) if requested else None
    except UserError as error:
        gan.untrainable = error
        return None


class RandomProjection(nn.Module):
    """Mixes the maps of all levels by fixed random convolutions, so that a critic of one level sees of all (Sauer et al. 2021, 3.2)."""

    def __init__(self, channels: list[int], width: int) -> None:
        super().__init__()
        self.across_channels = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.across_scales = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels[1:])
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.requires_grad_(False)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """As many maps [B, width, h, w], of the same sides."""
        mixed = [layer(one) for layer, one in zip(self.across_channels, maps, strict=True)]
        for level in reversed(range(len(mixed) - 1)):
            below = self.across_scales[level](mixed[level + 1])
            below = torch.nn.functional.interpolate(below, size=mixed[level].shape[2:], mode="bilinear", align_corners=False)
            mixed[level] = (mixed[level] + below) / 2**0.5
        return mixed
