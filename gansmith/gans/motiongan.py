"""MotionGAN: videos from a picture that is painted once and moved, from noise or from a given frame (this package).

A clip is one content, which is painted once, and a motion, which a recurrent network makes frame by frame (the split of Tulyakov et al.
2018, "MoCoGAN"). Every frame is that picture moved along a flow, where a mask says so, and painted anew elsewhere (as in Vondrick et al.
2016, "Generating videos with scene dynamics", and Siarohin et al. 2019, "First order motion model"). One critic looks at frames and at
the clip; the game is that of R3GAN (Huang et al. 2024): relativistic pairs, R1 and R2. Half of the training begins with a given frame
of the real clip, which the generated clip is then paired with: the same model makes videos of pictures, goes on with videos, and fills
in what lies between two frames.

    gansmith train shapes                                   # clips from noise, classes, pictures
    gansmith translate RUN portrait.png --out moving.mp4

We have not trained it to a score: after 60 CPU seconds on shapes (804 rounds of 16 clips, bfloat16) it makes coloured blobs that move.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, softplus

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._clips import example_labels, frames_requested, parted
from gansmith.kinds.video.spec import VideoSpec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.clips import as_clips, as_images, moved_along, with_differences
from gansmith.layers.halving import Doubling, Halving
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.pyramid import pyramid
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import normal_rows, uniform_rows

SLOPE = 0.2
Places = slice | Sequence[int]
"""Frames of a clip."""
LAYERS = 3
"""What a frame is made of: the picture moved, the given last frame moved, and what is painted anew."""
GIVEN = ("first", "before", "last")
"""Frames that may be given: that with which a clip begins, the one before that, and that with which it ends."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MotionGAN."""

    width: int = 16
    """Channels of the generator at half the side of a frame, twice as many at each halving, at most eight times."""
    critic_width: int = 24
    """Channels of the critic at half the side of a frame, likewise."""
    noise: int = 48
    """Dimensions of the noise that decides the content of a clip."""
    motion_noise: int = 8
    """Dimensions of the noise of each frame."""
    motion: int = 48
    """Dimensions of the motion of each frame, made by the recurrent network."""
    reach: float = 0.7
    """How far a flow may carry, in halves of the frame."""
    shown: int = 3
    """Frames of a clip that a round paints and judges: in turns neighbouring ones, and ones from its beginning to its end."""
    given: float = 0.5
    """The share of a batch that begins with a given frame; an eighth of that also ends with one, an eighth begins with two."""
    arrow: float = 0.1
    """Weight of the pairs that teach the critic the arrow of time: a real clip against itself backwards."""
    gamma: float = 3.0
    """Weight of the gradient penalties at the start, for frames of 32x32 RGB, scaled with the numbers of a frame."""
    gamma_end: float = 0.3
    """Weight of the gradient penalties at the end of the schedule."""
    penalty_interval: int = 3
    """Rounds from one with penalties to the next; they then weigh as many times more."""
    learning_rate: float = 2e-3
    """Step size of both players at the start."""
    learning_rate_end: float = 2e-4
    """Step size at the end of the schedule."""
    beta2: float = 0.99
    """Adam's second-moment decay."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in clips, at the end of the schedule; it grows from 0."""
    schedule: int | None = None
    """Clips over which everything above changes; None: the budget."""

    def __post_init__(self) -> None:
        if not 0 <= self.given < 1:
            raise UserError(f"The share of given frames lies from 0 to below 1, but it is {self.given}: change --gan.given.")


@dataclass(frozen=True)
class Given:
    """Frames of real clips that generated ones begin or end with."""

    frames: Float[Tensor, "batch 3 channels height width"]
    """Those of GIVEN; what is not there is 0."""
    there: Float[Tensor, "batch 3"]
    """1 for those that are there."""
    ends: bool
    """Whether any last frame is there."""

    def planes(self) -> Float[Tensor, "batch planes height width"]:
        """All frames, and a plane for each that says whether it is there."""
        height, width = self.frames.shape[-2:]
        return torch.cat([self.frames.flatten(1, 2), self.there[:, :, None, None].expand(-1, -1, height, width)], 1)


class ClipGenerator(nn.Module):
    """Noise [batch, content + frames * motion] (and label, and given frames) to clips of as many frames as there is noise of."""

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__()
        self.config = config
        _, channels, height, columns = spec.shape
        stages, lowest = pyramid(height, columns, 1)
        count = stages - 1
        self.halvings = min(2, count)
        """How often the scene is smaller than the frame."""
        widths = [config.width * min(8, 2**level) for level in range(max(1, count))]  # from half the side down
        inner = widths[self.halvings - 1 if self.halvings else 0]
        self.channels, self.inner = channels, inner
        self.scene_shape = (height >> self.halvings, columns >> self.halvings)
        self.labels = label_embedding(spec, config.noise // 2)
        label = config.noise // 2 if spec.conditions else 0
        self.lowest = (widths[-1], *lowest)
        self.first = nn.Linear(config.noise + label, math.prod(self.lowest), bias=False)
        self.first_norm = BatchNorm(widths[-1])
        deeper = list(zip(widths[: self.halvings - 1 : -1], widths[-2::-1], strict=False))[: count - self.halvings]
        self.deeper = nn.ModuleList(Doubling(a, b, bias=False) for a, b in deeper)
        self.deeper_norms = nn.ModuleList(BatchNorm(b) for _, b in deeper)
        outer = [widths[level] for level in reversed(range(self.halvings - 1))]  # between scene and frame
        self.canvas = _painter([inner, *outer, channels], self.halvings)
        self.read = (
            nn.ModuleList(
                Halving(a, b) for a, b in zip([3 * channels + 3, *reversed(outer)], [*reversed(outer), inner], strict=True)
            )
            if self.halvings
            else nn.ModuleList([nn.Conv2d(3 * channels + 3, inner, 3, padding=1)])
        )
        self.read_norms = nn.ModuleList(BatchNorm(layer.out_channels) for layer in self.read)
        self.summary = nn.Linear(inner, config.motion)
        self.begin = nn.Linear(config.noise + label + config.motion, config.motion)
        self.motion = nn.GRU(config.motion_noise + label + 4, config.motion, batch_first=True)
        self.scale = nn.Linear(config.motion, inner)
        self.shift = nn.Linear(config.motion, inner * math.prod(self.scene_shape))
        self.frame_norm = BatchNorm(inner)
        self.mix = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.mix_norm = BatchNorm(inner)
        self.over_time = nn.Conv1d(config.motion, config.motion, 5, padding=2)
        nn.init.zeros_(self.over_time.weight)
        nn.init.zeros_(self.over_time.bias)  # pyright: ignore[reportArgumentType], there is a bias
        self.paint = _painter([inner, *outer, channels + LAYERS], self.halvings)
        self.flow = nn.Conv2d(inner, 4, 3, padding=1)
        nn.init.normal_(self.flow.weight, 0, 0.01)
        nn.init.zeros_(self.flow.bias)  # pyright: ignore[reportArgumentType], there is a bias

    def forward(
        self,
        noise: Float[Tensor, "batch noise"],
        label: Label | None = None,
        given: Given | None = None,
        places: Places = slice(None),
    ) -> Float[Tensor, "batch frames channels height width"]:
        """`places` are the frames to paint, of those that there is noise of; painting is most of the work."""
        noise, motion_noise = parted(noise, self.config.noise, self.config.motion_noise)
        about = self.labels(label) if self.labels is not None else noise[:, :0]
        content = torch.cat([noise, about], 1)
        scene = self._scene(content)
        picture = bounded(self.canvas(scene))
        if given is not None:
            is_given = given.there[:, :1, None, None]
            scene = torch.where(is_given > 0, self._read(given), scene)
            picture = torch.where(is_given > 0, given.frames[:, 0].to(picture.dtype), picture)
        moves = self._moves(content, about, scene, motion_noise, given)[:, places]
        made = self._frames(scene, moves.flatten(0, 1), picture, given, moves.shape[1])
        return (
            made
            if given is None
            else _kept(
                made, given, range(motion_noise.shape[1])[places] if isinstance(places, slice) else places, motion_noise.shape[1]
            )
        )

    def _scene(self, content: Tensor) -> Tensor:
        """The content as features at a quarter of the side of a frame."""
        x = self.first(content).unflatten(1, self.lowest).contiguous(memory_format=torch.channels_last)
        x = leaky_relu(self.first_norm(x), SLOPE)
        for layer, norm in zip(self.deeper, self.deeper_norms, strict=True):
            x = leaky_relu(norm(layer(x)), SLOPE)
        return x

    def _read(self, given: Given) -> Tensor:
        """Given frames as features of the same shape."""
        x = given.planes().contiguous(memory_format=torch.channels_last)
        for layer, norm in zip(self.read, self.read_norms, strict=True):
            x = leaky_relu(norm(layer(x)), SLOPE)
        return x

    def _moves(
        self, content: Tensor, about: Tensor, scene: Tensor, noise: Tensor, given: Given | None
    ) -> Float[Tensor, "batch frames motion"]:
        """The motion of every frame; where an end is given, how far it is."""
        count, steps = noise.shape[:2]
        begin = torch.tanh(self.begin(torch.cat([content, self.summary(scene.mean((2, 3))).to(content.dtype)], 1)))
        there = noise.new_zeros(count, 3) if given is None else given.there.to(noise.dtype)
        left = torch.linspace(1, 0, steps, device=noise.device, dtype=noise.dtype)
        ahead = (there[:, 2:] * left)[:, :, None]
        inputs = [noise, about[:, None].expand(-1, steps, -1).to(noise.dtype), there[:, None].expand(-1, steps, -1), ahead]
        moves = self.motion(torch.cat(inputs, 2), begin[None].contiguous())[0]
        return moves + self.over_time(moves.transpose(1, 2)).transpose(1, 2)

    def _frames(self, scene: Tensor, moves: Tensor, picture: Tensor, given: Given | None, steps: int) -> Tensor:
        x = scene.repeat_interleave(steps, 0)
        x = x * (1 + self.scale(moves)[:, :, None, None]) + self.shift(moves).unflatten(1, (self.inner, *self.scene_shape))
        x = leaky_relu(self.frame_norm(x.contiguous(memory_format=torch.channels_last)), SLOPE)
        x = leaky_relu(self.mix_norm(self.mix(x)), SLOPE)
        painted = self.paint(x).float()
        flows = interpolate(self.config.reach * torch.tanh(self.flow(x).float()), size=painted.shape[2:], mode="bilinear")
        shares = painted[:, self.channels :]
        if given is None or not given.ends:
            mine, anew = shares[:, ::2].softmax(1).split(1, 1)
            made = mine * moved_along(picture.repeat_interleave(steps, 0), flows[:, :2])
        else:
            absent = (given.there[:, 2:] == 0).repeat_interleave(steps, 0)[:, :, None, None] * 1e4
            mine, ends, anew = (
                (shares - torch.cat([torch.zeros_like(absent), absent, torch.zeros_like(absent)], 1)).softmax(1).split(1, 1)
            )
            made = mine * moved_along(picture.repeat_interleave(steps, 0), flows[:, :2])
            made = made + ends * moved_along(given.frames[:, 2].float().repeat_interleave(steps, 0), flows[:, 2:])
        return as_clips(made + anew * bounded(painted[:, : self.channels]), steps)


def _kept(made: Tensor, given: Given, places: Sequence[int], steps: int) -> Tensor:
    """Frames at these places of a clip, the given ones as they are: the first, or the one before it and the first, and the last."""
    first, before, last = given.there[:, :, None, None, None].unbind(1)
    frames = list(made.unbind(1))
    own = given.frames.to(made.dtype)
    for at, place in enumerate(places):
        if place == 0:
            frames[at] = torch.where(before > 0, own[:, 1], torch.where(first > 0, own[:, 0], frames[at]))
        if place == 1:
            frames[at] = torch.where(before > 0, own[:, 0], frames[at])
        if place == steps - 1:
            frames[at] = torch.where(last > 0, own[:, 2], frames[at])
    return torch.stack(frames, 1)


def _painter(widths: list[int], halvings: int) -> nn.Module:
    """From a scene to a frame: transposed convolutions with batch norm between."""
    if not halvings:
        return nn.Conv2d(widths[0], widths[-1], 3, padding=1)
    layers: list[nn.Module] = []
    for place, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
        ends = place == len(widths) - 2
        layers += [Doubling(a, b, bias=ends), *([] if ends else [BatchNorm(b), nn.LeakyReLU(SLOPE)])]
    return nn.Sequential(*layers)


class ClipCritic(nn.Module):
    """Clips (and labels) to two logits each: the mean of one for each frame, and one for the clip; labels enter by projection."""

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__()
        _, channels, height, columns = spec.shape
        stages, lowest = pyramid(height, columns, 1)
        inner = [config.critic_width * min(8, 2**level) for level in range(max(1, stages - 1))]
        pairs = zip([2 * channels, *inner], inner, strict=False)
        self.layers = nn.ModuleList(Halving(a, b) if stages > 1 else nn.Conv2d(a, b, 3, padding=1) for a, b in pairs)
        numbers, wide = inner[-1] * math.prod(lowest), 64
        self.frame = nn.Linear(numbers, wide if spec.conditions else 1)
        self.gather = nn.Linear(numbers, 2 * wide)
        self.early = nn.Conv1d(2 * wide, 2 * wide, 3, padding=1)
        self.late = nn.Conv1d(2 * wide, 2 * wide, 3, stride=2, padding=1)
        self.apart = nn.Linear(1, 2 * wide, bias=False)
        self.clip = nn.Linear(2 * wide, wide if spec.conditions else 1)
        self.frame_labels, self.clip_labels = label_embedding(spec, wide), label_embedding(spec, wide)
        for labels in filter(None, (self.frame_labels, self.clip_labels)):
            nn.init.normal_(labels.weight, 0, 1 / math.sqrt(wide))

    def forward(
        self, video: Float[Tensor, "batch frames channels height width"], label: Label | None = None, apart: float = 1.0
    ) -> Float[Tensor, "batch 2"]:
        """`apart` says how many frames lie between two of those that it is shown."""
        steps = video.shape[1]
        x = as_images(with_differences(video))
        for layer in self.layers:
            x = leaky_relu(layer(x), SLOPE)
        x = x.flatten(1)
        frames = as_clips(self.frame(x), steps).mean(1)
        gathered = self.gather(x) + self.apart(x.new_full((1, 1), apart - 1))
        over = as_clips(leaky_relu(gathered, SLOPE), steps).transpose(1, 2)
        over = leaky_relu(self.late(leaky_relu(self.early(over) + over, SLOPE)), SLOPE)
        clip = self.clip(over.mean(2))
        if self.frame_labels is not None and self.clip_labels is not None:
            frames = (frames * self.frame_labels(label)).sum(1, keepdim=True)
            clip = (clip * self.clip_labels(label)).sum(1, keepdim=True)
        return torch.cat([frames, clip], 1)


class MotionGAN(GAN):
    """The relativistic pairing game of clips; generated ones may share given frames with the real ones they are paired with."""

    Config = Config
    spec: VideoSpec
    kinds = ("video",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="video", batch=16, minutes=5.0),
        "gpu": Preset(
            about="128x128 and 16 frames on a GPU",
            kind="video",
            batch=32,
            samples=2_000_000,
            config={
                "width": 64,
                "critic_width": 64,
                "noise": 128,
                "motion": 128,
                "motion_noise": 16,
                "learning_rate": 5e-4,
                "learning_rate_end": 5e-5,
                "half_life": 50_000,
            },
        ),
    }

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__(config, spec)
        learning_rate = Cosine(config.learning_rate, config.learning_rate_end, config.schedule)
        share = math.prod(spec.shape[1:]) / (3 * 32 * 32)
        self.gamma = Cosine(share * config.gamma, share * config.gamma_end, config.schedule)
        self.generator = Player(
            ClipGenerator(config, spec),
            learning_rate=learning_rate,
            betas=(0.0, config.beta2),
            average=partial(Average, half_life=Cosine(0, config.half_life, config.schedule)),
        )
        self.critic = Player(ClipCritic(config, spec), learning_rate=learning_rate, betas=(0.0, config.beta2))

    @property
    def starts_from_frames(self) -> bool:
        """Whether it was trained to begin with given frames."""
        return self.config.given > 0

    def places(self, steps: int) -> list[int]:
        """The frames that this round looks at: neighbours, from somewhere or from the beginning, or ones all over the clip."""
        count, turn = min(self.config.shown, steps), self.clock.rounds % 4
        if turn >= 2:
            return [round(place * (steps - 1) / (count - 1)) for place in range(count)]
        start = 0 if turn == 1 else self.clock.rounds // 4 * 7 % (steps - count + 1)
        return list(range(start, start + count))

    def given_of(self, real: Tensor) -> Given | None:
        """What the first part of the batch is given of the real clips: the first frame; in one of four rounds half of it the first two, in
        another one the first and the last. Both parts are in every batch, so that its statistics are those of all uses of the generator."""
        turn, count = self.clock.rounds % 4, len(real)
        if not self.config.given:
            return None
        first = (torch.arange(count, device=real.device) < self.config.given * count).float()
        second = (uniform_rows(count, device=real.device) < 0.5).float() * first
        there = torch.stack([first, second * (turn == 1), second * (turn == 3)], 1)
        begin = torch.where(there[:, 1, None, None, None] > 0, real[:, 1], real[:, 0])
        frames = torch.stack([begin, real[:, 0], real[:, -1]], 1)
        return Given(frames * there[:, :, None, None, None], there, ends=turn == 3)

    def numbers(self, steps: int) -> int:
        """The dimensions of the noise of a clip of so many frames."""
        return self.config.noise + steps * self.config.motion_noise

    def play(self, draw: Draw) -> Iterator[tuple[Move, ...]]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        labels = None if label is None else torch.cat([label, label])
        places = self.places(real.shape[1])
        apart = (places[-1] - places[0]) / (len(places) - 1)
        noise = normal_rows(len(real), self.numbers(real.shape[1]), device=real.device)
        fake = self.generator(noise, label, self.given_of(real), places)
        real = real[:, places]
        both = torch.cat([real, fake])
        if self.clock.every(self.config.penalty_interval):
            logits, squared_norms = with_gradient_norm(lambda x: self.critic(x, labels, apart), both)
            gamma = self.gamma(self.clock) * self.config.penalty_interval
            r1, r2 = (gamma * zero_centred(norms) for norms in squared_norms.chunk(2))
            penalties = {"r1": r1, "r2": r2}
        else:
            logits, penalties = self.critic(both, labels, apart), {}
        real_logits, fake_logits = logits.chunk(2)
        if self.config.arrow and self.clock.every(2 * self.config.penalty_interval):
            backwards = self.critic(real.flip(1), label, apart)[:, 1]
            weight = 2 * self.config.arrow * self.config.penalty_interval
            penalties["arrow"] = weight * softplus(backwards - real_logits[:, 1]).mean()
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), **penalties),
            self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits)),
        )

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(batch[self.spec.key], batch.get("label")).sum(1)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> dict[str, Any]:
        """Clips of any length (`condition["frames"]`), from given frames ("given" [n, 3, C, H, W] and "there" [n, 3]) if there are some."""
        steps = int(condition["frames"][0]) if "frames" in condition else self.spec.shape[0]
        noise = truncation * torch.randn(n, self.numbers(steps), generator=rng)
        label = condition["label"].to(self.device) if "label" in condition else None
        given = None
        if "given" in condition:
            ends = bool((condition["there"][:, 2] > 0).any())
            given = Given(condition["given"].to(self.device), condition["there"].to(self.device), ends)
        made = self.generator.averaged(noise.to(self.device), label, given)
        return {self.spec.key: made, **{key: condition[key] for key in ("label",) if key in condition}}

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """Another number of frames: frames=64 (as --length), or seconds=3."""
        return frames_requested(key, value, n, self.spec)

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        inputs = {"noise": torch.randn(2, self.numbers(self.spec.shape[0]))}
        return self.generator.averaged, inputs | example_labels(self.spec)
