"""Speech of text: phonemes to mel spectra with a critic of patches, then a vocoder (Ren et al. 2021, FastSpeech 2; Yang et al. 2021,
GANSpeech).

An encoder sees the phonemes, a small network says how many frames each lasts, a decoder makes the mel spectrum, and a critic of patches
keeps it from being the mean of all ways to say something. A wave is made of it by Griffin and Lim's iterations, in the network, or by a
vocoder that was trained on the same spectra.

    gansmith train voice/ --gan speech                      # recordings and metadata.csv (FILE|TEXT)
    gansmith train voice/ --gan speech --transcripts de     # another language, by espeak-ng
    gansmith speak RUN "Good morning." --out hello.wav --speed 1.1
    gansmith speak RUN "Good morning." --vocoder VOCODER    # a run of advoc, vocos or hifigan
    gansmith speak RUN "Good morning." --speaker anna       # of several: sub-folders, or a column speaker

The times of the phonemes are given (.TextGrid, .lab), or found before the training by hidden Markov models of the recordings. Figures:
docs/audio.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._speaking import Saying, said
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import FLOOR, log_mel
from gansmith.layers.convnext import FrameNetwork
from gansmith.layers.patch_critic import PatchCritic
from gansmith.layers.sequence import on_the_host
from gansmith.layers.sounding import MAGNIFIED, GriffinLim
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import uniform_rows

SCALE = 4.0
"""Logarithmic magnitudes are divided by this and begin at -1, inside the networks."""
SHORTEST = 8
"""Frames of the shortest spectrum that is made a wave of; shorter ones are followed by silence."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of the speech GAN."""

    width: int = 128
    """Numbers that stand for a phoneme."""
    blocks: int = 3
    """ConvNeXt blocks that see the phonemes."""
    decoder_width: int = 192
    """Channels inside the decoder."""
    decoder_blocks: int = 5
    """ConvNeXt blocks of the decoder."""
    segment: int = 96
    """Frames of each sentence that a round learns from."""
    iterations: int = 32
    """Griffin-Lim iterations that find the phases."""
    critic_width: int = 16
    """Channels of the critic's first layer."""
    critic_layers: int = 2
    """Halvings of the critic."""
    adversarial: float = 0.05
    """Weight of the adversarial term."""
    critic_begins: float = 0.3
    """The share of the budget after which the critic plays along."""
    durations: float = 0.1
    """Weight of the squared error of logarithmic durations."""
    learning_rate: float = 1e-3
    """Adam's step size for the generator, which falls to a tenth."""
    critic_learning_rate: float = 4e-4
    """Adam's step size for the critic."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""


class Speaker(nn.Module):
    """Phonemes to a mel spectrum and a wave."""

    tolerance = MAGNIFIED

    def __init__(self, config: Config, spec: AudioSpec) -> None:
        super().__init__()
        assert isinstance(spec.source, AudioSpec)
        self.hop, self.frames = spec.hop, spec.shape[0] // spec.hop
        width = config.width
        self.symbols = nn.Embedding(len(spec.source.symbols) + 1, width, padding_idx=0)
        self.voices = nn.Embedding(len(spec.source.speakers), width) if spec.source.speakers else None
        self.encoder = FrameNetwork(width, width, config.blocks, width)
        self.lasting = FrameNetwork(width, width // 2, 2, 1)
        self.decoder = FrameNetwork(width + 3, config.decoder_width, config.decoder_blocks, spec.bands)
        self.phases = GriffinLim(spec.mel, self.frames, config.iterations)

    def encoded(
        self, phonemes: Int[Tensor, "batch phonemes"], speaker: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch width phonemes"]:
        given = self.symbols(phonemes).transpose(1, 2)
        if self.voices is not None and speaker is not None:
            given = given + self.voices(speaker)[:, :, None]
        return (given + self.encoder(given)) * (phonemes > 0)[:, None]

    def logarithms(self, encoded: Float[Tensor, "batch width phonemes"]) -> Float[Tensor, "batch phonemes"]:
        """Logarithms of 1 + the frames that each phoneme lasts; they teach the encoder nothing."""
        return self.lasting(encoded.detach())[:, 0].float() + 1.5

    def durations(
        self, phonemes: Int[Tensor, "batch phonemes"], encoded: Float[Tensor, "batch width phonemes"], speed: float = 1.0
    ) -> Float[Tensor, "batch phonemes"]:
        """How many frames each phoneme is to last, whole numbers; 0 behind the end."""
        found = (self.logarithms(encoded).exp() - 1) / speed
        return found.round().clamp(0, 200) * (phonemes > 0)

    def spectrum(
        self,
        encoded: Float[Tensor, "batch width phonemes"],
        frames: Float[Tensor, "batch phonemes"],
        at: Int[Tensor, "batch times"],
    ) -> Float[Tensor, "batch bands times"]:
        """The logarithmic mel spectrum at these frames of the sentences."""
        ends = frames.cumsum(1)
        place = (at[:, :, None] >= ends[:, None, :]).sum(2).clamp(max=encoded.shape[2] - 1)
        lasts = frames.gather(1, place).clamp_min(1)
        share = (at - (ends - frames).gather(1, place) + 0.5) / lasts
        there = (at < ends[:, -1:]).float()
        shown = encoded.gather(2, place[:, None].expand(-1, encoded.shape[1], -1))
        beside = torch.stack([share, (1 - share).abs(), lasts.log() / 2], 1)
        made = self.decoder(torch.cat([shown, beside.to(shown.dtype)], 1) * there[:, None].to(shown.dtype)).float()
        return ((made + 1) * SCALE + log(FLOOR)) * there[:, None] + log(FLOOR) * (1 - there[:, None])

    def forward(
        self, phonemes: Int[Tensor, "batch phonemes"], speaker: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch samples"]:
        """Waves as long as the longest sentence of the data, with silence behind the end."""
        encoded = self.encoded(phonemes, speaker)
        frames = self.durations(phonemes, encoded)
        count = self.frames
        if not torch.compiler.is_exporting():  # silence needs no phases
            count = min(count, max(SHORTEST, int(frames.sum(1).max())))
        at = torch.arange(count, device=phonemes.device).expand(phonemes.shape[0], -1)
        bands = self.spectrum(encoded, frames, at).exp() - 0.999 * FLOOR
        wave = self.phases(bands).clamp(-1, 1)
        ends = (frames.sum(1, keepdim=True) * self.hop).clamp_max(wave.shape[1])
        wave = wave * (torch.arange(wave.shape[1], device=wave.device) < ends)
        return pad(wave, (0, self.frames * self.hop - wave.shape[1]))


class Critic(nn.Module):
    """Patches of a spectrum beside what is said in them."""

    def __init__(self, config: Config, spec: AudioSpec) -> None:
        super().__init__()
        assert isinstance(spec.source, AudioSpec)
        self.said = nn.Embedding(len(spec.source.symbols) + 1, spec.bands)
        self.patches = PatchCritic(2, width=config.critic_width, layers=config.critic_layers, batch_norm=False)

    def forward(self, mel: Float[Tensor, "batch bands times"], phonemes: Int[Tensor, "batch times"]) -> Tensor:
        shown = (mel - log(FLOOR)) / SCALE - 1
        return self.patches(torch.stack([shown, self.said(phonemes).transpose(1, 2).to(shown.dtype)], 1))


class Speech(GAN):
    """L1 distances of spectra, errors of durations, and hinge losses of patches in the later part."""

    Config = Config
    kinds = ("audio",)
    tasks = ("pairs",)
    source_axes = (("phoneme",),)
    opens: ClassVar[Mapping[str, str]] = {"transcripts": "en"}
    probed = 16
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="a voice in a quarter of an hour on a CPU", kind="audio", batch=4, minutes=15.0),
        "wide": Preset(
            about="for hours or a GPU",
            kind="audio",
            batch=32,
            samples=2_000_000,
            config={"width": 384, "decoder_width": 512, "decoder_blocks": 8, "critic_width": 32, "segment": 192},
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec)
        self.mel = spec.mel
        self.segment = max(2, min(config.segment, spec.shape[0] // spec.hop))
        self.generator = Player(
            Speaker(config, spec),
            learning_rate=Cosine(config.learning_rate, config.learning_rate / 10),
            betas=(0.9, 0.99),
            average=partial(Average, half_life=config.half_life),
            max_gradient_norm=5.0,
        )
        self.critic = Player(Critic(config, spec), learning_rate=config.critic_learning_rate, betas=(0.5, 0.9))

    @property
    def speaker(self) -> Speaker:
        """The network that plays."""
        assert isinstance(self.generator.network, Speaker)
        return self.generator.network

    def cut(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """(frames at which a part of each sentence is taken, what is said there, its spectrum)."""
        phonemes, frames, wave = batch["a"], batch["a.frames"], batch["b"]
        total = frames.sum(1)
        chance = uniform_rows(len(wave), 1, device=wave.device)[:, 0]
        start = (chance * (total - self.segment + 1).clamp_min(1)).floor().long()
        at = start[:, None] + torch.arange(self.segment, device=wave.device)
        place = (at[:, :, None] >= frames.cumsum(1)[:, None, :]).sum(2).clamp(max=phonemes.shape[1] - 1)
        spoken = phonemes.gather(1, place) * (at < total[:, None])
        beside = self.mel.n_fft // self.mel.hop  # frames on both sides that see the mirrored ends, which are cut off
        steps = (start[:, None] - beside) * self.mel.hop + torch.arange(
            (self.segment + 2 * beside) * self.mel.hop, device=wave.device
        )
        piece = wave.gather(1, steps.clamp(0, wave.shape[1] - 1)) * ((steps >= 0) & (steps < wave.shape[1]))
        return at, spoken, log_mel(piece.float(), self.mel)[:, :, beside:-beside]

    def play(self, draw: Draw) -> Iterator[Move]:
        batch, config, network = within(draw()), self.config, self.speaker
        phonemes, frames = batch["a"], batch["a.frames"].float()
        at, spoken, real = self.cut(batch)
        encoded = network.encoded(phonemes, batch.get("a.speaker"))
        fake = network.spectrum(encoded, frames, at)
        there = (at < frames.sum(1, keepdim=True)).float()[:, None]
        known = (phonemes > 0).float()
        errors = (network.logarithms(encoded) - (frames + 1).log()).square()
        terms = {
            "l1": ((fake - real).abs() * there).sum() / (there.sum() * real.shape[1]),
            "durations": config.durations * (errors * known).sum() / known.sum(),
        }
        if self.clock.progress() >= config.critic_begins:
            real = real * there + log(FLOOR) * (1 - there)
            yield self.critic.minimizes(hinge=hinge_critic(self.critic(real, spoken), self.critic(fake.detach(), spoken)))
            terms["hinge"] = config.adversarial * hinge_generator(self.critic(fake, spoken))
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        if "a.frames" not in batch:
            batch = {**batch, "a.frames": torch.ones_like(batch["a"])}
        _, spoken, real = self.cut(batch)
        return self.critic(real, spoken).flatten(1).mean(1)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """Neither rng nor truncation matter, since no noise goes in."""
        given = [condition[key].to(self.device) for key in ("a", "a.speaker") if key in condition]
        return {self.spec.key: self.generator.averaged(*given), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        assert isinstance(self.spec, AudioSpec) and isinstance(self.spec.source, AudioSpec)
        most, symbols = self.spec.source_shape[0], len(self.spec.source.symbols)
        rng = torch.Generator().manual_seed(0)
        inputs = {"input": torch.randint(1, symbols + 1, (2, most), generator=rng)}
        if speakers := self.spec.source.speakers:
            inputs["speaker"] = torch.tensor([0, len(speakers) - 1])
        return Saying(self.generator.averaged, tolerance=MAGNIFIED), inputs

    @torch.inference_mode()
    def speak(
        self, codec: Any, text: str, *, speed: float = 1.0, vocoder: GAN | None = None, speaker: str | None = None
    ) -> Sound:
        """What the voice says, sentence by sentence, with short pauses between.

        `vocoder` makes the wave of the spectrum in place of Griffin-Lim, `speaker` is the name of a voice or its number from 1. Raises
        UserError for text that cannot be read, for a vocoder of other spectra, and for a speaker that there is not.
        """
        spec, network = self.spec, self.generator.averaged
        assert isinstance(spec, AudioSpec) and isinstance(network, Speaker)
        makes = network.phases if vocoder is None else _vocoder(vocoder, spec)

        def make(phonemes: Tensor, who: Tensor | None) -> Tensor:
            encoded = network.encoded(phonemes, who)
            frames = network.durations(phonemes, encoded, speed)
            count = max(SHORTEST, int(frames.sum()))
            mel = network.spectrum(encoded, frames, torch.arange(count, device=self.device)[None])
            return makes(mel.exp() - 0.999 * FLOOR) if vocoder is None else makes(mel)

        return said(codec, text, speaker, self.device, make)


def within(batch: Batch) -> Batch:
    """The batch without the columns behind its longest sentence: those of the data are as many as its longest has. On a GPU as it is, since
    looking where the ends are would wait for it."""
    if not on_the_host(batch["a"]):
        return batch
    longest = max(1, int((batch["a"] > 0).sum(1).max()))
    return {**batch, "a": batch["a"][:, :longest], "a.frames": batch["a.frames"][:, :longest]}


def _vocoder(vocoder: GAN, spec: AudioSpec) -> nn.Module:
    """The network of a vocoder of these spectra. Raises UserError for any other model."""
    theirs = vocoder.spec
    if not isinstance(theirs, AudioSpec) or not isinstance(theirs.source, AudioSpec) or theirs.source.key != "mel":
        raise UserError(
            f"--vocoder needs a run that makes waves of mel spectra (advoc, vocos or hifigan), but it is one of {vocoder.name}."
        )
    if theirs.mel != spec.mel:
        raise UserError(
            f"this voice has spectra of {spec.mel}, the vocoder those of {theirs.mel}: train it on the same recordings."
        )
    return vocoder.players["generator"].averaged
