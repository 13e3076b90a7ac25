"""Players that several games share: DCGAN's and BigGAN's."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from gansmith.data.spec import Spec
from gansmith.game import Player
from gansmith.layers.big import BigGenerator, BigTrunk
from gansmith.layers.orthogonal import start_orthogonal
from gansmith.layers.patches import start_even
from gansmith.layers.spectral import normalize_spectra
from gansmith.layers.strided import StridedCritic, StridedGenerator
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear, Schedule


def strided_players(
    config: Any, spec: Spec, *, gan: str, batch_norm: bool, kernels: int = 0, seen: Spec | None = None
) -> tuple[Player, Player]:
    """DCGAN's players, which several games share: their generator and critic, with Adam for both.

    `config` has the options that these GANs share: noise, width, critic_width, learning_rate, beta1 and half_life; `seen` is what
    the critic sees, if that is not a single example.
    """
    adam: dict[str, Any] = {"learning_rate": config.learning_rate, "betas": (config.beta1, 0.999)}
    generator = StridedGenerator(spec, noise=config.noise, width=config.width, gan=gan)
    critic = StridedCritic(seen or spec, width=config.critic_width, batch_norm=batch_norm, gan=gan, kernels=kernels)
    return Player(generator, **adam, average=partial(Average, half_life=config.half_life)), Player(critic, **adam)


def big_players(
    config: Any, spec: Spec, critic: Callable[[], nn.Module], *, betas: tuple[float, float], deep: bool = False
) -> tuple[Player, Player]:
    """The players of BigGAN and of the class-term GANs: BigGAN's generator and `critic()`, orthogonal at the start, spectrally normalised
    but for the generator's vectors of labels: held short, they drown in the noise that joins them.

    `config` has the options that these GANs share: noise, width, widest, shared, guided_start, generator_spectra, patch, both learning
    rates, learning_rate_end, half_life.
    """
    generator = BigGenerator(
        spec,
        noise=config.noise,
        width=config.width,
        widest=config.widest,
        shared=config.shared,
        patch=config.patch,
        deep=deep,
        guided_start=config.guided_start,
    )
    networks = generator, critic()
    for network in networks:
        start_orthogonal(network)
        for layer in network.modules():
            if isinstance(layer, BigTrunk):
                layer.read_evenly()
    start_even(generator.last, config.patch)
    if config.generator_spectra:
        normalize_spectra(generator, apart=generator.shared)
    normalize_spectra(networks[1])
    average = partial(Average, half_life=config.half_life)

    def falling(start: float) -> Schedule:
        return Linear(start, start * config.learning_rate_end)

    return (
        Player(networks[0], learning_rate=falling(config.learning_rate), betas=betas, average=average),
        Player(networks[1], learning_rate=falling(config.critic_learning_rate), betas=betas),
    )
