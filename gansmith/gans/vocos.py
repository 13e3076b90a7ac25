"""Vocos: mel spectra to waves in one pass, by magnitudes and phases (Siuzdak 2023, "Vocos: closing the gap between time-domain and
Fourier-based neural vocoders").

ConvNeXt blocks run along the frames; the last layer answers a complex spectrum, which the inverse Fourier transform makes a wave. Critics
see the wave at several periods and its spectra at several resolutions; feature matching and the distance of mel spectra join them.

    gansmith train voice/ --gan vocos
    gansmith train voice/ --gan vocos --preset paper        # for a GPU
    gansmith translate RUN recordings/ --out made/          # through the mel spectrum and back

It takes hours of a CPU before it is as good as Griffin-Lim; `advoc`, the usual vocoder, begins there (docs/audio.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.data.spec import Spec
from gansmith.game import Player, Preset
from gansmith.gans._waves import Vocoding
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import FLOOR
from gansmith.layers.convnext import FrameNetwork
from gansmith.layers.sounding import ComplexHead
from gansmith.layers.wave_critics import WaveCritics
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of Vocos; the defaults are the paper's (section 4)."""

    width: int = 512
    """Channels inside the generator."""
    blocks: int = 8
    """ConvNeXt blocks of the generator."""
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
    """The share of the budget after which the critics play along."""
    learning_rate: float = 5e-4
    """Adam's step size for both players, which falls to 0."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""


class SpectrumHead(nn.Module):
    """A logarithmic mel spectrum to a wave, of any number of frames."""

    def __init__(self, config: Config, spec: AudioSpec) -> None:
        super().__init__()
        self.network = FrameNetwork(spec.bands, config.width, config.blocks, spec.n_fft + 2)
        self.head = ComplexHead(spec.n_fft, spec.hop)
        self.context = self.network.reach * spec.hop + spec.n_fft
        """Samples on each side that a sample depends on."""

    def forward(self, mel: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch samples"]:
        return self.head(self.network((mel - log(FLOOR)) / 4 - 1))


class Vocos(Vocoding):
    """Hinge losses of all critics, feature matching and the mel distance (equations 4 to 8)."""

    loss = "hinge"
    of_critic = staticmethod(hinge_critic)
    of_generator = staticmethod(hinge_generator)

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
                "width": 256,
                "blocks": 6,
                "periods": (2, 5),
                "windows": (512, 1024),
                "critic_width": 8,
                "spectrum_width": 16,
                "critic_begins": 0.5,
                "learning_rate": 1e-3,
            },
        ),
        "paper": Preset(about="the paper's networks, for a GPU", kind="audio", batch=16, samples=16_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec)
        falling = Cosine(config.learning_rate, 0.0)
        self.generator = Player(
            SpectrumHead(config, spec),
            learning_rate=falling,
            betas=(0.8, 0.9),
            average=partial(Average, half_life=config.half_life),
        )
        critics = WaveCritics(config.periods, config.windows, config.critic_width, config.spectrum_width)
        self.critic = Player(critics, learning_rate=falling, betas=(0.8, 0.9))
