"""VQGAN: images as a few words of a learnt codebook, and a small prior that writes new ones (Esser et al. 2021).

A tokeniser turns an image into a grid of codes and back: L1, a perceptual distance where a network is given, and a critic of patches
whose weight adapts to the gradient of the rest. When it has learnt, a transformer learns which codes follow which, so that images are
generated, of classes or attributes too. Until then previews are of no meaning.

    gansmith train photos/ --gan vqgan --resolution 64

Differences from the paper: the codebook follows by moving averages, with codes that nobody uses beginning anew; the perceptual term is
taken by `--gan.features` from a network of yours, as LPIPS' weights are not ours to ship.

Drawn faces at 32x32, preset `small`, 100 CPU seconds, one thread of an AMD EPYC, seed 0: images made again of their codes 21.0 dB (the
mean image 15.8), 123 of 128 codes seen; what the prior writes is at a Frechet distance of 0.87 (a Gaussian of the pixels 0.98, real 0.01):
faces, soft ones, some with spots.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import gcd
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, autograd, nn
from torch.nn.functional import cross_entropy, interpolate, l1_loss, scaled_dot_product_attention, silu

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.frozen import features_for_training
from gansmith.layers.labels import Label
from gansmith.layers.patch_critic import PatchCritic, check_patches
from gansmith.layers.token_prior import TokenPrior
from gansmith.layers.vector_quantiser import VectorQuantiser
from gansmith.tasks.translation import per_image
from gansmith.terms.perceptual import feature_distance
from gansmith.training import distributed
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine

MAX_TOKENS = 1024


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of VQGAN; the defaults are the paper's (section 4, appendix A)."""

    width: int = 128
    """Channels of the tokeniser at the full size; they double with every other halving, up to four times as many."""
    halvings: int = 4
    """Halvings of the image to its grid of codes; fewer where its sides are no multiples."""
    least_grid: int = 1
    """Codes along each side at least: smaller images are halved less often. An image of few codes cannot be told from others like it."""
    blocks: int = 2
    """Residual blocks at every size."""
    codes: int = 1024
    """Codes of the codebook."""
    depth: int = 256
    """Numbers of a code."""
    decay: float = 0.99
    """How much of a code stays in a round."""
    commitment: float = 0.25
    """Weight of the distance of what is encoded from its code."""
    features: str = ""
    """A network for the perceptual term: timm:NAME, FILE.py:FUNCTION or FILE.pt; none without."""
    perceptual: float = 1.0
    """Weight of the perceptual term."""
    adversarial: float = 0.8
    """Weight of the critic, before it is adapted."""
    critic_width: int = 64
    """Channels of the critic's first layer."""
    critic_layers: int = 3
    """Halvings of the critic."""
    critic_begins: float = 0.2
    """The share of the budget after which the critic joins."""
    tokeniser_share: float = 0.5
    """The share of the budget in which the tokeniser learns."""
    prior_begins: float = 0.5
    """The share of the budget after which the prior learns."""
    prior_width: int = 512
    """Channels of the prior."""
    prior_layers: int = 12
    """Blocks of the prior."""
    prior_heads: int = 8
    """Heads of its attention."""
    prior_learning_rate: float = 3e-4
    """Adam's step size for the prior, which falls to 0 along a cosine over the budget."""
    learning_rate: float = 5e-5
    """Adam's step size for tokeniser and critic (the paper's 4.5e-6 for each image of a batch)."""
    half_life: int = 5_000
    """Half-life of the moving averages in samples."""


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(gcd(32, max(1, channels // 4)), channels)


class Block(nn.Module):
    """Two convolutions after normalisation and swish, added to what came in."""

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = _norm(narrow), _norm(wide)
        self.first, self.second = nn.Conv2d(narrow, wide, 3, padding=1), nn.Conv2d(wide, wide, 3, padding=1)
        self.skip = nn.Conv2d(narrow, wide, 1) if narrow != wide else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(silu(self.first_norm(x)))
        return self.skip(x) + self.second(silu(self.second_norm(y)))


class Attention(nn.Module):
    """One head over all places, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.query_key_value, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (part.flatten(2).mT[:, None] for part in self.query_key_value(self.norm(x)).chunk(3, 1))
        found = scaled_dot_product_attention(query, key, value)[:, 0].mT.unflatten(2, x.shape[2:])
        return x + self.out(found)


class Tokeniser(nn.Module):
    """Encoder, codebook and decoder (figure 2 of the paper), with attention at the smallest size."""

    def __init__(self, spec: Spec, config: Config) -> None:
        super().__init__()
        halvings = halvings_of(spec, config.halvings, config.least_grid)
        widths = [config.width * min(4, 2 ** (level // 2)) for level in range(halvings + 1)]
        self.grid = tuple(side // 2**halvings for side in spec.shape[1:])
        self.enter = nn.Conv2d(spec.shape[0], widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            _level(narrow, wide, config.blocks) for narrow, wide in zip([widths[0], *widths], widths, strict=False)
        )
        self.shrink = nn.ModuleList(nn.Conv2d(width, width, 3, stride=2, padding=1) for width in widths[:-1])
        self.bottom = nn.Sequential(Attention(widths[-1]), Block(widths[-1], widths[-1]))
        self.to_code = nn.Sequential(_norm(widths[-1]), nn.SiLU(), nn.Conv2d(widths[-1], config.depth, 1))
        self.codebook = VectorQuantiser(config.codes, config.depth, decay=config.decay, rare=0.05)
        self.from_code = nn.Conv2d(config.depth, widths[-1], 3, padding=1)
        self.top = nn.Sequential(Block(widths[-1], widths[-1]), Attention(widths[-1]))
        back = widths[::-1]
        self.up = nn.ModuleList(_level(wide, narrow, config.blocks) for wide, narrow in zip([back[0], *back], back, strict=False))
        self.grow = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for width in back[:-1])
        self.leave_norm, self.leave = _norm(widths[0]), nn.Conv2d(widths[0], spec.shape[0], 3, padding=1)

    def encode(self, image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch depth rows columns"]:
        """What the codebook replaces by its codes."""
        x = self.enter(image)
        for level, blocks in enumerate(self.down):
            x = blocks(x)
            x = self.shrink[level](x) if level < len(self.shrink) else x
        return self.to_code(self.bottom(x))

    def decode(self, code: Float[Tensor, "batch depth rows columns"]) -> Float[Tensor, "batch channels height width"]:
        x = self.top(self.from_code(code))
        for level, blocks in enumerate(self.up):
            x = blocks(x)
            if level < len(self.grow):
                x = self.grow[level](interpolate(x, scale_factor=2, mode="nearest"))
        return self.leave(silu(self.leave_norm(x))).float()

    def tokens(self, image: Float[Tensor, "batch channels height width"]) -> Int[Tensor, "batch tokens"]:
        """The codes of an image, row by row."""
        return self.codebook.nearest(self.encode(image)).flatten(1)

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> tuple[Tensor, Tensor]:
        """(the image again, made of codes; the distance of what was encoded from its codes)."""
        code, _, distance = self.codebook(self.encode(image))
        return self.decode(code), distance


def _level(narrow: int, wide: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(Block(narrow, wide), *(Block(wide, wide) for _ in range(blocks - 1)))


def halvings_of(spec: Spec, most: int, least_grid: int = 1) -> int:
    """How often both sides can be halved, at most so often, with so many codes left along each. Raises UserError where too many codes
    would be left."""
    height, width = spec.shape[1:]
    fits = (number for number in range(most + 1) if height % 2**number == width % 2**number == 0)
    halvings = max(number for number in fits if not number or min(height, width) // 2**number >= least_grid)
    if (tokens := height * width // 4**halvings) > MAX_TOKENS:
        raise UserError(
            f"vqgan writes at most {MAX_TOKENS} codes for an image, but {width}x{height} halved {halvings} times leaves {tokens}: give "
            "--resolution a multiple of a power of two, or more --gan.halvings."
        )
    return halvings


class Writer(nn.Module):
    """Noise and label to an image: codes are drawn one after another, and decoded."""

    def __init__(self, prior: TokenPrior, tokeniser: Tokeniser) -> None:
        super().__init__()
        self.prior, self.tokeniser = prior, tokeniser

    def forward(
        self, noise: Float[Tensor, "batch tokens"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        tokens = self.prior.sampled(noise, label).unflatten(1, self.tokeniser.grid)
        return self.tokeniser.decode(self.tokeniser.codebook.look_up(tokens))


class VQGAN(GAN):
    """The tokeniser against a critic of patches, then the likelihood of its codes."""

    Config = Config
    makers = ("generator", "prior")
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: 3 halvings, 128 codes, a prior of 3 blocks",
            batch=16,
            minutes=20,
            config={
                "width": 24,
                "halvings": 3,
                "least_grid": 8,
                "blocks": 1,
                "codes": 128,
                "depth": 32,
                "adversarial": 0.2,
                "critic_begins": 0.3,
                "critic_width": 16,
                "critic_layers": 2,
                "prior_width": 128,
                "prior_layers": 3,
                "prior_heads": 4,
                "prior_learning_rate": 1e-3,
                "learning_rate": 1e-3,
                "half_life": 1_000,
            },
        ),
        "paper": Preset(about="the paper's networks for 256 pixels", batch=12, samples=7_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if config.prior_width % config.prior_heads:
            raise UserError(
                f"every head takes an equal part of the prior, but {config.prior_heads} heads do not divide {config.prior_width}: give "
                "--gan.prior-width a multiple of --gan.prior-heads."
            )
        check_patches(config.critic_layers, min(spec.shape[1:]))
        tokeniser = Tokeniser(spec, config)
        self.tokens = tokeniser.grid[0] * tokeniser.grid[1]
        prior = TokenPrior(
            spec,
            codes=config.codes,
            length=self.tokens,
            width=config.prior_width,
            layers=config.prior_layers,
            heads=config.prior_heads,
        )
        average = partial(Average, half_life=config.half_life)
        self.generator = Player(tokeniser, learning_rate=config.learning_rate, betas=(0.5, 0.9), average=average)
        self.critic = Player(
            PatchCritic(spec.shape[0], width=config.critic_width, layers=config.critic_layers, batch_norm=True),
            learning_rate=config.learning_rate,
            betas=(0.5, 0.9),
        )
        self.prior = Player(
            prior,
            learning_rate=Cosine(config.prior_learning_rate, 0.0),
            betas=(0.9, 0.95),
            max_gradient_norm=1.0,
            average=average,
        )
        self.features = features_for_training(self, config.features)
        self.absorbed = -1

    def play(self, draw: Draw) -> Iterator[Move]:
        batch, progress = draw(), self.clock.progress()
        if self.absorbed != self.clock.rounds:  # once a round, however many games are played in lockstep
            self.tokeniser.codebook.absorb()
            self.absorbed = self.clock.rounds
        if progress < self.config.tokeniser_share:
            yield from self.tokenise(batch["image"], progress >= self.config.critic_begins)
        if progress >= self.config.prior_begins:
            with torch.no_grad():
                tokens = self.averaged_tokeniser.tokens(batch["image"])
            logits = self.prior(tokens, batch.get("label"))
            yield self.prior.minimizes(likelihood=cross_entropy(logits.flatten(0, 1), tokens.flatten()))

    def tokenise(self, image: Tensor, with_critic: bool) -> Iterator[Move]:
        """The tokeniser's move, and the critic's."""
        made, distance = self.generator(image)
        terms = {"l1": l1_loss(made, image)}
        if self.features is not None:
            terms["perceptual"] = self.config.perceptual * feature_distance(self.features, made, image)
        if with_critic:
            hinge = hinge_generator(self.critic(made))
            terms["hinge"] = self.config.adversarial * self.adapted(sum(terms.values(), torch.zeros(())), hinge) * hinge
        yield self.generator.minimizes(**terms, commitment=self.config.commitment * distance)
        if with_critic:
            yield self.critic.minimizes(hinge=hinge_critic(self.critic(image), self.critic(made.detach())))

    def adapted(self, faithful: Tensor, hinge: Tensor) -> Tensor:
        """The critic's weight at which its gradient on the last layer is as long as that of the rest (equation 7)."""
        last = self.tokeniser.leave.weight
        norms = [
            distributed.average(autograd.grad(term, last, retain_graph=True)[0].float().norm()) for term in (faithful, hinge)
        ]
        return (norms[0] / (norms[1] + 1e-4)).clamp(0, 1e4)

    @property
    def tokeniser(self) -> Tokeniser:
        """The one that learns."""
        network = self.generator.network
        assert isinstance(network, Tokeniser)
        return network

    @property
    def averaged_tokeniser(self) -> Tokeniser:
        """Its average, from which images and codes are made."""
        network = self.generator.averaged
        assert isinstance(network, Tokeniser)
        return network

    @property
    def averaged_prior(self) -> TokenPrior:
        network = self.prior.averaged
        assert isinstance(network, TokenPrior)
        return network

    def latent(self, n: int, rng: torch.Generator) -> Tensor:
        """A normal number for every code."""
        return torch.randn(n, self.tokens, generator=rng).to(self.device)

    def style(self, latent: Tensor, condition: Batch, truncation: float = 1.0) -> Tensor:
        """The codes that the prior writes, one after another [n, numbers]; truncation is its temperature."""
        label = condition["label"].to(self.device) if "label" in condition else None
        tokeniser = self.averaged_tokeniser
        tokens = self.averaged_prior.sampled(latent, label, truncation)
        return tokeniser.codebook.look_up(tokens.unflatten(1, tokeniser.grid)).flatten(1)

    def paint(self, style: Tensor, condition: Batch) -> Batch:
        """The images of codes."""
        tokeniser = self.averaged_tokeniser
        code = style.unflatten(1, (self.config.depth, *tokeniser.grid))
        return {self.spec.key: tokeniser.decode(code), **condition}

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        return self.paint(self.style(self.latent(n, rng), condition, truncation), condition)

    def scores(self, batch: Batch) -> Tensor:
        return per_image(self.critic(batch["image"]))

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Noise [n, tokens], and a label, to images."""
        inputs = {"noise": torch.randn(2, self.tokens)}
        if self.spec.classes:
            inputs["label"] = torch.tensor([0, len(self.spec.classes) - 1])
        elif self.spec.attributes:
            inputs["label"] = torch.zeros(2, len(self.spec.attributes))
        return Writer(self.averaged_prior, self.averaged_tokeniser), inputs

    def gauges(self) -> Mapping[str, float]:
        """How evenly the codebook is used, from 0 to 1."""
        return {"codebook_use": round(self.tokeniser.codebook.used(), 4)}

    def symptoms(self) -> Mapping[str, str]:
        """A codebook of which little is used."""
        use, progress = self.tokeniser.codebook.used(), self.clock.progress()
        if progress < self.config.tokeniser_share / 2 or use > 0.1:
            return {}
        return {
            "codebook_collapse": f"Only {use:.0%} of the {self.config.codes} codes are in use (by their perplexity), so images are told "
            "apart by few words: give fewer --gan.codes, a smaller --gan.depth or a smaller --gan.commitment."
        }
