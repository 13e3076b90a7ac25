"""Perceptual distances between images: how differently a network's convolution layers answer to them (Zhang et al. 2018).

At every place of a layer the activations are scaled to unit length; squared differences are weighted by channel, averaged over
space and summed over layers (equation 1). LPIPS does so with published networks and weights that were fitted to people's
judgements; `kinds.images.features.classifier.OnTheSpot` does so with equal weights and needs no download.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gansmith.errors import UserError
from gansmith.networks.pretrained.given import with_channels
from gansmith.networks.pretrained.weights import find_weights, weights_at_hand

SMALLEST, LARGEST = 64, 256
"""Images are brought to sides between these: patches of 64 were what people judged, and AlexNet takes no fewer than 32."""
EPSILON = 1e-10

Images = Float[Tensor, "batch channels height width"]
Net = Literal["alex", "vgg"]

TRUNKS = {
    "alex": (
        "alexnet-owt-7be5be79.pth",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        "GANSMITH_ALEXNET",
    ),
    "vgg": ("vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0", "GANSMITH_VGG16"),
}
HEADS = {
    "alex": ("df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0", "GANSMITH_LPIPS_ALEX"),
    "vgg": ("a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868", "GANSMITH_LPIPS_VGG"),
}
TRUNK_SOURCE = "https://download.pytorch.org/models/"
HEAD_SOURCE = "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/"


def distance(
    layers: Iterable[Float[Tensor, "two_batches _ _ _"]], weights: Sequence[Float[Tensor, " _"]] | None = None
) -> Float[Tensor, " batch"]:
    """The distance of the first to the second half of a batch, given what each layer answers to it; without weights, all are 1."""
    total = torch.zeros(())
    for index, maps in enumerate(layers):
        first, second = (maps / (maps.square().sum(1, keepdim=True).sqrt() + EPSILON)).chunk(2)
        differences = (first - second).square()
        if weights is not None:
            differences = differences * weights[index].view(-1, 1, 1)
        total = total + differences.sum(1).mean((1, 2)).cpu()
    return total


def within_sides(images: Float[Tensor, "batch channels _ _"]) -> Float[Tensor, "batch channels _ _"]:
    """Images enlarged to a smaller side of 64, or shrunk to a larger side of 256, with antialiasing."""
    height, width = images.shape[-2:]
    scale = max(min(1.0, LARGEST / max(height, width)), SMALLEST / min(height, width))
    if scale == 1:
        return images
    return interpolate(images, size=(round(height * scale), round(width * scale)), mode="bilinear", antialias=True)


class LPIPS(nn.Module):
    """The learned perceptual image patch similarity, version 0.1, on AlexNet or VGG16.

    Names of parameters are those of torchvision's weight files (`features.0.weight`) and of the lpips package's
    (`lin0.model.1.weight`). Equal to that package in value for images within 64 and 256 pixels.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net, self.name = net, f"lpips-{net}"
        self.features, self.read = alexnet() if net == "alex" else vgg16()
        widths = [layer.out_channels for index in self.read if isinstance(layer := self.features[index - 1], nn.Conv2d)]
        self.heads = nn.ParameterList(torch.ones(width) for width in widths)
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1))

    @classmethod
    def pretrained(cls, net: Net) -> "LPIPS":
        """With its weights, which are fetched once; raises UserError if they cannot be, or are not in their usual layout."""
        trunk, trunk_sum, trunk_variable = TRUNKS[net]
        head_sum, head_variable = HEADS[net]
        name = "LPIPS on " + ("AlexNet" if net == "alex" else "VGG16")
        trunk_path = find_weights(name, variable=trunk_variable, urls=[TRUNK_SOURCE + trunk], sha256=trunk_sum, file=trunk)
        head_path = find_weights(
            name, variable=head_variable, urls=[f"{HEAD_SOURCE}{net}.pth"], sha256=head_sum, file=head_file(net)
        )
        return cls(net).loaded(trunk_path, head_path)

    def loaded(self, trunk: Path, heads: Path) -> "LPIPS":
        """Itself with the weights of these files."""
        try:
            state = torch.load(trunk, map_location="cpu", weights_only=True)
            self.features.load_state_dict(
                {key.removeprefix("features."): tensor for key, tensor in state.items() if key.startswith("features.")}
            )
        except Exception as error:  # torch raises half a dozen kinds for what is no such file
            raise UserError(
                f"{trunk} should hold {self.net} in torchvision's layout, but it does not: fetch it again."
            ) from error
        try:
            state = torch.load(heads, map_location="cpu", weights_only=True)
            for index, head in enumerate(self.heads):
                head.data.copy_(state[f"lin{index}.model.1.weight"].view_as(head))
        except Exception as error:
            raise UserError(
                f"{heads} should hold the weights of lpips {self.net} 0.1, but it does not: fetch it again."
            ) from error
        return self.eval().requires_grad_(False)

    def activations(self, images: Float[Tensor, "batch 3 height width"]) -> Iterator[Tensor]:
        """What the layers that are read answer to images in [-1, 1]."""
        x = (images - self.shift) / self.scale
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.read:
                yield x

    def forward(self, first: Images, second: Images) -> Float[Tensor, " batch"]:
        """The distance of each image in [-1, 1] from its partner, on the CPU."""
        images = within_sides(with_channels(torch.cat([first, second]).to(self.shift.device), 3))
        return distance(self.activations(images), list(self.heads))


def lpips_at_hand(net: Net) -> str | None:
    """Which files hold the weights of LPIPS if they are on this machine already, else None; fetches nothing."""
    trunk, trunk_sum, trunk_variable = TRUNKS[net]
    head_sum, head_variable = HEADS[net]
    paths = (
        weights_at_hand(trunk, variable=trunk_variable, sha256=trunk_sum, file=trunk),
        weights_at_hand(head_file(net), variable=head_variable, sha256=head_sum, file=head_file(net)),
    )
    found = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths if path]
    return " ".join(found) if len(found) == len(paths) else None


def head_file(net: Net) -> str:
    """The name under which the weights of LPIPS's layers are kept."""
    return f"lpips-0.1-{net}.pth"


def alexnet() -> tuple[nn.Sequential, tuple[int, ...]]:
    """(AlexNet's convolutions, the layers that LPIPS reads) (Krizhevsky 2014, One weird trick)."""
    layers = nn.Sequential(
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
    )
    return layers, (1, 4, 7, 9, 11)


def vgg16() -> tuple[nn.Sequential, tuple[int, ...]]:
    """(VGG16's convolutions, the layers that LPIPS reads: the last of each resolution) (Simonyan and Zisserman 2015)."""
    layers: list[nn.Module] = []
    read, channels = [], 3
    for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        read.append(len(layers) - 1)
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers), tuple(read)
