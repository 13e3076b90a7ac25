"""Own: your own generator and critic, PyTorch modules or Keras models, in a game of your choice (Goodfellow et al. 2014 and others).

    gansmith train digits --generator my_nets.py:make_generator --critic my_nets.py:make_critic

Each is named by the function that makes it. How large the noise is, where the channels are, whether labels are taken and whether the last
layer is a sigmoid is found by a probe (`gansmith.networks.brought`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansmith import adversarial
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.data.values import Moves
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.networks.brought import BroughtCritic, BroughtGenerator, from_file, made
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows, uniform_rows

Loss = Literal["non_saturating", "minimax", "least_squares", "hinge", "wasserstein", "relativistic"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of a game between networks of your own."""

    generator: str = ""
    """FILE.py:FUNCTION, a function that returns the generator."""
    critic: str = ""
    """FILE.py:FUNCTION, a function that returns the critic (the discriminator)."""
    loss: Loss = "non_saturating"
    """What the players minimise."""
    noise: int = 0
    """Dimensions of the latent noise; 0: those of the first layer."""
    critic_moves: Moves = 1
    """Moves of the critic for one of the generator."""
    r1: float = 0.0
    """Weight of the zero-centred gradient penalty on real examples (Mescheder et al. 2018)."""
    gradient_penalty: float = 0.0
    """Weight of the unit gradient penalty between real and generated examples (Gulrajani et al. 2017: 10, with wasserstein)."""
    learning_rate: float = 1e-4
    """Adam's step size of the generator."""
    critic_learning_rate: float = 1e-4
    """Adam's step size of the critic."""
    beta1: float = 0.5
    """Adam's first-moment decay of both."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        for name in ("generator", "critic"):
            if named := getattr(self, name):  # a run is used from other folders
                object.__setattr__(self, name, ":".join(map(str, from_file(named, f"--{name}"))))


class OwnGAN(GAN):
    """The two-player game between networks that the user brings."""

    Config = Config
    kinds = ("images", "points")
    axes = (("dimension",),)
    presets: ClassVar[Mapping[str, Preset]] = {"small": Preset(about="minutes on a CPU", batch=64, minutes=2.5)}

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        for name in ("generator", "critic"):
            if not getattr(config, name):
                raise UserError(f"--gan own needs both players: give --{name} FILE.py:FUNCTION.")
        betas = (config.beta1, 0.999)
        generator = BroughtGenerator(made(config.generator, "--generator", spec), config.generator, spec, config.noise)
        critic = BroughtCritic(made(config.critic, "--critic", spec), config.critic, spec)
        self.noise = generator.noise
        self.generator = Player(
            generator, learning_rate=config.learning_rate, betas=betas, average=partial(Average, half_life=config.half_life)
        )
        self.critic = Player(critic, learning_rate=config.critic_learning_rate, betas=betas)
        self.critic_loss: Callable[..., Tensor] = getattr(adversarial, f"{config.loss}_critic")
        self.generator_loss: Callable[..., Tensor] = getattr(adversarial, f"{config.loss}_generator")

    @property
    def conditional(self) -> bool:
        """Whether one of the players takes labels: the codec is that of the critic's examples, too."""
        return any(player.network.takes_label for player in (self.generator, self.critic))

    def play(self, draw: Draw) -> Iterator[Move]:
        for _ in range(self.config.critic_moves):
            batch = draw()
            real, label = batch[self.spec.key], batch.get("label")
            with torch.no_grad():
                fake = self.generator(normal_rows(len(real), self.noise, device=real.device), label)
            yield self.critic.minimizes(
                **{self.config.loss: self.critic_loss(self.critic(real, label), self.critic(fake, label))},
                **self._penalties(real, fake, label),
            )
        fake = self.generator(normal_rows(len(real), self.noise, device=real.device), label)
        logits = [self.critic(fake, label)]
        if self.config.loss == "relativistic":
            logits.insert(0, self.critic(real, label).detach())
        yield self.generator.minimizes(**{self.config.loss: self.generator_loss(*logits)})

    def _penalties(self, real: Tensor, fake: Tensor, label: Tensor | None) -> dict[str, Tensor]:
        """The gradient penalties of the critic, by ordinary double backward: its layers may be any."""
        terms = {}
        if self.config.r1:
            terms["r1"] = self.config.r1 / 2 * self._squared_norm(real, label).mean()
        if self.config.gradient_penalty:
            between = torch.lerp(fake, real, uniform_rows(len(real), *[1] * (real.dim() - 1), device=real.device))
            norm = self._squared_norm(between, label).clamp_min(1e-24).sqrt()
            terms["gradient_penalty"] = self.config.gradient_penalty * (norm - 1).square().mean()
        return terms

    def _squared_norm(self, x: Tensor, label: Tensor | None) -> Tensor:
        x = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(x, label).sum(), x, create_graph=True)
        return slope.flatten(1).square().sum(1)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        noise = truncation * self.latent(n, rng)
        label = condition["label"].to(self.device) if "label" in condition else None
        return {self.spec.key: self.generator.averaged(noise, label), **condition}

    def latent(self, n: int, rng: torch.Generator) -> Tensor:
        return torch.randn(n, self.noise, generator=rng).to(self.device)

    def exportable(self) -> tuple[torch.nn.Module, dict[str, Tensor]]:
        network = self.generator.averaged
        assert isinstance(network, BroughtGenerator)
        inputs = {"noise": torch.randn(2, self.noise)}
        if network.takes_label:
            inputs["label"] = (
                torch.tensor([0, len(self.spec.classes) - 1]) if self.spec.classes else torch.zeros(2, len(self.spec.attributes))
            )
        return network, inputs
