"""MoCoGAN: one content and a motion for each frame (Tulyakov et al. 2018, "MoCoGAN: decomposing motion and content for video generation").

A recurrent network turns noise of each frame into its motion; an image generator paints a frame of the content, which stays, and the
motion. One critic looks at patches of single frames, another one at patches of clips of consecutive frames. Classes are categories of
motion: a one-hot vector beside every motion, which the clip critic also guesses (section 3.3, equation 5, with the classes of the data).

    gansmith train shapes --gan mocogan

We have not trained it to a score: it passes the tests on toy data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu, mse_loss

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.augment.instance_noise import instance_noise
from gansmith.data.codec import Batch
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._clips import example_labels, frames_requested, parted
from gansmith.kinds.video.spec import VideoSpec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.clips import as_clips
from gansmith.layers.halving import Doubling
from gansmith.layers.labels import Label, condition_of
from gansmith.layers.pyramid import pyramid
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear
from gansmith.training.seeds import normal_rows, uniform_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MoCoGAN; the defaults are the paper's (section 4 and the published settings)."""

    width: int = 64
    """Channels of the generator at half the side of a frame; twice as many at each halving, at most eight times."""
    critic_width: int = 64
    """Channels of both critics, likewise."""
    noise: int = 50
    """Dimensions of the content, which is the same in all frames."""
    motion: int = 10
    """Dimensions of the motion of each frame, and of the noise that it is made of."""
    instance_noise: float = 0.1
    """Deviation of the noise on all that the critics see."""
    guessed: float = 1.0
    """Weight of the classes or attributes that the clip critic guesses."""
    learning_rate: float = 2e-4
    """Adam's step size for all players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in clips."""


class MotionAndContent(nn.Module):
    """Noise [batch, content + frames * motion] and labels to clips of as many frames as there is noise of."""

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__()
        self.spec, self.content = spec, config.noise
        _, channels, height, columns = spec.shape
        stages, lowest = pyramid(height, columns, 1)
        inner = [config.width * min(8, 2**level) for level in reversed(range(max(1, stages - 1)))]
        self.motion = nn.GRUCell(config.motion, config.motion)
        self.begin = nn.Linear(config.motion, config.motion)
        self.lowest = (inner[0], *lowest)
        latent = config.noise + config.motion + spec.label_width
        self.first = nn.Linear(latent, inner[0] * lowest[0] * lowest[1], bias=False)
        self.first_norm = BatchNorm(inner[0])
        self.layers = nn.ModuleList(
            Doubling(a, b, bias=False) if stages > 1 else nn.ConvTranspose2d(a, b, 3, padding=1)
            for a, b in zip(inner, [*inner[1:], channels], strict=True)
        )
        self.norms = nn.ModuleList(BatchNorm(b) for b in inner[1:])

    def forward(
        self,
        noise: Float[Tensor, "batch noise"],
        label: Label | None = None,
    ) -> Float[Tensor, "batch frames channels height width"]:
        noise, motion_noise = parted(noise, self.content, self.motion.input_size)
        steps = motion_noise.shape[1]
        state, moves = torch.tanh(self.begin(motion_noise[:, 0])), []
        for step in range(steps):
            state = self.motion(motion_noise[:, step], state)
            moves.append(state)
        parts = [noise, *([condition_of(label, self.spec).to(noise.dtype)] if label is not None else [])]
        still = torch.cat(parts, 1)[:, None].expand(-1, steps, -1)
        x = self.first(torch.cat([still, torch.stack(moves, 1).to(noise.dtype)], 2).flatten(0, 1)).unflatten(1, self.lowest)
        x = self.first_norm(x.contiguous(memory_format=torch.channels_last)).relu()
        for layer, norm in zip(self.layers[:-1], self.norms, strict=True):
            x = norm(layer(x)).relu()
        return as_clips(bounded(self.layers[-1](x)), steps)


class PatchCritic(nn.Module):
    """Logits of patches: of frames (`clips` off), or of clips, together with what is guessed of the label."""

    def __init__(self, config: Config, spec: VideoSpec, *, clips: bool) -> None:
        super().__init__()
        steps, channels, height, columns = spec.shape
        stages, _ = pyramid(height, columns, 1)
        widths = [config.critic_width * min(4, 2**level) for level in range(max(1, stages - 1))]
        self.clips = clips
        self.layers, self.norms = nn.ModuleList(), nn.ModuleList()
        layer, norm = (nn.Conv3d, nn.BatchNorm3d) if clips else (nn.Conv2d, nn.BatchNorm2d)
        for place, (a, b) in enumerate(zip([channels, *widths], widths, strict=False)):
            time = 4 if steps >= 4 * (place + 1) else 1
            kernel, stride, padding = ((time, 4, 4), (1, 2, 2), (0, 1, 1)) if clips else (4, 2, 1)
            if clips:
                steps -= time - 1
            self.layers.append(layer(a, b, kernel, stride, padding, bias=place == 0))  # pyright: ignore[reportArgumentType]
            self.norms.append(norm(b) if place else nn.Identity())
        self.patches = layer(widths[-1], 1, 1)
        self.guess = nn.Linear(widths[-1], spec.conditions) if clips and spec.conditions else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Frames [B, C, H, W] or clips [B, T, C, H, W] to logits [B, patches] and the guess [B, conditions]."""
        x = x.transpose(1, 2) if self.clips else x
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = leaky_relu(norm(layer(x)), 0.2)
        guess = self.guess(x.flatten(2).mean(2)) if self.guess is not None else None
        return self.patches(x).flatten(1), guess


class MoCoGAN(GAN):
    """The game of equation 3: a critic of frames and one of clips, the non-saturating loss."""

    Config = Config
    spec: VideoSpec
    kinds = ("video",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width",
            kind="video",
            batch=8,
            minutes=5.0,
            config={"width": 16, "critic_width": 16, "learning_rate": 1e-3},
        ),
        "paper": Preset(about="the paper's widths", kind="video", batch=16, samples=1_600_000),
    }

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__(config, spec)
        how = {"learning_rate": config.learning_rate, "betas": (config.beta1, 0.999)}
        self.generator = Player(MotionAndContent(config, spec), average=partial(Average, half_life=config.half_life), **how)
        self.frame_critic = Player(PatchCritic(config, spec, clips=False), **how)
        self.critic = Player(PatchCritic(config, spec, clips=True), **how)
        self.noise = Linear(config.instance_noise, config.instance_noise)

    def seen(self, examples: Tensor) -> Tensor:
        """What a critic sees of examples: they lie under noise."""
        return instance_noise(examples, self.noise(self.clock))

    def a_frame(self, video: Tensor) -> Tensor:
        """A random frame of each clip."""
        place = (uniform_rows(len(video), device=video.device) * video.shape[1]).long()
        return video[torch.arange(len(video), device=video.device), place]

    def guessed(self, guess: Tensor | None, label: Tensor | None) -> dict[str, Tensor]:
        """How wrong the guessed labels are."""
        if guess is None or label is None:
            return {}
        wrong = mse_loss(guess.float(), label) if label.is_floating_point() else cross_entropy(guess.float(), label)
        return {"guessed": self.config.guessed * wrong}

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.numbers(real.shape[1]), device=real.device), label)
        still = fake.detach()
        frames = [self.frame_critic(self.seen(self.a_frame(own)))[0] for own in (real, still)]
        yield self.frame_critic.minimizes(frames=non_saturating_critic(*frames))
        real_logits, guess = self.critic(self.seen(real))
        fake_logits, _ = self.critic(self.seen(still))
        yield self.critic.minimizes(clips=non_saturating_critic(real_logits, fake_logits), **self.guessed(guess, label))
        frame_logits, _ = self.frame_critic(self.seen(self.a_frame(fake)))
        clip_logits, guess = self.critic(self.seen(fake))
        yield self.generator.minimizes(
            frames=non_saturating_generator(frame_logits),
            clips=non_saturating_generator(clip_logits),
            **self.guessed(guess, label),
        )

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(batch[self.spec.key])[0].mean(1)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> dict[str, Any]:
        """Clips of any length: `condition["frames"]`."""
        steps = int(condition["frames"][0]) if "frames" in condition else self.spec.shape[0]
        noise = truncation * torch.randn(n, self.numbers(steps), generator=rng)
        labels = {key: condition[key] for key in ("label",) if key in condition}
        made = self.generator.averaged(noise.to(self.device), *(own.to(self.device) for own in labels.values()))
        return {self.spec.key: made, **labels}

    def numbers(self, steps: int) -> int:
        """The dimensions of the noise of a clip of so many frames."""
        return self.config.noise + steps * self.config.motion

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """Another number of frames: frames=64 (as --length), or seconds=3."""
        return frames_requested(key, value, n, self.spec)

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        inputs = {"noise": torch.randn(2, self.numbers(self.spec.shape[0]))}
        return self.generator.averaged, inputs | example_labels(self.spec)
