"""StarGAN v2: images of several domains, each made in the look of any other, in many ways (Choi et al. 2020).

One translator takes an image and a style. Styles of a domain come from noise, or from a reference image; the style must be read again
from what was made, different styles must make different images, and the image in its own style must be as before.

    gansmith train animals/ --kind domains --gan starganv2                          # animals/cat/*.png, animals/dog/*.png, ...
    gansmith translate runs/animals-0001 cat.jpg --makes dog -n 5
    gansmith translate runs/animals-0001 cat.jpg --makes dog --reference poodle.jpg

The high-pass skips that the paper adds for faces are left out. In the preset `small` the translator adds to the image that it is given, and
styles of noise and of references share one move of each player.

Digits in inks of three colours at 32x32, preset `small`, 150 CPU seconds, one thread of an AMD EPYC, seed 0: the colour is read from
0.990 of what is made (0.352 if shuffled, 1.0 of real ones), its outlines correlate by 0.95 with the source's (0.28 with another
image's), and it is at a Frechet distance of 0.83 (a Gaussian of the pixels 0.32, real 0.18). The shade that a reference has within its
colour is not followed by then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.augment.together import flipped_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.restyling import DomainReader, StyleMapping, StyleTranslator, he_weights
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.tasks.translation import NamedStyled, Styled
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear
from gansmith.training.seeds import normal_rows, uniform_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of StarGAN v2; the defaults are the paper's for animals at 256 pixels (appendix B)."""

    noise: int = 16
    """Numbers of noise that a style is made of."""
    style: int = 64
    """Numbers of a style."""
    width: int = 64
    """Channels at full size: 64 for 256 pixels, 128 for 128, 256 for 64."""
    widest: int = 512
    """Most channels; both double with every halving up to that."""
    halvings: int = 4
    """Halvings of the translator: 4 for 256 pixels, 3 for 128, 2 for 64."""
    mapping: int = 512
    """Width of the mapping network."""
    mapping_pace: float = 0.2
    """Pace of the mapping network, in which a step is about a hundredth of another one's."""
    r1: float = 1.0
    """Weight of the R1 penalty."""
    penalty_interval: int = 1
    """Rounds from one R1 penalty to the next, so many times as strong; the paper penalises every one."""
    apart: bool = True
    """Whether styles of noise and of references have moves of their own, as in the paper; else each takes half of the batch."""
    residual: bool = False
    """Whether the translator makes what is added to the given image, so that training begins at the image itself."""
    style_term: float = 1.0
    """Weight of the L1 distance between a style and what is read from the image made in it."""
    diversity: float = 2.0
    """Weight of the L1 distance between images made in two styles, to be large; falls over the budget."""
    least_diversity: float = 0.0
    """What that weight falls to."""
    cycle: float = 1.0
    """Weight of the L1 distance between an image and its translation there and back, in its own style."""
    flip: bool = True
    """Whether half of the images are mirrored."""
    learning_rate: float = 1e-4
    """Adam's step size for both players."""
    weight_decay: float = 1e-4
    """The weight decay of both players."""
    half_life: int = 5_000
    """Half-life of the moving average in samples: 0.999 a step of 8."""


class Restyling(nn.Module):
    """The translator and both sources of styles; called, it translates in a style."""

    translator: StyleTranslator
    mapping: StyleMapping
    encoder: DomainReader

    def __init__(self, translator: StyleTranslator, mapping: StyleMapping, encoder: DomainReader) -> None:
        super().__init__()
        self.translator, self.mapping, self.encoder = translator, mapping, encoder

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        return self.translator(image, style)


class FromNoise(NamedStyled):
    """The exported network: `input`, `noise` and `label` to an image of that domain."""

    def __init__(self, network: Restyling) -> None:
        super().__init__(network)
        self.multiple = network.translator.multiple

    def forward(self, input: Tensor, noise: Tensor, label: Tensor) -> Tensor:
        network = cast(Restyling, self.network)
        return network(input, network.mapping(noise, label).to(input.dtype))


class StarGANv2(Styled):
    """The non-saturating game with R1, in which a critic has a head for each domain; styles by noise and by reference in turns."""

    Config = Config
    tasks = ("domains",)
    crosses = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: narrow networks of two halvings that add to the image, one move a player and round, seldom R1",
            batch=8,
            minutes=15,
            config={
                "width": 16,
                "widest": 64,
                "halvings": 2,
                "style": 32,
                "mapping": 128,
                "penalty_interval": 4,
                "apart": False,
                "residual": True,
                "learning_rate": 1e-3,
                "half_life": 2_000,
            },
        ),
        "paper": Preset(about="the paper's networks at 256 pixels", batch=8, samples=800_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        channels, side, count = spec.shape[0], min(spec.shape[1:]), len(spec.classes)
        if side < 2 ** (config.halvings + 1):
            raise UserError(
                f"starganv2 with {config.halvings} halvings needs images of {2 ** (config.halvings + 1)} pixels, but they have {side}: "
                "give a smaller --gan.halvings, or a greater --resolution."
            )
        reader = partial(DomainReader, channels, domains=count, width=config.width, widest=config.widest, side=side)
        network = Restyling(
            StyleTranslator(
                channels,
                width=config.width,
                widest=config.widest,
                halvings=config.halvings,
                style=config.style,
                residual=config.residual,
            ),
            StyleMapping(config.noise, config.style, count, width=config.mapping, pace=config.mapping_pace),
            reader(config.style),
        )
        critic = reader(1)
        for each in (network, critic):
            he_weights(each)
        if config.residual:
            nn.init.zeros_(network.translator.last.weight)
        optimizer = partial(torch.optim.Adam, weight_decay=config.weight_decay, fused=True)
        own = partial(Player, learning_rate=config.learning_rate, betas=(0.0, 0.99), optimizer=optimizer)
        self.generator = own(network, average=partial(Average, half_life=config.half_life))
        self.critic = own(critic)
        self.diversity = Linear(config.diversity, config.least_diversity)

    @property
    def directions(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride], it follows from the data
        return self.spec.classes

    def play(self, draw: Draw) -> Iterator[Move]:
        first, second = draw(), draw()
        real, own = self._views(first["image"]), first["label"]
        reference, wanted = self._views(second["image"]), second["label"]
        other = reference[_another(wanted)]
        network = cast(Restyling, self.generator.network)
        noise, more = (normal_rows(len(real), self.config.noise, device=real.device) for _ in range(2))
        turns = ("noise", "references") if self.config.apart else ("both",)

        made = {}
        for turn in turns:
            with torch.set_grad_enabled(
                turn == turns[0]
            ):  # the first image serves the generator too, which has not moved by then
                style = self._styles(turn, noise, reference, wanted)
                made[turn] = style, network(real, style)
            fake = made[turn][1].detach()
            if self.clock.every(self.config.penalty_interval):
                logits, squared_norm = with_gradient_norm(lambda x: self.critic(x, own)[:, 0], real)
                penalty = {"r1": self.config.penalty_interval * self.config.r1 * zero_centred(squared_norm)}
            else:
                logits, penalty = self.critic(real, own)[:, 0], {}
            yield self.critic.minimizes(non_saturating=non_saturating_critic(logits, self.critic(fake, wanted)[:, 0]), **penalty)
        for turn in turns:
            if turn == turns[0]:
                style, fake = made[turn]
            else:
                style = self._styles(turn, noise, reference, wanted)
                fake = network(real, style)
            terms = {
                "non_saturating": non_saturating_generator(self.critic(fake, wanted)[:, 0]),
                "style": self.config.style_term * l1_loss(network.encoder(fake, wanted), style),
                "cycle": self.config.cycle * l1_loss(network(fake, network.encoder(real, own)), real),
            }
            if weight := self.diversity(self.clock):
                with torch.no_grad():
                    different = network(real, self._styles(turn, more, other, wanted))
                terms["diversity"] = -weight * l1_loss(fake, different)
            yield self.generator.minimizes(**terms)

    def _styles(self, turn: str, noise: Tensor, reference: Tensor, wanted: Tensor) -> Tensor:
        """A style of each example's target domain from noise, from references, or both: even rows from noise, odd rows from references."""
        network = cast(Restyling, self.generator.network)
        if turn == "noise":
            return network.mapping(noise, wanted)
        if turn == "references":
            return network.encoder(reference, wanted)
        style = network.mapping(noise, wanted)
        return style.index_copy(
            0, torch.arange(1, len(style), 2, device=style.device), network.encoder(reference[1::2], wanted[1::2])
        )

    def _views(self, images: Tensor) -> Tensor:
        return flipped_together(images, images)[0] if self.config.flip else images

    def maker(self, makes: str = "b") -> nn.Module:
        return cast(Restyling, self.generator.averaged).translator

    def style_from(self, noise: Tensor, makes: str = "b") -> Tensor:
        return cast(Restyling, self.generator.averaged).mapping(noise, self._domain(makes, len(noise)))

    def style_of(self, reference: Tensor, makes: str = "b") -> Tensor:
        return cast(Restyling, self.generator.averaged).encoder(reference, self._domain(makes, len(reference)))

    def _domain(self, makes: str, n: int) -> Tensor:
        return torch.full((n,), self.spec.classes.index(makes), device=self.device)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds the images given, "a" [n, ...], and the domains to make, "label" [n]."""
        noise = truncation * torch.randn(n, self.config.noise, generator=rng).to(self.device)
        network = cast(Restyling, self.generator.averaged)
        style = network.mapping(noise, condition["label"].to(self.device))
        return {self.spec.key: network(condition["a"].to(self.device), style), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        network = FromNoise(cast(Restyling, self.generator.averaged))
        label = torch.tensor([0, len(self.spec.classes) - 1])
        inputs = {"input": torch.zeros(2, *self.spec.source_shape), "noise": torch.randn(2, self.config.noise), "label": label}
        return network, inputs

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(batch["image"], batch["label"])[:, 0]


def _another(label: Tensor) -> Tensor:
    """For each example the position of another one of its domain, or its own where there is none."""
    same = (label[:, None] == label[None]).float()
    own = torch.eye(len(label), device=label.device)
    chance = uniform_rows(len(label), len(label), device=label.device)
    return ((same - own) * (chance + 1) + own / 2).argmax(1)
