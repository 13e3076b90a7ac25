"""InfoGAN: latent codes that mean something, found without labels (Chen et al. 2016).

Besides noise the generator gets codes, categories and numbers, and the critic's body must be able to read them from the image: a lower
bound of the mutual information between codes and image is part of the game. On digits one code of ten categories becomes the digit,
the numbers slant and width. Square images of 8, 16, 28, 32, 64, 128 or 256 pixels.

    gansmith train digits --gan infogan
    gansmith generate RUN --where code1=3 --where number1=-0.5

The codes are the first dimensions of the noise, which stays one normal vector: a category is the place of the greatest of its
dimensions, a number is its dimension mapped to [-1, 1] by the normal distribution function, both then uniform.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.data.values import CountOrNone
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.labels import Label, one_hot
from gansmith.layers.strided import StridedFeatures, StridedGenerator, initialize
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of InfoGAN; the defaults are the paper's for MNIST (appendix C.1), with DCGAN's widths."""

    categories: tuple[int, ...] = (10,)
    """How many values each categorical code has."""
    numbers: CountOrNone = 2
    """How many continuous codes there are."""
    noise: int = 74
    """Dimensions of the latent vector, the codes' included: a category takes as many as it has values."""
    information: float = 1.0
    """Weight of reading the categories."""
    number_information: float = 1.0
    """Weight of reading the numbers."""
    width: int = 128
    """Channels of the generator before its last layer; twice as many at each halving of the side, at most eight times."""
    critic_width: int = 64
    """Channels of the critic after its first layer."""
    learning_rate: float = 1e-3
    """Adam's step size for the generator."""
    critic_learning_rate: float = 2e-4
    """Adam's step size for the critic and the reader of codes."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        taken = sum(self.categories) + self.numbers
        if taken > self.noise:
            raise UserError(
                f"The codes take {taken} dimensions, but the noise has {self.noise}: change --gan.noise or the codes."
            )


class InfoGenerator(nn.Module):
    """Noise, whose first dimensions are the codes, and class to an image."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.categories, self.numbers = config.categories, config.numbers
        self.body = StridedGenerator(spec, noise=config.noise, width=config.width, gan="infogan")

    def codes(self, noise: Float[Tensor, "batch noise"]) -> tuple[list[Int[Tensor, " batch"]], Float[Tensor, "batch numbers"]]:
        """The categories, one after another, and the numbers in [-1, 1] that this noise stands for."""
        *parts, numbers, _ = noise.split([*self.categories, self.numbers, self._rest(noise)], dim=1)
        return [part.argmax(1) for part in parts], torch.erf(numbers / 2**0.5)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        categories, numbers = self.codes(noise)
        marks = [one_hot(category, count).to(noise.dtype) for category, count in zip(categories, self.categories, strict=True)]
        return self.body(torch.cat([*marks, numbers, noise[:, noise.shape[1] - self._rest(noise) :]], dim=1), label)

    def _rest(self, noise: Tensor) -> int:
        return noise.shape[1] - sum(self.categories) - self.numbers


class InfoCritic(StridedFeatures):
    """An image and class to a logit, and to what the codes are read to be."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(spec, width=config.critic_width, batch_norm=True, gan="infogan")
        self.last = nn.Conv2d(self.channels, 1, self.lowest)
        self.read = nn.Conv2d(self.channels, 128, self.lowest, bias=False)
        self.read_norm = BatchNorm(128)
        self.read_codes = nn.Conv2d(128, sum(config.categories) + config.numbers, 1)
        initialize(self)

    def judged_and_read(
        self, image: Float[Tensor, "batch channels height width"], label: Label | None
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch codes"]]:
        """Logits, and the codes: logits of the categories one after another, then the means of the numbers."""
        x = self.features(image, label)
        read = leaky_relu(self.read_norm(self.read(x)), 0.2)
        return self.last(x).flatten(), self.read_codes(read).flatten(1).float()

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        return self.last(self.features(image, label)).flatten()


class InfoGAN(GAN):
    """The non-saturating game, and a bound of the information between codes and images that all players raise."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width",
            batch=64,
            minutes=2.5,
            config={"width": 32, "critic_width": 32, "critic_learning_rate": 5e-4},
        ),
        "mnist": Preset(about="the paper's codes and steps for MNIST", batch=128, samples=3_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        betas = (config.beta1, 0.999)
        self.generator = Player(
            InfoGenerator(config, spec),
            learning_rate=config.learning_rate,
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(InfoCritic(config, spec), learning_rate=config.critic_learning_rate, betas=betas)

    def information(self, read: Tensor, noise: Tensor) -> dict[str, Tensor]:
        """How badly the codes are read: cross entropy of categories, half the squared error of numbers (a unit normal's)."""
        generator: Any = self.generator.network
        categories, numbers = generator.codes(noise)
        *logits, means = read.split([*self.config.categories, self.config.numbers], dim=1)
        terms = {}
        if categories:
            surprises = [cross_entropy(part, category) for part, category in zip(logits, categories, strict=True)]
            terms["information"] = self.config.information * torch.stack(surprises).sum()
        if self.config.numbers:
            terms["number_information"] = self.config.number_information * (means - numbers).square().sum(1).mean() / 2
        return terms

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        noise = normal_rows(len(real), self.config.noise, device=real.device)
        fake = self.generator(noise, label)
        critic: Any = self.critic.network
        logits, read = critic.judged_and_read(fake.detach(), label)
        yield self.critic.minimizes(
            non_saturating=non_saturating_critic(self.critic(real, label), logits), **self.information(read, noise)
        )
        logits, read = critic.judged_and_read(fake, label)
        yield self.generator.minimizes(non_saturating=non_saturating_generator(logits), **self.information(read, noise))

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """code1, code2, ...: a category, counted from 0; number1, number2, ...: between -1 and 1, without the ends."""
        config, (name, index) = self.config, (key.rstrip("0123456789"), key[len(key.rstrip("0123456789")) :])
        many = {"code": len(config.categories), "number": config.numbers}.get(name, 0)
        if not index or not 1 <= int(index) <= many:
            return None
        if name == "code":
            count = config.categories[int(index) - 1]
            if not value.isdecimal() or int(value) >= count:
                raise UserError(f"{key} must be an integer from 0 to {count - 1}, but {value!r} came.")
            return torch.full((n,), int(value))
        try:
            number = float(value)
        except ValueError:
            number = 1.0
        if not -1 < number < 1:
            raise UserError(f"{key} must be a number between -1 and 1, but {value!r} came.")
        return torch.full((n,), number)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """As every GAN's; requested codes are written into the noise that stands for them."""
        noise, start = truncation * torch.randn(n, self.config.noise, generator=rng), 0
        for index, count in enumerate(self.config.categories, start=1):
            if f"code{index}" in condition:
                noise[:, start : start + count] = one_hot(condition[f"code{index}"], count)
            start += count
        for index in range(1, self.config.numbers + 1):
            if f"number{index}" in condition:
                noise[:, start] = 2**0.5 * torch.erfinv(condition[f"number{index}"])
            start += 1
        label = {key: condition[key] for key in ("label",) if key in condition}
        made = self.generator.averaged(noise.to(self.device), *(tensor.to(self.device) for tensor in label.values()))
        return {self.spec.key: made, **label}
