"""The small convolutional network that is trained on the spot."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

LARGEST = 64
"""Larger images are shrunk to this side."""
FEATURES = 64


def side_for(height: int, width: int) -> int:
    """The side of the square that the network sees of images of this size."""
    return min(max(height, width), LARGEST)


def fit_to(images: Float[Tensor, "batch channels height width"], side: int) -> Float[Tensor, "batch channels side side"]:
    """Images as squares of this side, with antialiasing."""
    if images.shape[-2:] == (side, side):
        return images
    return interpolate(images, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


class Convolution(nn.Sequential):
    """3x3 convolution, batch normalisation, ReLU."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__(
            nn.Conv2d(channels, width, 3, stride, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )


class SmallNetwork(nn.Module):
    """Convolutions of 32, 64 and 128 channels that halve the side while it is above 4, and two linear layers.

    About 2 million multiplications for 28x28. The 64 features are normalised over the training data without a learned scale,
    so they have about unit variance whatever they were trained on, and are taken before the ReLU, nearer to a Gaussian.
    """

    def __init__(self, channels: int, side: int, classes: int) -> None:
        super().__init__()
        widths = (16, 32, 64, 128) if side > 32 else (32, 64, 128)
        layers = []
        for width in widths:
            stride = 2 if side > 4 else 1
            layers.append(Convolution(channels, width, stride))
            channels, side = width, -(-side // stride)
        self.convolutions = nn.Sequential(*layers)
        self.project = nn.Linear(channels * side * side, FEATURES, bias=False)
        self.normalise = nn.BatchNorm1d(FEATURES, affine=False)
        self.classify = nn.Linear(FEATURES, classes)

    def features(self, images: Float[Tensor, "batch channels side side"]) -> Float[Tensor, "batch 64"]:
        return self.normalise(self.project(self.convolutions(images).flatten(1)))

    def forward(self, images: Float[Tensor, "batch channels side side"]) -> Float[Tensor, "batch classes"]:
        return self.classify(relu(self.features(images)))
