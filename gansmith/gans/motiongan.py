"""MotionGAN: videos from sprites that are painted once and moved, from noise or from a given frame (this package).

A clip has one content and one motion (the split of Tulyakov et al. 2018, "MoCoGAN"). The content is painted once, by one pass of an image
generator: a background (Vondrick et al. 2016, "Generating videos with scene dynamics") and sprites with transparency, each with a sheet of
poses, which are the sprite moved along flows and painted anew where a mask says so (Siarohin et al. 2019, "First order motion model").
A recurrent network makes of the motion, for every frame, where each sprite lies, how large it is and which poses it shows. Placing is
separable linear interpolation, two matrix products (the attention of Gregor et al. 2015, "DRAW", with hat functions; Jaderberg et al. 2015,
"Spatial transformer networks"), so that a further frame costs little, and colours stay as they were painted.

Two critics judge: one of single frames, one of whole clips, smaller, as channels of one image, whose first layer also sees the differences
of neighbouring frames. Both also guess the class (Odena et al. 2017). A third, small one may be added (`steady`), which sees nothing but
how the shares of colours change within a clip. The game is that of R3GAN (Huang et al. 2024): relativistic pairs, R1 and R2. A share of
the training begins with a given frame of the real clip that the generated one is paired with: the same model makes videos of pictures, goes
on with videos, and fills in what lies between two frames.

    gansmith train shapes                                   # clips from noise, classes, pictures
    gansmith translate RUN portrait.png --out moving.mp4

Scores are in docs/video.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, softplus

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.augment.against_overfitting import AgainstOverfitting
from gansmith.augment.pipeline import Transforms
from gansmith.data.codec import Batch
from gansmith.data.values import Number, Whole
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._clips import example_labels, frames_requested
from gansmith.kinds.video.spec import VideoSpec
from gansmith.layers.clip_critics import ChangeCritic, ClipCritic, FrameCritic, colour_changes
from gansmith.layers.sprites import Given, SpriteGenerator
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training import distributed
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import normal_rows

AUGMENTATIONS = Transforms(flip=0.0, quarter_turns=0.0, rotation=0.0, luma_flip=0.0, cutout=1.0)
"""What adaptive augmentation changes: mirrored and turned, a clip would be of another class."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MotionGAN."""

    width: int = 16
    """Channels of the generator at half the side of a frame, twice as many at each halving, at most eight times."""
    critic_width: int = 16
    """Channels of both critics at half the side of what they see, likewise."""
    noise: int = 48
    """Dimensions of the noise that decides the content of a clip and the beginning of its motion."""
    motion_noise: int = 4
    """Dimensions of the noise of each frame."""
    unrest: Annotated[float, Number(0, 1)] = 1.0
    """The share of that noise which is drawn anew for each frame, from 0 to 1; the rest is one for the whole clip. Less makes straighter
    paths, and learns more slowly."""
    motion: int = 48
    """Dimensions of the motion of each frame, made by the recurrent network."""
    sprites: int = 1
    """Sprites that lie on the background, one upon the other."""
    poses: int = 4
    """Pictures of each sprite, between which its motion chooses; 1: it only moves."""
    palette: Annotated[int, Whole(0, 64)] = 8
    """Colours that are chosen once a clip, of which its sprites are mixed, detail being added; 0: none. They let the colours of whole parts
    vary from clip to clip."""
    crisp: bool = False
    """Colours and edges of sprites are chosen after they moved, not mixed before: sharp outlines wherever a sprite lies, and less change of
    colours; a round takes a quarter longer, and variety comes later."""
    bend: Annotated[float, Number(0, 2)] = 0.3
    """How far a pose may carry parts of a sprite, in halves of the frame."""
    stretch: Annotated[float, Number(0, 3)] = 0.5
    """How much larger or smaller than painted a sprite may be shown, as a logarithm."""
    faces: int = 3
    """Frames of each clip that the critic of frames judges in a round."""
    given: float = 0.25
    """The share of a batch that begins with a given frame; an eighth of that also ends with one, an eighth begins with two."""
    guessed: float = 0.2
    """Weight of the labels that both critics guess. More makes classes clearer, and clips of a class alike."""
    arrow: float = 0.1
    """Weight of the pairs that teach the critic of clips the arrow of time: a real clip against itself backwards."""
    steady: Annotated[float, Number(0, 10)] = 0.0
    """Weight of a third critic, which sees nothing but how the shares of colours change within a clip, every second round; 0: none.
    Beside crisp sprites .6 makes colours change less."""
    against_overfitting: Literal["none", "diffaugment", "ada"] = "none"
    """What both critics see is augmented, all frames of a clip in the same way: always (diffaugment) or as much as needed (ada)."""
    overfitting_target: float = 0.6
    """The overfitting that ada allows: how often a real clip beats its generated partner, the mean sign of the differences of logits."""
    gamma: float = 2.4
    """Weight of the gradient penalties at the start, for frames of 32x32 RGB, scaled with the numbers of a frame."""
    gamma_end: float = 0.24
    """Weight of the gradient penalties at the end of the schedule."""
    penalty_interval: int = 3
    """Rounds from one with penalties to the next; they then weigh as many times more."""
    learning_rate: float = 2e-3
    """Step size of both players at the start."""
    learning_rate_end: float = 2e-4
    """Step size at the end of the schedule."""
    beta2: float = 0.99
    """Adam's second-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in clips, at the end of the schedule; it grows from 0."""
    schedule: int | None = None
    """Clips over which everything above changes; None: the budget."""

    def __post_init__(self) -> None:
        if not 0 <= self.given < 1:
            raise UserError(f"The share of given frames lies from 0 to below 1, but it is {self.given}: change --gan.given.")


CHANGES_INTERVAL = 2
"""Rounds from one in which the critic of changes has a say to the next; it then weighs as many times more."""
GAINS = 5.0
"""How much more a direction of colours in which the data vary little may weigh for the critic of frames than that of the most."""


class Critics(nn.Module):
    """The critic of frames, that of clips, and that of changes of colour if there is one, which has no say in `forward`."""

    middle: Tensor
    mixes: Tensor

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__()
        self.frames = FrameCritic(spec, config.critic_width)
        self.clips = ClipCritic(spec, config.critic_width)
        self.changes = ChangeCritic(spec) if config.steady else None
        self.register_buffer("middle", torch.zeros(spec.shape[1], 1, 1))
        self.register_buffer("mixes", torch.eye(spec.shape[1]))
        self.register_load_state_dict_pre_hook(_unmixed)

    @torch.no_grad()
    def look(self, real: Tensor) -> None:
        """Learns the middle of the colours of real clips [B, T, C, H, W], and how much they vary.

        Where what is bright and what is dark differ by more than colours do, a critic whose gradient is penalised would see little else:
        the directions of colours weigh more the less the data vary in them."""
        self.middle.copy_(distributed.average(real.mean((0, 1, 3, 4)))[:, None, None])
        colours = (real - self.middle).float().transpose(0, 2).flatten(1)
        values, directions = torch.linalg.eigh(distributed.average(colours @ colours.T / colours.shape[1]))
        gains = (values.max() / values.clamp(min=1e-6)).sqrt().clamp(max=GAINS)
        self.mixes.copy_((directions * gains) @ directions.T)

    def centred(self, images: Tensor) -> Tensor:
        """Images [N, frames * C, H, W] about 0 and with a deviation nearer to 1, as the critic of clips sees them."""
        return (images.float() - self.middle.repeat(images.shape[1] // len(self.middle), 1, 1)) * 2

    def mixed(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W] about 0, with colours as far apart as `look` learned, as the critic of frames sees them."""
        return torch.einsum("nchw,dc->ndhw", self.centred(images), self.mixes)

    def forward(self, video: Tensor, label: Tensor | None = None) -> Tensor:
        """Clips [B, T, C, H, W] to the sum of the logit of the clip and of the mean one of its frames [B]."""
        count, steps = video.shape[:2]
        labels = None if label is None else label.repeat_interleave(steps, 0)
        faces = self.frames(self.mixed(video.flatten(0, 1)), labels)
        return self.clips(self.centred(self.clips.seen(video)), label) + faces.view(count, steps).mean(1)


class MotionGAN(GAN):
    """The relativistic pairing game of frames and of clips; generated ones may share given frames with the real ones of their pair."""

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
                "sprites": 3,
                "poses": 8,
                "learning_rate": 5e-4,
                "learning_rate_end": 5e-5,
                "half_life": 50_000,
            },
        ),
    }

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__(config, spec)
        learning_rate = Cosine(config.learning_rate, config.learning_rate_end, config.schedule)
        share = spec.shape[1] * spec.shape[2] * spec.shape[3] / (3 * 32 * 32)
        self.gamma = Cosine(share * config.gamma, share * config.gamma_end, config.schedule)
        generator = SpriteGenerator(
            spec,
            width=config.width,
            noise=config.noise,
            motion_noise=config.motion_noise,
            motion=config.motion,
            unrest=config.unrest,
            sprites=config.sprites,
            poses=config.poses,
            bend=config.bend,
            stretch=config.stretch,
            palette=config.palette,
            crisp=config.crisp,
            reads=config.given > 0,
        )
        self.generator = Player(
            generator,
            learning_rate=learning_rate,
            betas=(0.0, config.beta2),
            average=partial(Average, half_life=Cosine(0, config.half_life, config.schedule)),
        )
        self.critic = Player(Critics(config, spec), learning_rate=learning_rate, betas=(0.0, config.beta2))
        self.overfitting = AgainstOverfitting(
            config.against_overfitting, target=config.overfitting_target, full_swing=None, transforms=AUGMENTATIONS
        )

    @property
    def starts_from_frames(self) -> bool:
        """Whether it was trained to begin with given frames."""
        return self.config.given > 0

    def given_rows(self, count: int) -> list[int]:
        """Which clips of this process's part of a batch begin with a given frame: evenly spread ones, in every batch the same."""
        begin, share = distributed.rank() * count, self.config.given
        return [row for row in range(count) if math.floor((begin + row + 1) * share) > math.floor((begin + row) * share)]

    def given_of(self, real: Tensor) -> Given:
        """What generated clips are given of these real ones: the first frame; in one of four rounds half of them the first two, in another
        one the first and the last."""
        turn, count, half = self.clock.rounds % 4, len(real), (len(real) + 1) // 2
        none = real.new_zeros(count)
        some = torch.cat([real.new_ones(half), real.new_zeros(count - half)])
        there = torch.stack([none + 1, some if turn == 1 else none, some if turn == 3 else none], 1)
        begin = torch.where(there[:, 1, None, None, None] > 0, real[:, 1], real[:, 0])
        frames = torch.stack([begin, real[:, 0], real[:, -1]], 1)
        return Given(frames * there[:, :, None, None, None], there, ended=half if turn == 3 else 0)

    def faces(self, steps: int) -> list[int]:
        """The frames that the critic of frames judges in this round: evenly spread, each time from another one."""
        count = min(self.config.faces, steps)
        return [(self.clock.rounds * 7 + face * steps // count) % steps for face in range(count)]

    def numbers(self, steps: int) -> int:
        """The dimensions of the noise of a clip of so many frames."""
        return self.config.noise + steps * self.config.motion_noise

    def made(self, real: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Real clips and labels in the order in which generated clips are paired with them: those with given frames first."""
        given = self.given_rows(len(real))
        order, count = [*given, *(row for row in range(len(real)) if row not in given)], len(given)
        noise = normal_rows(len(real), self.numbers(real.shape[1]), device=real.device)
        real, noise = (torch.stack([own[row] for row in order]) for own in (real, noise))
        label = None if label is None else torch.stack([label[row] for row in order])
        parts = []
        for rows, is_given in ((slice(0, count), True), (slice(count, len(real)), False)):
            if len(noise[rows]):
                own = None if label is None else label[rows]
                parts.append(self.generator(noise[rows], own, self.given_of(real[rows]) if is_given else None))
        return real, torch.cat(parts), label

    def play(self, draw: Draw) -> Iterator[tuple[Move, ...]]:
        batch = draw()
        real, fake, label = self.made(batch[self.spec.key], batch.get("label"))
        critics = self.critic.network
        assert isinstance(critics, Critics)
        if self.clock.rounds == 0:
            critics.look(real)
        real, fake = self.overfitting.clips(real), self.overfitting.clips(fake)
        places = self.faces(real.shape[1])
        faces, fake_faces = (
            critics.mixed(torch.stack([clips[:, place] for place in places], 1).flatten(0, 1)) for clips in (real, fake)
        )
        labels = None if label is None else label.repeat_interleave(len(places), 0)
        against, towards, _ = self._judged("frames", critics.frames, faces, fake_faces, labels)
        small, fake_small = (critics.centred(critics.clips.seen(clips)) for clips in (real, fake))
        more, further, ahead = self._judged("clips", critics.clips, small, fake_small, label)
        self.overfitting.observe(ahead, self.clock)
        if critics.changes is not None and self.clock.every(CHANGES_INTERVAL):
            less, nearer, _ = self._judged("changes", critics.changes, self._changes(real), self._changes(fake), None)
            more |= {name: CHANGES_INTERVAL * term for name, term in less.items()}
            further |= {name: CHANGES_INTERVAL * self.config.steady * term for name, term in nearer.items()}
        if self.config.arrow and self.clock.every(2 * self.config.penalty_interval):
            back = small.unflatten(1, (real.shape[1], -1)).flip(1).flatten(1, 2)
            forwards, backwards = critics.clips(small, label), critics.clips(back, label)
            weight = 2 * self.config.arrow * self.config.penalty_interval
            more["arrow"] = weight * softplus((backwards - forwards).float()).mean()
        yield self.critic.minimizes(**against, **more), self.generator.minimizes(**towards, **further)

    def _changes(self, clips: Tensor) -> Tensor:
        """What the critic of changes sees: every second pixel of each axis, each time others."""
        turn = self.clock.rounds // CHANGES_INTERVAL
        return colour_changes(clips[..., turn % 2 :: 2, turn // 2 % 2 :: 2])

    def _judged(
        self, name: str, critic: FrameCritic | ClipCritic | ChangeCritic, real: Tensor, fake: Tensor, label: Tensor | None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
        """What the critic and the generator minimise by one of the critics, and how far real examples are ahead of their partners."""
        both = torch.cat([real, fake])
        labels = None if label is None else torch.cat([label, label])
        against, towards = {}, {}
        if self.clock.every(self.config.penalty_interval):
            logits, norms = with_gradient_norm(lambda x: critic(x, labels), both)
            gamma = self.gamma(self.clock) * self.config.penalty_interval
            r1, r2 = (gamma * zero_centred(own) for own in norms.chunk(2))
            against |= {f"{name}_r1": r1, f"{name}_r2": r2}
        elif self.config.guessed and label is not None and not isinstance(critic, ChangeCritic):
            logits, guess = critic.with_guess(both, labels)
            for terms, own in zip((against, towards), guess.float().chunk(2), strict=True):
                wrong = mse_loss(own, label) if label.is_floating_point() else cross_entropy(own, label)
                terms[f"{name}_guessed"] = self.config.guessed * wrong
        else:
            logits = critic(both, labels)
        real_logits, fake_logits = logits.float().chunk(2)
        against[name] = relativistic_critic(real_logits, fake_logits)
        towards[name] = relativistic_generator(real_logits, fake_logits)
        return against, towards, real_logits.detach() - fake_logits.detach()

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(batch[self.spec.key], batch.get("label"))

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> dict[str, Any]:
        """Clips of any length (`condition["frames"]`), from given frames ("given" [n, 3, C, H, W] and "there" [n, 3]) if there are some."""
        steps = int(condition["frames"][0]) if "frames" in condition else self.spec.shape[0]
        noise = truncation * torch.randn(n, self.numbers(steps), generator=rng)
        label = condition["label"].to(self.device) if "label" in condition else None
        given = None
        if "given" in condition:
            ended = n if bool(condition["there"][:, 2].any()) else 0
            given = Given(condition["given"].to(self.device), condition["there"].to(self.device), ended)
        made = self.generator.averaged(noise.to(self.device), label, given)
        return {self.spec.key: made, **{key: condition[key] for key in ("label",) if key in condition}}

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """Another number of frames: frames=64 (as --length), or seconds=3."""
        return frames_requested(key, value, n, self.spec)

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        inputs = {"noise": torch.randn(2, self.numbers(self.spec.shape[0]))}
        return self.generator.averaged, inputs | example_labels(self.spec)


def _unmixed(critics: Critics, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Critics of before see colours as they are, and none saw changes alone: that one begins anew."""
    if f"{prefix}middle" in state:
        state.setdefault(f"{prefix}mixes", torch.eye(len(critics.middle)))
        if critics.changes is not None:
            for name, tensor in critics.changes.state_dict().items():
                state.setdefault(f"{prefix}changes.{name}", tensor)
