"""VITS: speech of text, end to end (Kim, Kong & Son 2021, "Conditional variational autoencoder with adversarial learning for end-to-end
text-to-speech").

A posterior encoder makes latent frames of the recording, HiFi-GAN's generator makes the wave of them; a flow turns them into frames that
the phonemes explain, and monotonic alignment search finds which phoneme explains which frame. To speak, all of it runs backwards from
noise. Critics of waves and spectra, feature matching, the mel distance, the Kullback-Leibler divergence and durations.

    gansmith train voice/ --gan vits --preset paper          # recordings and metadata.csv (FILE|TEXT), for a GPU
    gansmith train voice/ --gan vits                         # the same at toy size, for hours of a CPU
    gansmith speak RUN "Good morning." --out hello.wav --speaker anna

Differences from the paper: durations are predicted by a plain network (the paper's ablation), ConvNeXt blocks see the phonemes where the
paper has attention, the posterior encoder sees logarithmic magnitudes, and critics are those of `vocos`. It takes a GPU; `speech` learns a
voice in minutes (docs/audio.md).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log, pi
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._speaking import said
from gansmith.gans._waves import mean_logits
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import log_mel, magnitude, stft
from gansmith.layers.alignment_search import monotonic_durations
from gansmith.layers.convnext import FrameNetwork
from gansmith.layers.hifi import HifiGenerator
from gansmith.layers.wave_critics import WaveCritics, feature_distance
from gansmith.layers.wavenet import WaveNet
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import normal_rows, uniform_rows

QUIETEST = 1e-4
"""Magnitudes below this are not told apart."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of VITS; the defaults are the paper's (section 3.2, appendix B)."""

    width: int = 192
    """Channels of the latent frames and of all networks but the wave's."""
    blocks: int = 6
    """Blocks that see the phonemes."""
    posterior_layers: int = 16
    """WaveNet layers of the posterior encoder."""
    flows: int = 4
    """Couplings of the flow; even."""
    flow_layers: int = 4
    """WaveNet layers of each."""
    wave_width: int = 512
    """Channels of the first layer of HiFi-GAN's generator."""
    kernels: tuple[int, ...] = (3, 7, 11)
    """Samples of the kernels of its residual blocks; odd numbers."""
    segment: int = 32
    """Latent frames of each sentence that are made a wave of in a round."""
    noise: float = 0.667
    """The deviation of the noise that speech is made from."""
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    """Periods in samples at which critics see waves."""
    windows: tuple[int, ...] = (512, 1024, 2048)
    """Windows of the spectra that critics see."""
    critic_width: int = 32
    """Channels of the first layer of critics of waves."""
    spectrum_width: int = 32
    """Channels of critics of spectra."""
    mel: float = 45.0
    """Weight of the L1 distance of logarithmic mel spectra."""
    divergence: float = 1.0
    """Weight of the divergence of latent frames from what the phonemes explain."""
    features: float = 2.0
    """Weight of feature matching."""
    critic_begins: float = 0.0
    """The share of the budget after which the critics join."""
    learning_rate: float = 2e-4
    """Adam's step size for both players, which falls to a tenth."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        if self.width % 2 or self.flows % 2:
            raise UserError(f"--gan.width and --gan.flows must be even, but they are {self.width} and {self.flows}.")
        if not self.kernels or any(own < 1 or own % 2 == 0 for own in self.kernels):
            raise UserError(f"--gan.kernels must be odd numbers of samples, but they are {self.kernels}.")


class Flow(nn.Module):
    """Couplings that shift one half of the channels by what a network sees in the other, and swap the halves (volume is kept)."""

    def __init__(self, config: Config, beside: int) -> None:
        super().__init__()
        half = config.width // 2
        self.shifts = nn.ModuleList(
            WaveNet(half, config.width, half, layers=config.flow_layers, beside=beside, zero=True) for _ in range(config.flows)
        )

    def forward(self, x: Tensor, there: Tensor, beside: Tensor | None) -> Tensor:
        for shift in self.shifts:
            first, second = x.chunk(2, 1)
            x = torch.cat([second + shift(first, there, beside), first], 1)
        return x

    def inverse(self, x: Tensor, there: Tensor, beside: Tensor | None) -> Tensor:
        for shift in reversed(self.shifts):
            moved, first = x.chunk(2, 1)
            x = torch.cat([first, moved - shift(first, there, beside)], 1)
        return x


class Voice(nn.Module):
    """Phonemes and noise to a wave, and the networks that learn how."""

    def __init__(self, config: Config, spec: AudioSpec) -> None:
        super().__init__()
        assert isinstance(spec.source, AudioSpec)
        width, self.hop, self.frames = config.width, spec.hop, spec.shape[0] // spec.hop
        several = len(spec.source.speakers)
        self.temperature = config.noise
        self.symbols = nn.Embedding(len(spec.source.symbols) + 1, width, padding_idx=0)
        self.voices = nn.Embedding(several, width) if several else None
        self.encoder = FrameNetwork(width, width, config.blocks, width)
        self.prior = nn.Conv1d(width, 2 * width, 1)
        self.lasting = FrameNetwork(width, width, 2, 1)
        beside = width if several else 0
        self.posterior = WaveNet(spec.n_fft // 2 + 1, width, 2 * width, layers=config.posterior_layers, beside=beside)
        self.flow = Flow(config, beside)
        self.waves = HifiGenerator(width, spec.hop, width=config.wave_width, sizes=config.kernels)

    def of(self, speaker: Int[Tensor, " batch"] | None) -> Float[Tensor, "batch width"] | None:
        return None if self.voices is None or speaker is None else self.voices(speaker)

    def encoded(
        self, phonemes: Int[Tensor, "batch phonemes"], beside: Float[Tensor, "batch width"] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(what is seen in the phonemes, means and logarithmic deviations of their frames), each [batch, width, phonemes]."""
        given = self.symbols(phonemes).transpose(1, 2)
        given = given if beside is None else given + beside[:, :, None]
        seen = (given + self.encoder(given)) * (phonemes > 0)[:, None]
        mean, deviation = self.prior(seen).float().chunk(2, 1)
        return seen, mean, deviation.clamp(-4, 4)

    def logarithms(self, seen: Float[Tensor, "batch width phonemes"]) -> Float[Tensor, "batch phonemes"]:
        """Logarithms of the frames that each phoneme lasts; they teach the encoder nothing."""
        return self.lasting(seen.detach())[:, 0].float() + 1.5

    def forward(
        self,
        phonemes: Int[Tensor, "batch phonemes"],
        noise: Float[Tensor, "batch width frames"],
        speaker: Int[Tensor, " batch"] | None = None,
        speed: float = 1.0,
    ) -> Float[Tensor, "batch samples"]:
        """Waves as long as the noise, with silence behind the end."""
        beside = self.of(speaker)
        seen, mean, deviation = self.encoded(phonemes, beside)
        lasts = (self.logarithms(seen).exp() / speed).ceil().clamp(1, 200) * (phonemes > 0)
        ends = lasts.cumsum(1)
        at = torch.arange(noise.shape[2], device=noise.device)
        place = (at[None, :, None] >= ends[:, None, :]).sum(2).clamp(max=phonemes.shape[1] - 1)
        there = (at < ends[:, -1:]).float()[:, None]
        mean, deviation = (each.gather(2, place[:, None].expand(-1, each.shape[1], -1)) for each in (mean, deviation))
        latent = (mean + self.temperature * noise * deviation.exp()) * there
        wave = self.waves(self.flow.inverse(latent, there, beside) * there)
        return wave * there.repeat_interleave(self.hop, 2)[:, 0]

    def count(self, phonemes: Tensor, speaker: Tensor | None, speed: float) -> int:
        """How many frames the longest of these sentences lasts."""
        lasts = (self.logarithms(self.encoded(phonemes, self.of(speaker))[0]).exp() / speed).ceil().clamp(1, 200)
        return int((lasts * (phonemes > 0)).sum(1).max())


class VITS(GAN):
    """The variational bound and the least-squares game on the waves of segments (equations 1 to 11)."""

    Config = Config
    kinds = ("audio",)
    tasks = ("pairs",)
    source_axes = (("phoneme",),)
    opens: ClassVar[Mapping[str, str]] = {"transcripts": "en"}
    probed = 16
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="toy size: an hour of a CPU and more",
            kind="audio",
            batch=8,
            minutes=120.0,
            config={
                "width": 64,
                "blocks": 3,
                "posterior_layers": 4,
                "flow_layers": 2,
                "wave_width": 64,
                "kernels": (3, 7),
                "periods": (2, 5),
                "windows": (512, 1024),
                "critic_width": 8,
                "spectrum_width": 16,
                "critic_begins": 0.3,
                "learning_rate": 1e-3,
            },
        ),
        "paper": Preset(about="the paper's networks, for a GPU", kind="audio", batch=64, samples=51_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec)
        self.segment = max(2, min(config.segment, spec.shape[0] // spec.hop))
        falling = Cosine(config.learning_rate, config.learning_rate / 10)
        average = partial(Average, half_life=config.half_life)
        self.generator = Player(
            Voice(config, spec), learning_rate=falling, betas=(0.8, 0.99), average=average, max_gradient_norm=1000.0
        )
        critics = WaveCritics(config.periods, config.windows, config.critic_width, config.spectrum_width)
        self.critic = Player(critics, learning_rate=falling, betas=(0.8, 0.99))

    @property
    def voice(self) -> Voice:
        """The network that learns."""
        assert isinstance(self.generator.network, Voice)
        return self.generator.network

    def play(self, draw: Draw) -> Iterator[Move]:
        batch, config, network = draw(), self.config, self.voice
        phonemes, wave, count = batch["a"], batch["b"].float(), batch["a.frames"].sum(1)
        beside = network.of(batch.get("a.speaker"))
        seen, mean, deviation = network.encoded(phonemes, beside)
        size = magnitude(stft(wave, self.spec.n_fft, self.spec.hop)).clamp_min(QUIETEST).log() / 4 + 1
        at = torch.arange(size.shape[2], device=wave.device)
        there = (at < count[:, None]).float()[:, None]
        found, spread = network.posterior(size, there, beside).float().chunk(2, 1)
        spread = spread.clamp(-4, 4)
        latent = (found + normal_like(found) * spread.exp()) * there
        explained = network.flow(latent, there, beside).float()
        lasts = monotonic_durations(likelihoods(explained, mean, deviation), (phonemes > 0).sum(1), count)
        place = (at[None, :, None] >= lasts.cumsum(1)[:, None, :]).sum(2).clamp(max=phonemes.shape[1] - 1)
        mean, deviation = (each.gather(2, place[:, None].expand(-1, each.shape[1], -1)) for each in (mean, deviation))
        divergence = deviation - spread - 0.5 + 0.5 * (explained - mean).square() * (-2 * deviation).exp()
        known = (phonemes > 0).float()
        errors = (network.logarithms(seen) - lasts.clamp_min(1).log()).square()
        start, real = self.cut(wave, count)
        steps = start[:, None] + torch.arange(self.segment, device=wave.device)
        fake = network.waves(latent.gather(2, steps[:, None].expand(-1, latent.shape[1], -1))).float()
        distance = (log_mel(fake, self.spec.mel) - log_mel(real, self.spec.mel)).abs().mean()
        terms = {
            "mel": config.mel * distance,
            "divergence": config.divergence * (divergence * there).sum() / there.sum() / config.width,
            "durations": (errors * known).sum() / known.sum(),
        }
        if self.clock.progress() >= config.critic_begins:
            pairs = zip(self.critic(real), self.critic(fake.detach()), strict=True)
            losses = [least_squares_critic(true, made) for (true, _), (made, _) in pairs]
            yield self.critic.minimizes(least_squares=torch.stack(losses).mean())
            with torch.no_grad():
                true = self.critic(real)
            made = self.critic(fake)
            terms["least_squares"] = torch.stack([least_squares_generator(logits) for logits, _ in made]).mean()
            terms["features"] = config.features * feature_distance(true, made)
        yield self.generator.minimizes(**terms)

    def cut(self, wave: Float[Tensor, "batch samples"], count: Int[Tensor, " batch"]) -> tuple[Tensor, Tensor]:
        """(the frame at which a segment of each sentence begins, its wave)."""
        chance = uniform_rows(len(wave), 1, device=wave.device)[:, 0]
        start = (chance * (count - self.segment + 1).clamp_min(1)).floor().long()
        hop = self.spec.hop
        steps = start[:, None] * hop + torch.arange(self.segment * hop, device=wave.device)
        return start, wave.gather(1, steps.clamp(max=wave.shape[1] - 1))

    def scores(self, batch: Batch) -> Tensor:
        wave = batch["b"].float()
        return mean_logits(self.critic, wave)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds the phonemes, "a" [n, T]; a truncation below 1 makes the noise smaller."""
        network = self.generator.averaged
        assert isinstance(network, Voice)
        noise = truncation * torch.randn(n, self.config.width, network.frames, generator=rng).to(self.device)
        speaker = condition["a.speaker"].to(self.device) if "a.speaker" in condition else None
        return {self.spec.key: network(condition["a"].to(self.device), noise, speaker), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        network = self.generator.averaged
        assert isinstance(network, Voice) and isinstance(self.spec, AudioSpec) and isinstance(self.spec.source, AudioSpec)
        most, symbols = self.spec.source_shape[0], len(self.spec.source.symbols)
        rng = torch.Generator().manual_seed(0)
        inputs = {
            "input": torch.randint(1, symbols + 1, (2, most), generator=rng),
            "noise": torch.randn(2, self.config.width, network.frames, generator=rng),
        }
        if speakers := self.spec.source.speakers:
            inputs["speaker"] = torch.tensor([0, len(speakers) - 1])
        return SayingFromNoise(network), inputs

    @torch.inference_mode()
    def speak(
        self, codec: Any, text: str, *, speed: float = 1.0, vocoder: GAN | None = None, speaker: str | None = None
    ) -> Sound:
        """What the voice says, sentence by sentence, with short pauses between; the same each time.

        Raises UserError for text that cannot be read, for a speaker that there is not, and for a vocoder, which it does not need.
        """
        if vocoder is not None:
            raise UserError("vits makes the wave itself: leave out --vocoder.")
        network, rng = self.generator.averaged, torch.Generator().manual_seed(0)
        assert isinstance(network, Voice)

        def make(phonemes: Tensor, who: Tensor | None) -> Tensor:
            count = network.count(phonemes, who, speed)
            noise = torch.randn(1, self.config.width, count, generator=rng).to(self.device)
            return network(phonemes, noise, who, speed)

        return said(codec, text, speaker, self.device, make)


class SayingFromNoise(nn.Module):
    """A voice under the names that programs expect of its inputs."""

    def __init__(self, network: Voice) -> None:
        super().__init__()
        self.network = network

    def forward(self, input: Tensor, noise: Tensor, speaker: Tensor | None = None) -> Tensor:
        return self.network(input, noise, speaker)


def likelihoods(
    frames: Float[Tensor, "batch width frames"],
    mean: Float[Tensor, "batch width phonemes"],
    deviation: Float[Tensor, "batch width phonemes"],
) -> Float[Tensor, "batch phonemes frames"]:
    """The logarithmic density of every frame in the Gaussian of every phoneme, whose deviations are logarithmic."""
    precision = (-2 * deviation).exp()
    constant = (-0.5 * log(2 * pi) - deviation - 0.5 * mean.square() * precision).sum(1)
    return constant[:, :, None] + (mean * precision).mT @ frames - 0.5 * precision.mT @ frames.square()


def normal_like(x: Tensor) -> Tensor:
    """Normal noise of this shape, a row of it for every example as the seed has it."""
    return normal_rows(len(x), x[0].numel(), device=x.device).view_as(x).to(x.dtype)
