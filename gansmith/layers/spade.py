"""Normalisation by a map (Park et al. 2019, SPADE, section 3): the map decides scale and shift at every place."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, relu
from torch.nn.utils.parametrizations import spectral_norm

from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.padding import padded


class Spade(nn.Module):
    """Batch norm without a scale and shift of its own; both are read from the map by two layers of 3x3."""

    def __init__(self, channels: int, given: int, *, hidden: int) -> None:
        super().__init__()
        self.norm = BatchNorm(channels)
        self.norm.weight.requires_grad_(False)
        self.norm.bias.requires_grad_(False)
        self.shared = nn.Conv2d(given, hidden, 3, padding=1)
        self.scale = nn.Conv2d(hidden, channels, 3, padding=1)
        self.shift = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(
        self, x: Float[Tensor, "batch channels height width"], given: Float[Tensor, "batch given tall wide"]
    ) -> Float[Tensor, "batch channels height width"]:
        seen = relu(self.shared(interpolate(given, size=x.shape[2:], mode="nearest")))
        return self.norm(x) * (1 + self.scale(seen)) + self.shift(seen)


class SpadeBlock(nn.Module):
    """Twice Spade, leaky ReLU and 3x3 with spectral norm, around a skip, which is a Spade and a 1x1 where the width changes."""

    def __init__(self, channels_in: int, channels_out: int, given: int, *, hidden: int) -> None:
        super().__init__()
        between = min(channels_in, channels_out)
        self.first_norm = Spade(channels_in, given, hidden=hidden)
        self.first = spectral_norm(nn.Conv2d(channels_in, between, 3, padding=1))
        self.second_norm = Spade(between, given, hidden=hidden)
        self.second = spectral_norm(nn.Conv2d(between, channels_out, 3, padding=1))
        widens = channels_in != channels_out
        self.skip_norm = Spade(channels_in, given, hidden=hidden) if widens else None
        self.skip = spectral_norm(nn.Conv2d(channels_in, channels_out, 1, bias=False)) if widens else None

    def forward(
        self, x: Float[Tensor, "batch channels height width"], given: Float[Tensor, "batch given tall wide"]
    ) -> Float[Tensor, "batch more height width"]:
        y = self.first(leaky_relu(self.first_norm(x, given), 0.2))
        y = self.second(leaky_relu(self.second_norm(y, given), 0.2))
        if self.skip_norm is not None and self.skip is not None:
            x = self.skip(self.skip_norm(x, given))
        return x + y


class SpadeGenerator(nn.Module):
    """A map to an image of its size: from the map made small, block by block to twice the size, the map at hand in each.

    Any size goes in and comes out: what is no multiple of 2^halvings is padded by its mirror image and cropped back.
    """

    def __init__(self, given: int, made: int, *, width: int, halvings: int, hidden: int) -> None:
        """Three blocks of 16 * width (more where there are more than six doublings), then widths that fall to width; the doublings are
        the last four, and those beyond four follow the first block."""
        super().__init__()
        self.multiple = 2**halvings
        falling = [8 * width, 4 * width, 2 * width, width][max(0, 4 - halvings) :]
        widths = [16 * width] * max(3, halvings - 3) + falling
        early = max(0, halvings - 4)
        self.doubled = {*range(1, 1 + early), *range(len(widths) - len(falling), len(widths))}
        self.first = nn.Conv2d(given, widths[0], 3, padding=1)
        steps = zip([widths[0], *widths], widths, strict=False)
        self.blocks = nn.ModuleList(SpadeBlock(a, b, given, hidden=hidden) for a, b in steps)
        self.last = nn.Conv2d(widths[-1], made, 3, padding=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, given: Float[Tensor, "batch given height width"]) -> Float[Tensor, "batch made height width"]:
        whole = padded(given, self.multiple)
        x = self.first(interpolate(whole, scale_factor=1 / self.multiple, mode="nearest"))
        for index, block in enumerate(self.blocks):
            if index in self.doubled:
                x = interpolate(x, scale_factor=2, mode="nearest")
            x = block(x, whole)
        x = self.last(leaky_relu(x, 0.2))
        return bounded(x[..., : given.shape[2], : given.shape[3]])
