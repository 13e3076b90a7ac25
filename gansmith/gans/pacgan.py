"""PacGAN: the critic judges several examples at once (Lin et al. 2018, "PacGAN: the power of two samples in GANs").

A critic that sees packs of examples, all real or all generated, notices that generated ones resemble each other. Everything else is
DCGAN. Square images of 8, 16, 28, 32, 64, 128 or 256 pixels.

    gansmith train digits --gan pacgan

Fashion-MNIST, 119 CPU seconds (190,208 images), one thread, seed 0: Frechet distance 3.1 (a Gaussian per class 11.5, real 0.04), coverage
0.48, recall 0.63; the requested class is read from 83% of the images (from 91% of real ones).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Preset
from gansmith.gans._players import strided_players
from gansmith.layers.labels import with_label
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of PacGAN; the defaults are the paper's (PacDCGAN2 on stacked MNIST) with DCGAN's widths."""

    pack: int = 2
    """Examples in a pack."""
    width: int = 128
    """Channels of the generator before its last layer; twice as many at each halving of the side, at most eight times."""
    critic_width: int = 64
    """Channels of the critic after its first layer."""
    noise: int = 100
    """Dimensions of the latent noise."""
    learning_rate: float = 2e-4
    """Adam's step size for both players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


class PacGAN(GAN):
    """The non-saturating game with a critic of packs."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width, half the batch",
            batch=32,
            minutes=2.5,
            config={"width": 32, "critic_width": 32, "learning_rate": 5e-4},
        ),
        "paper": Preset(about="the paper's batch and length on stacked MNIST", batch=64, samples=6_400_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if config.pack < 1:
            raise UserError(f"A pack holds at least one example, but it should hold {config.pack}: change --gan.pack.")
        channels, height, width = spec.shape if "height" in spec.axes else (0, 0, 0)
        packed = replace(spec, shape=((channels + spec.conditions) * config.pack, height, width), classes=(), attributes=())
        self.generator, self.critic = strided_players(config, spec, gan="pacgan", batch_norm=True, seen=packed)

    def packs(self, examples: Tensor, label: Tensor | None) -> Tensor:
        """The critic's logits [B / pack] for examples [B, ...] with their labels, joined along the channels."""
        planes = with_label(examples, label, self.spec)
        if len(planes) % self.config.pack:
            raise UserError(
                f"The batch must be a multiple of the pack {self.config.pack}, but it is {len(planes)}: change --batch or --gan.pack."
            )
        return self.critic(planes.unflatten(0, (-1, self.config.pack)).flatten(1, 2))

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        yield self.critic.minimizes(
            non_saturating=non_saturating_critic(self.packs(real, label), self.packs(fake.detach(), label))
        )
        yield self.generator.minimizes(non_saturating=non_saturating_generator(self.packs(fake, label)))

    def scores(self, batch: Batch) -> Tensor:
        """Each example's score is its pack's; the last pack is filled up with the first examples."""
        n, pack = len(batch[self.spec.key]), self.config.pack
        rows = torch.arange(-(-n // pack) * pack, device=batch[self.spec.key].device) % n
        label = batch["label"][rows] if "label" in batch else None
        return self.packs(batch[self.spec.key][rows], label).repeat_interleave(pack)[:n]
