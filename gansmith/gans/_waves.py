"""What GANs that make waves of a given wave or spectrum have in common: after training, and the game of vocoders."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.game import GAN, Draw, Move, Player
from gansmith.kinds.audio.transforms import log_mel
from gansmith.layers.wave_critics import feature_distance


class Given(nn.Module):
    """A network under the name that programs expect of its input."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.multiple = getattr(network, "multiple", 1)
        if hasattr(network, "tolerance"):
            self.tolerance = network.tolerance

    def forward(self, input: Tensor) -> Tensor:
        return self.network(input)


class MakingWaves(GAN):
    """A GAN whose `generator` makes the wave "b" of what is given, "a": a wave [n, samples] or a mel spectrum [n, bands, frames], of any
    length."""

    kinds = ("audio",)
    tasks = ("pairs",)
    source_axes: ClassVar[tuple[tuple[str, ...], ...]] = (("sample",),)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """Neither rng nor truncation matter, since no noise goes in."""
        return {self.spec.key: self.players["generator"].averaged(condition["a"].to(self.device)).float(), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        rng = torch.Generator().manual_seed(0)
        return Given(self.players["generator"].averaged), {"input": 0.1 * torch.randn(2, *self.spec.source_shape, generator=rng)}


def mean_logits(critic: Player, wave: Tensor) -> Tensor:
    """[batch]: the mean of all logits of the critics of `WaveCritics`, each critic counting alike."""
    return torch.stack([logits.float().flatten(1).mean(1) for logits, _ in critic(wave)]).mean(0)


class Vocoding(MakingWaves):
    """The game of vocoders: the mel spectrum, once `critic_begins` of the budget has passed also the critics of `WaveCritics` and their
    features."""

    loss: ClassVar[str]
    """The name of the adversarial loss."""
    of_critic: ClassVar[Callable[[Tensor, Tensor], Tensor]]
    """The loss of a critic of its logits of real and of made waves."""
    of_generator: ClassVar[Callable[[Tensor], Tensor]]
    """That of the generator of a critic's logits of made waves."""
    config: Any
    spec: Any
    generator: Player
    critic: Player

    def play(self, draw: Draw) -> Iterator[Move]:
        batch, own = draw(), type(self)
        given, real = batch["a"], batch["b"]
        fake = self.generator(given).float()
        terms = {"mel": self.config.mel * (log_mel(fake, self.spec.mel) - given).abs().mean()}
        if self.clock.progress() >= self.config.critic_begins:
            pairs = list(zip(self.critic(real), self.critic(fake.detach()), strict=True))
            errors = [own.of_critic(true, made) for (true, _), (made, _) in pairs]
            yield self.critic.minimizes(**{self.loss: torch.stack(errors).mean()})
            with torch.no_grad():
                true = self.critic(real)
            made = self.critic(fake)
            terms[self.loss] = torch.stack([own.of_generator(logits) for logits, _ in made]).mean()
            terms["features"] = self.config.features * feature_distance(true, made)
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        return mean_logits(self.critic, batch["b"].float())
