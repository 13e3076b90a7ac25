"""BicycleGAN: an image to many partners, each from a style of its own (Zhu et al. 2017b, "Toward multimodal image-to-image translation").

Each image is made twice: with the style that an encoder reads from its true partner, which it must become, and with a random style,
which the encoder must read again from what was made. So styles are neither ignored nor hidden. (The authors give each half of a batch
one of the two.)

    gansmith train facades/ --kind pairs --gan bicyclegan
    gansmith translate runs/facades-0001 photo.jpg -n 5

Outlines to emoji at 32x32, 80 CPU seconds, one thread, seed 0: Frechet distance 1.7 (a Gaussian of the pixels 18.5, real 0.8); PSNR 13.5
dB in a random style, 16.5 in the best of ten, 17.3 in the partner's own (the best without learning 17.6).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log2
from typing import ClassVar, cast

from torch import Tensor, cat, nn
from torch.func import functional_call
from torch.nn.functional import l1_loss

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.augment.together import check_crop, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.multi_scale_critic import MultiScaleCritic, check_scales, mean_logit, over_scales
from gansmith.layers.style_encoder import StyleEncoder
from gansmith.layers.unet import UNet
from gansmith.tasks.translation import Styled
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of BicycleGAN; the defaults are the paper's (section 4)."""

    noise: int = 8
    """Numbers of a style."""
    width: int = 64
    """Channels of the generator's first layer."""
    halvings: int = 8
    """Halvings of the U-Net, at most as many as the images allow: 8 for 256 pixels."""
    encoder_width: int = 64
    """Channels of the encoder's first block."""
    critic_width: int = 64
    """Channels of the critics' first layers."""
    critic_layers: int = 3
    """Halvings of the critics."""
    critic_scales: int = 2
    """Scales at which each critic sees the images."""
    l1: float = 10.0
    """Weight of the L1 distance to the partner whose style was read."""
    latent: float = 0.5
    """Weight of the L1 distance between a random style and what is read from the image made with it."""
    kl: float = 0.01
    """Weight of the divergence of styles that are read from normal noise."""
    crop: int = 0
    """Side of random crops; 0 for whole images."""
    flip: bool = True
    """Whether half of the pairs are mirrored."""
    learning_rate: float = 2e-4
    """Adam's step size for all players, which falls to 0 in the second half."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 1_000
    """Half-life of the moving averages in samples."""


class Bicycle(nn.Module):
    """The translator and the reader of styles; called, it translates in a style."""

    translator: UNet
    encoder: StyleEncoder

    def __init__(self, translator: UNet, encoder: StyleEncoder) -> None:
        super().__init__()
        self.translator, self.encoder = translator, encoder

    def forward(self, a: Tensor, style: Tensor) -> Tensor:
        return self.translator(a, style)

    def read_still(self, image: Tensor) -> Tensor:
        """The mean style of an image, by an encoder that takes no gradient: it would agree with the translator to hide styles in images."""
        still = {name: parameter.detach() for name, parameter in self.encoder.named_parameters()}
        return functional_call(self.encoder, still, (image,))[0]


class BicycleGAN(Styled):
    """Two least-squares games, with styles that are read and styles that are random, and a reader of styles between them."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: narrower networks, batches of 8",
            batch=8,
            minutes=15,
            config={
                "width": 24,
                "encoder_width": 16,
                "critic_width": 16,
                "critic_layers": 2,
                "learning_rate": 1e-3,
                "half_life": 2_000,
            },
        ),
        "paper": Preset(about="the paper's networks, two pairs at a time", batch=2, samples=160_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.scale != 1:
            raise UserError(
                f"bicyclegan keeps the size, but b is {self.scale} times as large as a: choose --gan srgan or esrgan."
            )
        check_crop(config.crop, spec.source_shape)
        side = config.crop or min(spec.shape[1:])
        check_scales(config.critic_layers, config.critic_scales, side)
        given, made = spec.source_shape[0], spec.shape[0]
        halvings = min(config.halvings, int(log2(side)))
        rate, betas = Linear(config.learning_rate, 0.0, wait=0.5), (config.beta1, 0.999)
        network = Bicycle(
            UNet(given, made, width=config.width, halvings=halvings, dropout=False, style=config.noise),
            StyleEncoder(made, config.noise, width=config.encoder_width, halvings=min(4, halvings), heads=2),
        )
        average = partial(Average, half_life=config.half_life)
        self.generator = Player(network, learning_rate=rate, betas=betas, average=average)
        critic = partial(
            MultiScaleCritic,
            given + made,
            width=config.critic_width,
            layers=config.critic_layers,
            scales=config.critic_scales,
            norm="instance",
        )
        self.critic = Player(critic(), learning_rate=rate, betas=betas)
        self.critic_of_random = Player(critic(), learning_rate=rate, betas=betas)

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch = draw()
        a, b = batch["a"], batch["b"]
        a, b = varied_together(a, b, crop=self.config.crop, flip=self.config.flip)
        network = cast(Bicycle, self.generator.network)
        mean, log_variance = network.encoder(b)
        read = mean + (log_variance / 2).exp() * normal_rows(len(a), self.config.noise, device=a.device)
        random = normal_rows(len(a), self.config.noise, device=a.device)
        encoded, sampled = self.generator(a, read), self.generator(a, random)
        yield (
            self.critic.minimizes(least_squares=self._judged(self.critic, a, b, encoded)),
            self.critic_of_random.minimizes(least_squares=self._judged(self.critic_of_random, a, b, sampled)),
        )
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
        yield self.generator.minimizes(
            least_squares=over_scales(least_squares_generator, self.critic(cat([a, encoded], 1))),
            random_least_squares=over_scales(least_squares_generator, self.critic_of_random(cat([a, sampled], 1))),
            l1=self.config.l1 * l1_loss(encoded, b),
            latent=self.config.latent * l1_loss(network.read_still(sampled), random),
            kl=self.config.kl * divergence,
        )

    def _judged(self, critic: Player, a: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        return over_scales(least_squares_critic, critic(cat([a, real], 1)), critic(cat([a, fake.detach()], 1)))

    def maker(self, makes: str = "b") -> nn.Module:
        return cast(Bicycle, self.generator.averaged).translator

    def style_of(self, reference: Tensor, makes: str = "b") -> Tensor:
        return cast(Bicycle, self.generator.averaged).encoder(reference)[0]

    def scores(self, batch: Batch) -> Tensor:
        return mean_logit(self.critic(cat([batch["a"], batch["b"]], 1)))
