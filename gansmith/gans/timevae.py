"""TimeVAE: a variational autoencoder of series, no GAN but a rival to hold them against (Desai et al. 2021).

A convolutional encoder and decoder (the paper's base model, without its trend and season blocks), Gaussian latents, no critic.

    gansmith train prices.csv --kind series --gan timevae

TimeGAN's stock windows, 25 CPU seconds (110,000 samples), seed 0, one thread, one judging network: discriminative score 0.050, predictive
0.040; daily moves are a quarter of their true size.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.labels import Label, with_label
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of TimeVAE; the defaults are the published code's."""

    widths: tuple[int, ...] = (50, 100, 200)
    """Channels of the convolutions, each of which halves time."""
    noise: int = 8
    """Dimensions of the latent space."""
    reconstruction: float = 3.0
    """Weight of the squared error beside the divergence of the latents."""
    learning_rate: float = 1e-3
    """Adam's step size."""
    half_life: int = 10_000
    """Half-life of the decoder's moving average in samples."""


class Encoder(nn.Module):
    """A series (and label) to the mean and log variance of its latents."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        steps, channels = spec.shape
        widths = [channels + spec.label_width, *config.widths]
        self.layers = nn.ModuleList(nn.Conv1d(a, b, 3, stride=2, padding=1) for a, b in zip(widths, widths[1:], strict=False))
        for _ in config.widths:
            steps = -(-steps // 2)
        self.last = nn.Linear(steps * widths[-1], 2 * config.noise)

    def forward(self, series: Float[Tensor, "batch steps channels"], label: Label | None) -> tuple[Tensor, Tensor]:
        x = series.transpose(1, 2)
        if label is not None:
            condition = with_label(x.new_empty(len(x), 0), label, self.spec)
            x = torch.cat([x, condition[:, :, None].expand(-1, -1, x.shape[2])], dim=1)
        for layer in self.layers:
            x = layer(x).relu()
        mean, log_variance = self.last(x.flatten(1)).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 6)


class Decoder(nn.Module):
    """Latents (and label) to a series."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        steps, channels = spec.shape
        widths = [*config.widths[::-1]]
        self.coarse = -(-steps // 2 ** len(widths))
        self.first = nn.Linear(config.noise + spec.label_width, self.coarse * widths[0])
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(a, b, 4, stride=2, padding=1) for a, b in zip(widths, [*widths[1:], widths[-1]], strict=True)
        )
        self.last = nn.Linear(self.coarse * 2 ** len(widths) * widths[-1], steps * channels)

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Float[Tensor, "batch steps channels"]:
        x = self.first(with_label(noise, label, self.spec)).relu().unflatten(1, (-1, self.coarse))
        for layer in self.layers:
            x = layer(x).relu()
        return self.last(x.flatten(1)).float().unflatten(1, self.spec.shape)


class TimeVAE(GAN):
    """The evidence lower bound (section 3)."""

    Config = Config
    kinds = ("series",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="series", batch=64, minutes=3.0),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        average = partial(Average, half_life=config.half_life)
        self.encoder = Player(Encoder(config, spec), learning_rate=config.learning_rate)
        self.generator = Player(Decoder(config, spec), learning_rate=config.learning_rate, average=average)

    def play(self, draw: Draw) -> Iterator[tuple[Move, ...]]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        mean, log_variance = self.encoder(real, label)
        noise = normal_rows(len(real), self.config.noise, device=real.device)
        again = self.generator(mean + (log_variance / 2).exp() * noise, label)
        error = self.config.reconstruction * (again - real).square().flatten(1).sum(1).mean()
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
        yield (
            self.encoder.minimizes(reconstruction=error, divergence=divergence),
            self.generator.minimizes(reconstruction=error),
        )

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """Of the training's length alone. Raises UserError where another one is requested."""
        if "steps" in condition and int(condition["steps"][0]) != self.spec.shape[0]:
            raise UserError(
                f"timevae makes series of {self.spec.shape[0]} steps, but {int(condition['steps'][0])} were asked for: leave --length out, "
                "or train seriesgan, quantgan, rcgan, timegan or doppelganger."
            )
        return super().generate(
            n, {key: value for key, value in condition.items() if key != "steps"}, rng=rng, truncation=truncation
        )

    def scores(self, batch: Batch) -> Tensor:
        """There is no critic: minus how far the encoder finds a series from the middle of its latents."""
        return -self.encoder(batch[self.spec.key], batch.get("label"))[0].square().mean(1)
