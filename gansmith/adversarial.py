"""Adversarial losses: pure functions of logits, each a pair for the critic and the generator.

`real` and `fake` are the critic's outputs for a batch, of any shape; the result is the mean over all of them, in float32.
Every loss is minimised by the player in its name.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

Logits = Float[Tensor, "*any"]
Loss = Float[Tensor, ""]


def minimax_critic(real: Logits, fake: Logits) -> Loss:
    """Goodfellow et al. 2014, equation 1, as a loss on logits."""
    return (softplus(-real.float()) + softplus(fake.float())).mean()  # -log D(x) - log(1 - D(G(z))), D = sigmoid


def minimax_generator(fake: Logits) -> Loss:
    """Goodfellow et al. 2014, equation 1: log(1 - D(G(z))). Its gradient vanishes where the critic is sure."""
    return -softplus(fake.float()).mean()


non_saturating_critic = minimax_critic


def non_saturating_generator(fake: Logits) -> Loss:
    """Goodfellow et al. 2014, section 3: -log D(G(z)), strong where the minimax loss is flat."""
    return softplus(-fake.float()).mean()


def least_squares_critic(real: Logits, fake: Logits) -> Loss:
    """Mao et al. 2017, equation 9: targets 1 for real, 0 for fake."""
    return ((real.float() - 1).square() + fake.float().square()).mean() / 2


def least_squares_generator(fake: Logits) -> Loss:
    """Mao et al. 2017, equation 9."""
    return (fake.float() - 1).square().mean() / 2


def hinge_critic(real: Logits, fake: Logits) -> Loss:
    """Lim & Ye 2017; Miyato et al. 2018, equation 16."""
    return ((1 - real.float()).relu() + (1 + fake.float()).relu()).mean()


def hinge_generator(fake: Logits) -> Loss:
    """Miyato et al. 2018, equation 17."""
    return -fake.float().mean()


def wasserstein_critic(real: Logits, fake: Logits) -> Loss:
    """Arjovsky et al. 2017, equation 3: the difference of scores, whose negative estimates the distance."""
    return fake.float().mean() - real.float().mean()


def wasserstein_generator(fake: Logits) -> Loss:
    """Arjovsky et al. 2017, algorithm 1."""
    return -fake.float().mean()


def relativistic_critic(real: Logits, fake: Logits) -> Loss:
    """The relativistic pairing loss (Jolicoeur-Martineau 2018; Huang et al. 2024, equation 2): real i against fake i."""
    return softplus(-(real.float() - fake.float())).mean()


def relativistic_generator(real: Logits, fake: Logits) -> Loss:
    """The same game from the generator's side: the fake of a pair should look more real than the real one."""
    return softplus(-(fake.float() - real.float())).mean()


def relativistic_average_critic(real: Logits, fake: Logits) -> Loss:
    """Jolicoeur-Martineau 2018 (ESRGAN, Wang et al. 2018, equation 1): real against the mean fake, fake against the mean real."""
    real, fake = real.float(), fake.float()
    return (softplus(-(real - fake.mean())).mean() + softplus(fake - real.mean()).mean()) / 2


def relativistic_average_generator(real: Logits, fake: Logits) -> Loss:
    """The same game from the generator's side (ESRGAN, equation 2)."""
    return relativistic_average_critic(fake, real)
