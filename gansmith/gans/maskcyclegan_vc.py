"""MaskCycleGAN-VC: one voice converted to another, from recordings of different sentences (Kaneko et al. 2021,
"MaskCycleGAN-VC: learning non-parallel voice conversion with filling in frames").

A network converts a mel spectrum to another voice; converted back, it must equal the original. Some frames are hidden, and the network
fills them in from their neighbours. Patch critics see spectra that were converted once; others see those that were converted twice.

Nothing of that keeps the words: what is converted back may be hidden in the spectrum. So in the preset of CPUs the first cepstra, which are
the envelope of the spectrum without its pitch, must also stay what they were, in the mean and spread of their voice.

    gansmith train voices/ --gan maskcyclegan_vc             # voices/anna/*.wav, voices/ben/*.wav, ...
    gansmith translate RUN anna.wav --makes ben --out made.wav
    gansmith evaluate RUN                                    # gan_test: how often a classifier hears the requested voice

One network makes all voices and critics have a head for each, as in StarGAN-VC2 (Kaneko et al. 2019), where the paper has two networks for
two voices; two voices are enough. The network adds to the spectrum that it is given, so that training begins at the voice itself, and
Griffin-Lim stands in for the paper's vocoder. Figures: docs/audio.md. A licence to copy recordings
is not the speaker's consent to be imitated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import instance_norm, leaky_relu, pad

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.data.values import CountOrNone
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Look, Move, Player, Preset
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import FLOOR, log_mel
from gansmith.layers.sounding import MAGNIFIED, GriffinLim, LogMel
from gansmith.layers.voices import Converter, Spectrum
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import uniform_rows

SCALE = 4.0
"""Logarithmic magnitudes are divided by this and begin at -1, inside the networks."""
LOOKED_AT = 512
"""Windows that tell the mean and spread of cepstra."""
HALVINGS = 4
"""The bands that the networks see are a multiple of this."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MaskCycleGAN-VC; the defaults are the paper's (section 4.1) but for the width."""

    width: int = 64
    """Channels of the generator at full size, twice as many below (the paper: 128)."""
    blocks: int = 6
    """Residual blocks along time."""
    critic_width: int = 64
    """Channels of the critics' first layer."""
    hidden: CountOrNone = 25
    """The most frames that are hidden from the generator; 0 for none, as in CycleGAN-VC2."""
    cycle: float = 10.0
    """Weight of the L1 distance between a spectrum and its conversion there and back."""
    identity: float = 5.0
    """Weight of the L1 distance between a spectrum and its conversion to its own voice."""
    identity_share: float = 0.1
    """The share of the budget in which that counts."""
    content: float = 0.0
    """Weight of the L1 distance between the cepstra of a spectrum and of its conversion, each in the mean and spread of its voice, which
    keeps the words; 0 as in the paper."""
    cepstra: int = 20
    """How many cepstra those are."""
    twice: bool = True
    """Whether critics also see spectra converted twice (the two-step adversarial loss)."""
    iterations: int = 32
    """Griffin-Lim iterations that find the phases."""
    learning_rate: float = 2e-4
    """Adam's step size for the generator, which falls to a tenth."""
    critic_learning_rate: float = 1e-4
    """Adam's step size for the critics, which falls to a tenth."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""


class Revoicing(nn.Module):
    """A wave and a voice to the wave in that voice, of any number of frames."""

    tolerance = MAGNIFIED

    def __init__(self, config: Config, spec: AudioSpec) -> None:
        super().__init__()
        self.spectrum, self.multiple = LogMel(spec.mel), spec.hop
        self.bands = -(-spec.bands // HALVINGS) * HALVINGS
        self.converter = Converter(self.bands, len(spec.classes), width=config.width, blocks=config.blocks)
        self.phases = GriffinLim(spec.mel, spec.shape[0] // spec.hop, config.iterations)

    def picture(self, mel: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch 1 rows frames"]:
        """A spectrum as the networks see it, silence above its highest band."""
        shown = (mel - log(FLOOR)) / SCALE - 1
        return pad(shown, (0, 0, 0, self.bands - mel.shape[1]), value=-1.0)[:, None]

    def forward(self, wave: Float[Tensor, "batch samples"], voice: Int[Tensor, " batch"]) -> Float[Tensor, "batch samples"]:
        mel = self.spectrum(wave)
        made = self.converter(self.picture(mel), voice)[:, 0, : mel.shape[1]].float()
        return self.phases((made.clamp(-1, 4) + 1).mul(SCALE).add(log(FLOOR)).exp() - 0.999 * FLOOR).clamp(-1, 1)


class VoiceCritic(nn.Module):
    """Patches of a spectrum to logits, one map for each voice, of which the label takes one."""

    def __init__(self, width: int, voices: int) -> None:
        super().__init__()
        widths = [1, width, 2 * width, 4 * width]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:], strict=False))
        self.scores = nn.Conv2d(widths[-1], voices, 3, padding=1)

    def forward(self, x: Float[Tensor, "batch 1 rows frames"], voice: Int[Tensor, " batch"]) -> Float[Tensor, "batch 1 _ _"]:
        for place, layer in enumerate(self.layers):
            x = layer(x)
            x = leaky_relu(instance_norm(x) if place and min(x.shape[2:]) > 1 else x, 0.2)
        found = self.scores(x)
        return found.gather(1, voice[:, None, None, None].expand(-1, 1, *found.shape[2:]))


class Voices(nn.Module):
    """The first cepstra of spectra, in the mean and spread that they have in each voice."""

    mean: Tensor
    spread: Tensor
    cosines: Tensor

    def __init__(self, voices: int, cepstra: int, bands: int) -> None:
        super().__init__()
        places = torch.arange(min(cepstra, bands))[:, None] * (torch.arange(bands) + 0.5)
        self.register_buffer("cosines", (places * torch.pi / bands).cos() * (2 / bands) ** 0.5, persistent=False)
        self.register_buffer("mean", torch.zeros(voices, len(places), 1))
        self.register_buffer("spread", torch.ones(voices, len(places), 1))

    def learn(self, mel: Float[Tensor, "batch bands frames"], voice: Int[Tensor, " batch"]) -> None:
        """The means and spreads of voices that are heard."""
        found = self.cosines @ mel
        for own in voice.unique().tolist():
            heard = found[voice == own]
            self.mean[own], self.spread[own] = heard.mean((0, 2))[:, None], heard.std((0, 2))[:, None].clamp_min(1e-3)

    def forward(
        self, mel: Float[Tensor, "batch bands frames"], voice: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch cepstra frames"]:
        return (self.cosines @ mel - self.mean[voice]) / self.spread[voice]


class MaskCycleGANVC(GAN):
    """Least squares on patches, there and back, with frames to fill in (equations 1 to 7)."""

    Config = Config
    kinds = ("audio",)
    tasks = ("domains",)
    opens: ClassVar[Mapping[str, bool]] = {"convert": True}
    probed = 32
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="two voices in minutes on a CPU: narrower, larger steps, less held to where it begins, words kept by cepstra",
            kind="audio",
            batch=8,
            minutes=15.0,
            config={
                "width": 12,
                "blocks": 4,
                "critic_width": 16,
                "hidden": 1,
                "cycle": 0.5,
                "content": 2.0,
                "identity_share": 0.0,
                "learning_rate": 2e-3,
                "critic_learning_rate": 1e-3,
            },
        ),
        "paper": Preset(about="for a GPU", kind="audio", batch=8, samples=1_000_000, config={"width": 128, "critic_width": 128}),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec)
        if spec.shape[0] // spec.hop < 2 * HALVINGS:
            raise UserError(
                f"maskcyclegan_vc needs windows of {2 * HALVINGS * spec.hop / spec.rate:.2g} s: give a greater --seconds."
            )
        betas = (0.5, 0.999)
        self.generator = Player(
            Revoicing(config, spec),
            learning_rate=Cosine(config.learning_rate, config.learning_rate / 10),
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        falling = Cosine(config.critic_learning_rate, config.critic_learning_rate / 10)
        critic = partial(VoiceCritic, config.critic_width, len(spec.classes))
        self.critic = Player(critic(), learning_rate=falling, betas=betas)
        if config.twice:
            self.second_critic = Player(critic(), learning_rate=falling, betas=betas)
        self.voices = Voices(len(spec.classes), config.cepstra, spec.bands) if config.content else None

    def prepare(self, look: Look) -> None:
        """Learns where the cepstra of each voice lie."""
        if self.voices is not None:
            batch = look(LOOKED_AT)
            self.voices.learn(log_mel(batch["wave"].float(), self.spec.mel), batch["label"])

    def kept(self, real: Spectrum, voice: Int[Tensor, " batch"], fake: Spectrum, wanted: Int[Tensor, " batch"]) -> Tensor:
        """How far the cepstra of conversions are from those of what was converted, each in the units of its voice."""
        assert self.voices is not None
        mel = [SCALE * (shown[:, 0, : self.spec.bands].float() + 1) + log(FLOOR) for shown in (real, fake)]
        return (self.voices(mel[1], wanted) - self.voices(mel[0], voice)).abs().mean()

    @property
    def directions(self) -> tuple[str, ...]:
        """The voices that it can make."""
        return self.spec.classes

    @property
    def revoicing(self) -> Revoicing:
        """The network that learns."""
        assert isinstance(self.generator.network, Revoicing)
        return self.generator.network

    def hiding(self, like: Float[Tensor, "batch 1 rows frames"]) -> Float[Tensor, "batch 1 rows frames"]:
        """1 where frames are there: in each example, up to `hidden` in a row are not (section 3.1)."""
        count = like.shape[3]
        most = min(self.config.hidden, count // 2)
        chance = uniform_rows(len(like), 2, device=like.device)
        length = (chance[:, :1] * (most + 1)).floor()
        start = (chance[:, 1:] * (count - length + 1)).floor()
        at = torch.arange(count, device=like.device)
        there = (at < start) | (at >= start + length)
        return there.to(like.dtype)[:, None, None].expand_as(like)

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch, config = draw(), self.config
        network, voice = self.revoicing, batch["label"]
        real = network.picture(log_mel(batch["wave"], self.spec.mel))
        by = (1 + (uniform_rows(len(voice), 1, device=voice.device)[:, 0] * (len(self.spec.classes) - 1)).long()).clamp(
            max=len(self.spec.classes) - 1
        )
        wanted = (voice + by) % len(self.spec.classes)
        fake = network.converter(real, wanted, self.hiding(real))
        back = network.converter(fake, voice)
        terms = {
            "least_squares": least_squares_generator(self.critic(fake, wanted)),
            "cycle": config.cycle * (back - real).abs().mean(),
        }
        if config.content:
            terms["content"] = config.content * self.kept(real, voice, fake, wanted)
        if self.clock.progress() < config.identity_share:
            terms["identity"] = config.identity * (network.converter(real, voice, self.hiding(real)) - real).abs().mean()
        if config.twice:
            terms["twice"] = least_squares_generator(self.second_critic(back, voice))
        yield self.generator.minimizes(**terms)
        critics = [
            self.critic.minimizes(
                least_squares=least_squares_critic(self.critic(real, voice), self.critic(fake.detach(), wanted))
            )
        ]
        if config.twice:
            made = self.second_critic(back.detach(), voice)
            critics.append(self.second_critic.minimizes(twice=least_squares_critic(self.second_critic(real, voice), made)))
        yield tuple(critics)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds the waves given, "a" [n, samples], and the voices to make, "label" [n]; no noise goes in."""
        made = self.generator.averaged(condition["a"].to(self.device), condition["label"].to(self.device))
        return {self.spec.key: made.float(), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        rng = torch.Generator().manual_seed(0)
        wave = 0.1 * torch.randn(2, *self.spec.source_shape, generator=rng)
        return InVoice(self.generator.averaged), {"input": wave, "label": torch.tensor([0, len(self.spec.classes) - 1])}

    def scores(self, batch: Batch) -> Tensor:
        shown = self.revoicing.picture(log_mel(batch["wave"].float(), self.spec.mel))
        return self.critic(shown, batch["label"]).flatten(1).mean(1)


class InVoice(nn.Module):
    """A network of a wave and a voice under the names that programs expect."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.tolerance, self.multiple = network, MAGNIFIED, getattr(network, "multiple", 1)

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        return self.network(input, label)
