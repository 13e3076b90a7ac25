"""Firstorder: a picture moved as a film moves (Siarohin et al. 2019, "First order motion model for image animation").

Keypoints are found without labels: a network names a few places of a frame, and how the surroundings of each are turned and stretched.
Those of two frames of one clip say where the surroundings of each go; a second network makes of that where every pixel goes and what cannot
be seen in the picture, a third one moves the picture's features and paints what is hidden. It learns from ordinary clips: one frame is the
picture, another one is what it should become. Keypoints must also follow random bends of a frame (equivariance). A critic sees the frame
with its keypoints, and plays the least-squares game.

    gansmith train clips/ --kind video --gan firstorder
    gansmith translate RUN portrait.png --driver dance.mp4 --out moving.mp4

Two things differ from the paper. Pixels that can be seen in the picture may stay as they are, only moved, which keeps small pictures sharp;
and the differences of pixels at several sizes take the place of those of VGG-19's features, which are not ours to ship (`--gan.features`
takes a network of yours). Figures: docs/video.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.video.spec import DRIVEN, VideoSpec
from gansmith.kinds.video.streams import NextFrame
from gansmith.layers.dense_motion import DenseMotion, Moved
from gansmith.layers.frozen import features_for_training
from gansmith.layers.keypoints import KeypointDetector, Keypoints, Warp, inverse, product
from gansmith.layers.multi_scale_critic import PatchScale, feature_matching
from gansmith.terms.perceptual import feature_distance
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear
from gansmith.training.seeds import uniform_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of the first-order model; the defaults are the paper's (section 4 and appendix A) but for what the docstring names."""

    points: int = 10
    """Keypoints."""
    width: int = 32
    """Channels of the first layers of the networks that find keypoints and motion, doubled at each halving."""
    painter_width: int = 64
    """Channels of the first layer of the network that moves the picture, likewise."""
    widest: int = 1024
    """The most channels of a layer."""
    levels: int = 5
    """Halvings of the networks that find keypoints and motion."""
    shrink: int = 4
    """How many times smaller frames are made before keypoints and motion are found."""
    halvings: int = 2
    """Halvings of the network that moves the picture."""
    blocks: int = 6
    """Residual blocks of that network."""
    critic_width: int = 64
    """Channels of the critic's first layer."""
    critic_layers: int = 3
    """Halvings of the critic."""
    pixels: float = 10.0
    """Weight of the mean absolute difference of pixels, summed over four sizes."""
    matching: float = 10.0
    """Weight of the critic's features of made frames, which should be those of real ones."""
    least_squares: float = 1.0
    """Weight of what the critic says of made frames."""
    equivariance: float = 10.0
    """Weights of places and of changes that should follow random bends of a frame."""
    features: str = ""
    """A network of yours for a perceptual term: timm:NAME, FILE.py:FUNCTION or FILE.pt."""
    perceptual: float = 10.0
    """Weight of that term."""
    learning_rate: float = 2e-4
    """Adam's step size for both players, which falls to a tenth over the last two fifths."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in clips."""


class PictureMover(nn.Module):
    """The three networks; as a whole, a picture and the frames of a film [B, 1 + T, C, H, W] to the moved picture [B, T, C, H, W]."""

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__()
        _, channels, height, width = spec.shape
        levels = max(1, min(config.levels, (min(height, width) // config.shrink).bit_length() - 2))
        how = {"points": config.points, "width": config.width, "widest": config.widest, "levels": levels, "shrink": config.shrink}
        self.detector = KeypointDetector(channels, **how)
        self.motion = DenseMotion(channels, **how)
        self.painter = Moved(
            channels, width=config.painter_width, widest=config.widest, halvings=config.halvings, blocks=config.blocks
        )

    def moved(
        self, picture: Float[Tensor, "batch channels height width"], start: Keypoints, end: Keypoints
    ) -> Float[Tensor, "batch channels height width"]:
        """The picture whose keypoints are moved from start to end."""
        return self.painter(picture, *self.motion(picture, start, end))

    def forward(
        self, input: Float[Tensor, "batch frames_and_picture channels height width"]
    ) -> Float[Tensor, "batch frames channels height width"]:
        steps = input.shape[1] - 1
        picture, film = input[:, 0], input[:, 1:]
        own, theirs = self.detector(picture).repeated(steps), self.detector(film.flatten(0, 1))
        first = Keypoints(theirs.places.unflatten(0, (-1, steps))[:, 0], theirs.changes.unflatten(0, (-1, steps))[:, 0])
        end = own.as_from(first.repeated(steps), theirs)
        return self.moved(picture.repeat_interleave(steps, 0), own, end).unflatten(0, (-1, steps))


class FirstOrder(GAN):
    """The least-squares game of equation 10 with the reconstruction and equivariance terms of section 3.1 and 3.2."""

    Config = Config
    spec: VideoSpec
    kinds = ("video",)
    tasks = ("pairs",)
    source_axes: ClassVar[tuple[tuple[str, ...], ...]] = (DRIVEN,)
    opens: ClassVar[Mapping[str, Any]] = {"task": "motion"}
    probed = 16
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="32 to 64 pixels in minutes on a CPU",
            kind="video",
            batch=8,
            minutes=10.0,
            config={
                "points": 5,
                "shrink": 2,
                "width": 16,
                "painter_width": 16,
                "widest": 64,
                "levels": 3,
                "halvings": 1,
                "blocks": 1,
                "critic_width": 16,
                "critic_layers": 2,
                "learning_rate": 1e-3,
            },
        ),
        "paper": Preset(about="the paper's networks, for 256 pixels on GPUs", kind="video", batch=32, samples=4_000_000),
    }

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__(config, spec)
        _, channels, height, width = spec.shape
        if height % 2**config.halvings or width % 2**config.halvings or min(height, width) < 8 * config.shrink:
            raise UserError(
                f"firstorder needs sides that are multiples of {2**config.halvings} and at least {8 * config.shrink}, but these frames "
                f"have {width}x{height}: give another --resolution, or smaller --gan.halvings and --gan.shrink."
            )
        rate = Linear(config.learning_rate, config.learning_rate / 10, wait=0.6)
        self.generator = Player(
            PictureMover(config, spec),
            learning_rate=rate,
            betas=(config.beta1, 0.999),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            PatchScale(channels + config.points, width=config.critic_width, layers=config.critic_layers, norm="instance"),
            learning_rate=rate,
            betas=(config.beta1, 0.999),
        )
        self.features = features_for_training(self, config.features)

    def play(self, draw: Draw) -> Iterator[Move]:
        clip, config, mover = draw()["b"], self.config, self.generator.network
        assert isinstance(mover, PictureMover)
        count, steps = clip.shape[:2]
        rows = torch.arange(count, device=clip.device)
        dice = uniform_rows(count, 2, device=clip.device)
        begin = (dice[:, 0] * steps).long()
        ahead = 1 + (dice[:, 1] * (steps - 1)).long()  # any other frame
        picture, real = clip[rows, begin], clip[rows, (begin + ahead) % steps]
        warp = Warp.drawn(count, real)
        found = mover.detector(torch.cat([picture, real, warp.of(real)]))
        start, end, bent = (found.of(slice(part * count, (part + 1) * count)) for part in range(3))
        fake = mover.moved(picture, start, end)

        heat = end.heat(*real.shape[2:]).detach()
        real_seen = self.critic(torch.cat([real, heat], 1))
        fake_seen = self.critic(torch.cat([fake.detach(), heat], 1))
        yield self.critic.minimizes(least_squares=least_squares_critic(real_seen[-1], fake_seen[-1]))

        seen = self.critic(torch.cat([fake, heat], 1))
        following = product(inverse(end.changes), product(warp.changes(bent.places), bent.changes))
        one = torch.eye(2, device=clip.device)
        terms = {
            "pixels": config.pixels * pyramid_distance(fake, real),
            "matching": config.matching * feature_matching([real_seen], [seen]),
            "least_squares": config.least_squares * least_squares_generator(seen[-1]),
            "places": config.equivariance * (end.places - warp.at(bent.places)).abs().mean(),
            "changes": config.equivariance * (following - one).abs().mean(),
        }
        if self.features is not None:
            terms["perceptual"] = config.perceptual * feature_distance(self.features, fake, real)
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        """Of the frame in the middle of each clip, with the keypoints of the film's."""
        middle = self.spec.shape[0] // 2
        keypoints = self.keypoints(batch["a"][:, 1 + middle])
        frame = batch["b"][:, middle]
        return self.critic(torch.cat([frame, keypoints.heat(*frame.shape[2:])], 1))[-1].float().flatten(1).mean(1)

    def keypoints(self, frames: Float[Tensor, "batch channels height width"]) -> Keypoints:
        """The keypoints that it finds in frames."""
        mover = self.generator.averaged
        assert isinstance(mover, PictureMover)
        return mover.detector(frames)

    def places(self, frames: Tensor) -> Tensor:
        """See `kinds.video.streams.MovesPictures`."""
        return self.keypoints(frames.to(self.device)).places

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds pictures and the films that move them, "a" [n, 1 + frames, ...]; neither rng nor truncation matter."""
        return {self.spec.key: self.generator.averaged(condition["a"].to(self.device)).float(), **condition}

    def driven(self, picture: Tensor, *, absolute: bool = False) -> NextFrame:
        """See `kinds.video.streams.MovesPictures`."""
        mover = self.generator.averaged
        assert isinstance(mover, PictureMover)
        picture = picture.to(self.device)
        own, first = self.keypoints(picture), list[Keypoints]()

        def following(frame: Tensor) -> Tensor:
            theirs = self.keypoints(frame.to(self.device))
            first.append(theirs) if not first else None
            end = theirs if absolute else own.as_from(first[0], theirs)
            return mover.moved(picture, own, end).float()

        return following

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """A picture and a film of as many frames as a clip to the moved picture."""
        rng = torch.Generator().manual_seed(0)
        assert self.spec.source is not None
        return self.generator.averaged, {"input": torch.rand(2, *self.spec.source.shape, generator=rng) * 2 - 1}


def pyramid_distance(made: Tensor, real: Tensor) -> Float[Tensor, ""]:
    """The mean absolute difference of images, the sum of that at four sizes, each half of the one before."""
    total = (made - real).abs().mean()
    for _ in range(3):
        if min(made.shape[2:]) < 4:
            break
        made, real = avg_pool2d(made, 2), avg_pool2d(real, 2)
        total = total + (made - real).abs().mean()
    return total
