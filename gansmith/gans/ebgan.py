"""EBGAN: the critic is an energy, low on real data (Zhao et al. 2017, "Energy-based generative adversarial networks").

The energy is an autoencoder's error. The critic lowers it on real images and raises it on generated ones up to a margin; the generator
lowers it, while a pulling-away term keeps the codes of its images from pointing the same way. Images of any even size.

    gansmith train digits --gan ebgan

Fashion-MNIST, 181 CPU seconds (154,496 images), one thread, seed 0: Frechet distance 3.7 (a Gaussian per class 11.5, real 0.04), coverage
0.56, recall 0.59; the requested class is read from 82% of the images (from 91% of real ones). With BEGAN's convolutions (`--gan.network
elu`, patches of two pixels) it stood at 21.5 after 67 seconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.autoencoder import autoencoding_networks
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of EBGAN; the pulling-away weight is the paper's (section 2.4), energies are means over pixels, not sums."""

    margin: float = 0.2
    """Energy above which generated images are left alone: a mean squared error, so that it fits every size."""
    pulling_away: float = 0.1
    """Weight of the pulling-away term."""
    network: Literal["elu", "plain"] = "elu"
    """The players: BEGAN's convolutions of 3x3 with ELU, or a few strided convolutions, which learn most in a second of a CPU."""
    width: int = 128
    """Channels of the decoders, and of the encoder's first stage."""
    patch: int = 1
    """Side of the pixel patches that the networks see as one position; 2 spares a CPU the highest resolution."""
    noise: int = 64
    """Dimensions of the latent noise and of the critic's code."""
    learning_rate: float = 2e-4
    """Adam's step size for both players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


def pulling_away(codes: Float[Tensor, "batch code"]) -> Float[Tensor, ""]:
    """The mean squared cosine between the codes of different examples (section 2.4)."""
    directions = normalize(codes.float(), dim=1)
    cosines = directions @ directions.T
    return (cosines.square().sum() - len(codes)) / (len(codes) * (len(codes) - 1))


class EBGAN(GAN):
    """The energy game with a margin (equations 1 and 2)."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: plain and narrow players, larger steps",
            batch=32,
            minutes=2.5,
            config={"network": "plain", "width": 24, "learning_rate": 5e-4},
        ),
        "large": Preset(about="the default widths", batch=64, samples=10_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        generator, critic = autoencoding_networks(config, spec)
        adam: dict[str, Any] = {"learning_rate": config.learning_rate, "betas": (config.beta1, 0.999)}
        self.generator = Player(generator, **adam, average=partial(Average, half_life=config.half_life))
        self.critic = Player(critic, **adam)

    def energy(self, examples: Tensor, label: Tensor | None) -> tuple[Float[Tensor, "batch code"], Float[Tensor, " batch"]]:
        """Codes, and the mean squared error of each example's reconstruction."""
        code, again = self.critic(examples, label)
        return code, (again - examples).square().flatten(1).mean(1)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        _, real_energy = self.energy(real, label)
        _, fake_energy = self.energy(fake.detach(), label)
        yield self.critic.minimizes(
            real_energy=real_energy.mean(), missing_energy=(self.config.margin - fake_energy).relu().mean()
        )
        code, energy = self.energy(fake, label)
        terms = {"energy": energy.mean()}
        if self.config.pulling_away:
            terms["pulling_away"] = self.config.pulling_away * pulling_away(code)
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        """Minus the energy."""
        return -self.energy(batch[self.spec.key], batch.get("label"))[1]
