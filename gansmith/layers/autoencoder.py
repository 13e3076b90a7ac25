"""A convolutional encoder and decoder for images of any size, and both together: BEGAN's and EBGAN's networks.

Convolutions of 3x3 and ELU; means of 2x2 on the way down, repeated pixels on the way up (Berthelot et al. 2017, section 3.5).
"""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, elu, interpolate, pixel_shuffle, pixel_unshuffle

from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.layers.labels import Label, with_label
from gansmith.layers.plain import PlainAutoEncoder, PlainGenerator
from gansmith.layers.pyramid import pyramid


class Encoder(nn.Module):
    """An image and class to a code; every halving adds `width` channels."""

    def __init__(self, spec: Spec, *, code: int, width: int, patch: int = 1) -> None:
        super().__init__()
        self.spec, self.patch = spec, patch
        stages, base = pyramid(spec.shape[1], spec.shape[2], patch)
        self.enter = nn.Conv2d((spec.shape[0] + spec.conditions) * patch**2, width, 3, padding=1)
        self.firsts = nn.ModuleList(nn.Conv2d(i * width, i * width, 3, padding=1) for i in range(1, stages + 1))
        self.seconds = nn.ModuleList(nn.Conv2d(i * width, min(i + 1, stages) * width, 3, padding=1) for i in range(1, stages + 1))
        self.leave = nn.Linear(stages * width * base[0] * base[1], code)

    def forward(
        self, image: Float[Tensor, "batch channels height width"], label: Label | None = None
    ) -> Float[Tensor, "batch code"]:
        x = elu(self.enter(pixel_unshuffle(with_label(image, label, self.spec), self.patch)))
        for number, (first, second) in enumerate(zip(self.firsts, self.seconds, strict=True)):
            x = elu(second(elu(first(avg_pool2d(x, 2) if number else x))))
        return self.leave(x.flatten(1))


class Decoder(nn.Module):
    """Noise or a code, and class, to an image in about [-1, 1]; also the generator of these GANs."""

    def __init__(self, spec: Spec, *, code: int, width: int, patch: int = 1) -> None:
        super().__init__()
        self.spec, self.patch = spec, patch
        stages, base = pyramid(spec.shape[1], spec.shape[2], patch)
        self.lowest = (width, *base)
        self.enter = nn.Linear(code + spec.label_width, width * base[0] * base[1])
        self.firsts = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(stages))
        self.seconds = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(stages))
        self.leave = nn.Conv2d(width, spec.shape[0] * patch**2, 3, padding=1)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        x = self.enter(with_label(noise, label, self.spec)).unflatten(1, self.lowest)
        for number, (first, second) in enumerate(zip(self.firsts, self.seconds, strict=True)):
            x = elu(second(elu(first(interpolate(x, scale_factor=2, mode="nearest") if number else x))))
        return pixel_shuffle(self.leave(x), self.patch).float()


class AutoEncoder(nn.Module):
    """An image and class to the code and to the image made from it."""

    def __init__(self, spec: Spec, *, code: int, width: int, patch: int = 1) -> None:
        super().__init__()
        self.encoder = Encoder(spec, code=code, width=width, patch=patch)
        self.decoder = Decoder(spec, code=code, width=width, patch=patch)

    def forward(
        self, image: Float[Tensor, "batch channels height width"], label: Label | None = None
    ) -> tuple[Float[Tensor, "batch code"], Float[Tensor, "batch channels height width"]]:
        code = self.encoder(image, label)
        return code, self.decoder(code, label)


def autoencoding_networks(config: Any, spec: Spec) -> tuple[nn.Module, nn.Module]:
    """A generator, and a critic that answers with a code and a reconstruction, of the kind that `config.network` names.

    `config` has the options that these GANs share: network, noise (also the length of the code), width and patch. Raises UserError
    where plain networks should see patches, for which they are not made.
    """
    if config.network == "plain":
        if config.patch > 1:
            raise UserError("Plain players see single pixels: leave out --gan.patch, or give --gan.network elu.")
        generator = PlainGenerator(spec, noise=config.noise, width=config.width)
        return generator, PlainAutoEncoder(spec, code=config.noise, width=config.width)
    inside = {"code": config.noise, "width": config.width, "patch": config.patch}
    return Decoder(spec, **inside), AutoEncoder(spec, **inside)
