"""Vid2vid: a film made of another film, each frame also of those before it (Wang et al. 2018, "Video-to-video synthesis").

A network sees this frame of the given film, those before it and the frames that it made of them. It moves the last one along a flow,
paints a new one, and says of every pixel which of the two is shown. A critic looks at single frames beside those given; further critics
look at several frames in a row, close together and further apart, with their differences. The game is that of least squares, with feature
matching.

    gansmith train pairs/ --kind video                      # folders A and B, films of the same names
    gansmith translate RUN film.mp4 --out made.mp4

Three things differ from the paper: no network of published weights is needed (the mean absolute difference of pixels takes the place of
VGG-19's features, and flows are learned by moving real frames onto the next real ones, not from a flow network), the generator works at
one size, and the critics of clips see the given frames and the differences of frames in the place of flows. Figures: docs/video.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.video.spec import VideoSpec
from gansmith.kinds.video.streams import NextFrame
from gansmith.layers.clips import moved_along
from gansmith.layers.frame_maker import FrameMaker, Made, Memory
from gansmith.layers.multi_scale_critic import Features, PatchScale, feature_matching
from gansmith.layers.patch_critic import check_patches
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear

TOGETHER = 3
"""Frames that a critic of clips sees at a time (section 3.2)."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of vid2vid; the defaults are the paper's (sections 3 and 4) but for what the docstring names."""

    past: int = 2
    """Frames before this one that are looked at; 0 makes each frame by itself, without critics of clips."""
    width: int = 64
    """Channels of the generator's first layer."""
    blocks: int = 9
    """Residual blocks of the generator."""
    rollout: int = 6
    """Frames that are made in a row in a round, at most those of a clip."""
    critic_width: int = 64
    """Channels of the critics' first layers."""
    critic_layers: int = 3
    """Halvings of the critics."""
    paces: int = 2
    """Critics of clips: of neighbouring frames, of every second one, ..., as far as a round makes frames enough."""
    pixels: float = 10.0
    """Weight of the mean absolute difference to the real partner."""
    matching: float = 10.0
    """Weight of the critics' features of made frames, which should be those of real ones."""
    warped: float = 10.0
    """Weight of what real frames that are moved along the flows lack to the next real ones."""
    learning_rate: float = 2e-4
    """Adam's step size for both players, which falls to 0 in the second half."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 1_000
    """Half-life of the generator's moving average in clips."""

    def __post_init__(self) -> None:
        if not 0 <= self.past <= 8 or self.rollout < 1 or not 0 <= self.paces <= 4:
            raise UserError(
                f"vid2vid looks at 0 to 8 frames before, makes 1 or more in a row and has up to 4 critics of clips, but --gan.past is "
                f"{self.past}, --gan.rollout {self.rollout} and --gan.paces {self.paces}: give others."
            )


class FilmCritics(nn.Module):
    """A critic of single frames and one for each pace of clips; given and made frames go in together."""

    def __init__(self, given: int, made: int, config: Config, steps: int) -> None:
        super().__init__()
        how = {"width": config.critic_width, "layers": config.critic_layers, "norm": "instance"}
        self.frames = PatchScale(given + made, **how)
        paces = [2**place for place in range(config.paces if config.past else 0)]
        self.paces = [pace for pace in paces if pace * (TOGETHER - 1) < steps]
        self.clips = nn.ModuleList(PatchScale(TOGETHER * (given + made) + (TOGETHER - 1) * made, **how) for _ in self.paces)

    def forward(
        self, given: Float[Tensor, "batch frames channels height width"], film: Float[Tensor, "batch frames made height width"]
    ) -> dict[str, Features]:
        """What each critic sees, by its name; the last entry of each are logits of patches."""
        found = {"frames": self.frames(torch.cat([given, film], 2).flatten(0, 1))}
        for pace, critic in zip(self.paces, self.clips, strict=True):
            found[f"clips{pace}"] = critic(_in_a_row(given, film, pace))
        return found


def _in_a_row(given: Tensor, film: Tensor, pace: int) -> Float[Tensor, "rows channels height width"]:
    """All stretches of TOGETHER frames, `pace` frames apart, with the differences of neighbours, as channels."""
    count = film.shape[1] - pace * (TOGETHER - 1)
    places = [slice(pace * place, pace * place + count) for place in range(TOGETHER)]
    frames = [film[:, own] for own in places]
    differences = [after - before for before, after in zip(frames, frames[1:], strict=False)]
    return torch.cat([*(given[:, own] for own in places), *frames, *differences], 2).flatten(0, 1)


class Vid2Vid(GAN):
    """The least-squares game of equation 6, with feature matching, pixels, and flows that move real frames."""

    Config = Config
    spec: VideoSpec
    kinds = ("video",)
    tasks = ("pairs",)
    source_axes: ClassVar[tuple[tuple[str, ...], ...]] = (("frame", "channel", "height", "width"),)
    probed = 16
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="32 to 64 pixels in minutes on a CPU",
            kind="video",
            batch=4,
            minutes=10.0,
            config={
                "width": 16,
                "blocks": 3,
                "rollout": 5,
                "critic_width": 16,
                "critic_layers": 2,
                "learning_rate": 1e-3,
            },
        ),
        "paper": Preset(about="the paper's widths at one size, on GPUs", kind="video", batch=8, samples=1_000_000),
    }

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__(config, spec)
        assert spec.source is not None
        steps, channels, height, width = spec.shape
        given = spec.source.shape[1]
        if spec.source.shape != (steps, given, height, width):
            raise UserError(
                f"vid2vid keeps size and number of frames, but a clip {spec.source.shape} has the partner {spec.shape}."
            )
        check_patches(config.critic_layers, min(height, width))
        self.steps = min(config.rollout, steps)
        rate = Linear(config.learning_rate, 0.0, wait=0.5)
        self.generator = Player(
            FrameMaker(given, channels, past=config.past, width=config.width, blocks=config.blocks),
            learning_rate=rate,
            betas=(config.beta1, 0.999),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(FilmCritics(given, channels, config, self.steps), learning_rate=rate, betas=(config.beta1, 0.999))

    def begin(self, steps: int) -> int:
        """The frame of a clip at which this round begins: in every second round the first one, before which nothing lies."""
        free = steps - self.steps
        return 1 + (self.clock.rounds // 2 * 5) % free if free and self.clock.rounds % 2 else 0

    def play(self, draw: Draw) -> Iterator[Move]:
        batch, config, maker = draw(), self.config, self.generator.network
        assert isinstance(maker, FrameMaker)
        a, b = batch["a"], batch["b"]
        begin = self.begin(b.shape[1])
        memory = Memory()
        for step in range(max(0, begin - config.past), begin):
            memory = memory.with_frame(a[:, step], b[:, step], config.past)
        made: list[Made] = []
        for step in range(begin, begin + self.steps):
            made.append(maker.next(a[:, step], memory))
            memory = memory.with_frame(a[:, step], made[-1].frame, config.past)
        fake, given, real = (
            torch.stack([own.frame for own in made], 1),
            a[:, begin : begin + self.steps],
            b[:, begin : begin + self.steps],
        )
        real_seen, fake_seen = self.critic(given, real), self.critic(given, fake.detach())
        yield self.critic.minimizes(
            **{name: least_squares_critic(seen[-1], fake_seen[name][-1]) for name, seen in real_seen.items()}
        )

        terms = {"pixels": config.pixels * (fake.float() - real).abs().mean()}
        for name, seen in self.critic(given, fake).items():
            terms[name] = least_squares_generator(seen[-1])
            terms[f"{name}_matching"] = config.matching * feature_matching([real_seen[name]], [seen]) / len(real_seen)
        flows = [(begin + place, own.flow) for place, own in enumerate(made) if own.flow is not None]
        if flows:
            with torch.autocast(a.device.type, enabled=False):
                missed = [(moved_along(b[:, step - 1], flow.float()) - b[:, step]).abs().mean() for step, flow in flows]
            terms["warped"] = config.warped * torch.stack(missed).mean()
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        """The mean logit of the frames of each clip."""
        a, b = batch["a"], batch["b"]
        critics = self.critic.network
        assert isinstance(critics, FilmCritics)
        logits = critics.frames(torch.cat([a, b], 2).flatten(0, 1))[-1].float()
        return logits.flatten(1).mean(1).view(b.shape[:2]).mean(1)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds the clips given, "a" [n, frames, ...], of any length; neither rng nor truncation matter."""
        return {self.spec.key: self.generator.averaged(condition["a"].to(self.device)).float(), **condition}

    def stream(self) -> NextFrame:
        """See `kinds.video.streams.TranslatesFilms`."""
        maker, memory = self.generator.averaged, [Memory()]
        assert isinstance(maker, FrameMaker)

        def following(given: Tensor) -> Tensor:
            given = given.to(self.device)
            frame = maker.next(given, memory[0]).frame.float()
            memory[0] = memory[0].with_frame(given, frame, maker.past)
            return frame

        return following

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """A given clip to the made one, of as many frames as a clip of the training."""
        assert self.spec.source is not None
        rng = torch.Generator().manual_seed(0)
        return self.generator.averaged, {"input": torch.rand(2, *self.spec.source.shape, generator=rng) * 2 - 1}
