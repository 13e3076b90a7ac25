"""HiFi-GAN: mel spectra to waves, made longer step by step (Kong, Kim & Bae 2020, "HiFi-GAN: generative adversarial networks for
efficient and high fidelity speech synthesis").

Frames are enlarged to samples by transposed convolutions with residual blocks of several reaches between them. Critics see the wave at
several periods and its spectra at several resolutions; least squares, feature matching and the distance of mel spectra.

    gansmith train voice/ --gan hifigan                      # a folder of recordings is enough
    gansmith train voice/ --gan hifigan --from RUN           # a run on another voice, critics included
    gansmith translate RUN recordings/ --out made/           # through the mel spectrum and back

Differences from the paper: critics of spectra (UnivNet) stand in for those of pooled waves, as in `vocos`, and there is no weight
normalisation. It takes a GPU, or a run to start from: docs/audio.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Player, Preset
from gansmith.gans._waves import Vocoding
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import FLOOR
from gansmith.layers.hifi import HifiGenerator
from gansmith.layers.wave_critics import WaveCritics
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of HiFi-GAN; the defaults are those of the paper's V1 (appendix A.1)."""

    width: int = 512
    """Channels of the generator's first layer, halved at each enlargement; V2 has 128."""
    kernels: tuple[int, ...] = (3, 7, 11)
    """Samples of the kernels of the residual blocks that are averaged; odd numbers."""
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    """Periods in samples at which critics see waves."""
    windows: tuple[int, ...] = (512, 1024, 2048)
    """Windows of the spectra that critics see."""
    critic_width: int = 32
    """Channels of the first layer of critics of waves, four times as many in each layer after it."""
    spectrum_width: int = 32
    """Channels of critics of spectra."""
    mel: float = 45.0
    """Weight of the L1 distance of logarithmic mel spectra."""
    features: float = 2.0
    """Weight of feature matching."""
    critic_begins: float = 0.0
    """The share of the budget after which the critics join."""
    learning_rate: float = 2e-4
    """Adam's step size for both players, which falls to a tenth."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        if not self.kernels or any(own < 1 or own % 2 == 0 for own in self.kernels):
            raise UserError(f"--gan.kernels must be odd numbers of samples, but they are {self.kernels}.")


class Enlarging(nn.Module):
    """A logarithmic mel spectrum to a wave, of any number of frames."""

    def __init__(self, config: Config, spec: AudioSpec) -> None:
        super().__init__()
        self.network = HifiGenerator(spec.bands, spec.hop, width=config.width, sizes=config.kernels)
        self.context = self.network.reach * spec.hop
        """Samples on each side that a sample depends on."""

    def forward(self, mel: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch samples"]:
        return self.network((mel - log(FLOOR)) / 4 - 1)


class HiFiGAN(Vocoding):
    """Least squares of all critics, feature matching and the mel distance (equations 1 to 5)."""

    loss = "least_squares"
    of_critic = staticmethod(least_squares_critic)
    of_generator = staticmethod(least_squares_generator)

    Config = Config
    source_axes = (("band", "frame"),)
    opens: ClassVar[Mapping[str, str]] = {"degrade": "mel"}
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="a narrow generator with few critics, which join in the second half, for an hour of a CPU",
            kind="audio",
            batch=16,
            minutes=60.0,
            config={
                "width": 64,
                "kernels": (3, 7),
                "periods": (2, 5),
                "windows": (512, 1024),
                "critic_width": 8,
                "spectrum_width": 16,
                "critic_begins": 0.5,
                "learning_rate": 1e-3,
            },
        ),
        "v2": Preset(
            about="the paper's V2 (0.9 million weights)", kind="audio", batch=16, samples=8_000_000, config={"width": 128}
        ),
        "paper": Preset(about="the paper's V1, for a GPU", kind="audio", batch=16, samples=40_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec)
        falling = Cosine(config.learning_rate, config.learning_rate / 10)
        average = partial(Average, half_life=config.half_life)
        self.generator = Player(Enlarging(config, spec), learning_rate=falling, betas=(0.8, 0.99), average=average)
        critics = WaveCritics(config.periods, config.windows, config.critic_width, config.spectrum_width)
        self.critic = Player(critics, learning_rate=falling, betas=(0.8, 0.99))
