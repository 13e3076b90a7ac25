"""Options of SequenceGAN, and how its step sizes change."""

from dataclasses import dataclass
from typing import Literal

from gansmith.training.clock import Clock

SLOWER = 0.125
"""The step size of a transformer beside that of a GRU."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of SequenceGAN."""

    core: Literal["gru", "transformer"] = "gru"
    """What reads: a recurrent network, which is quick on CPUs, or attention, which is quick on GPUs and wants 4 or more layers."""
    width: int = 320
    """Hidden units of the model."""
    layers: int = 1
    """Layers of the model."""
    heads: int = 4
    """Heads of a transformer's attention."""
    embedding: int = 128
    """Numbers that stand for a token, in the model's inputs and outputs alike."""
    dropout: float = 0.1
    """Share of the model's inputs and outputs that is left out while it learns."""
    critic: Literal["auto", "counts", "runs", "recurrent"] = "auto"
    """What the critic is: two n-gram models, of data and samples (counts; usual for texts without labels); weights of runs of tokens;
    or a recurrent network, which the game and replies need. auto, and counts where they have no say, take the others as they suit."""
    runs: int = 6
    """Tokens of the longest runs that the critic weighs or counts."""
    critic_width: int = 192
    """Hidden units of each recurrent critic."""
    label_dropout: float = 0.1
    """Share of the training examples whose label is not seen, which guidance needs."""
    infill: float = 0.0
    """Share of the rounds by likelihood in which the model learns to write what stands between a beginning and an end."""
    likelihood_share: float = 0.92
    """Share of the budget in which the model learns by likelihood alone."""
    critic_share: float = 0.08
    """Share of the budget after that in which the critics learn against the model as it is; with runs its rounds are short."""
    adversarial: bool = True
    """Play the game in the rest of the budget; otherwise the critics go on learning."""
    likelihood: float = 0.3
    """Weight of the likelihood beside the rewards."""
    discount: float = 0.6
    """What a reward one token later is worth."""
    gate_interval: int = 25
    """Rounds of the game from one check of the second critic to the next."""
    learning_rate: float = 8e-3
    """Adam's step size for the model at the start (of a transformer an eighth of it); a fiftieth of that at the end of its stage."""
    adversarial_learning_rate: float = 1.5e-4
    """Adam's step size for the model in the game."""
    critic_learning_rate: float = 1e-3
    """Adam's step size for recurrent critics."""
    runs_learning_rate: float = 1e-2
    """Adam's step size for the weights of runs at the start of their stage; a twentieth at the end."""
    tries: int = 4
    """Samples of which the critic draws one where `--where critic` says nothing else."""
    half_life: int = 2_000
    """Half-life of the model's moving average in samples."""


@dataclass(frozen=True)
class Rate:
    """Warm-up over 50 rounds, then a straight line to a fiftieth; another one for the game."""

    config: Config

    def __call__(self, clock: Clock) -> float:
        done, share = clock.progress(), self.config.likelihood_share
        if done >= share:
            return self.config.adversarial_learning_rate
        begun = self.config.learning_rate * (SLOWER if self.config.core == "transformer" else 1.0)
        return begun * (1 - 0.98 * done / share) * min(1.0, (clock.rounds + 1) / 50)


@dataclass(frozen=True)
class RunsRate:
    """A straight line to a twentieth over the critic's stage."""

    config: Config

    def __call__(self, clock: Clock) -> float:
        done = (clock.progress() - self.config.likelihood_share) / max(1e-9, 1 - self.config.likelihood_share)
        return self.config.runs_learning_rate * (1 - 0.95 * min(1.0, max(0.0, done)))
