"""Which GAN suits which data: the rules behind `--gan auto`, and what to do about little data.

The first rule that holds, and whose GAN is there, decides. What a rule says is from the papers it names; what was measured here
stands in bench/results/ and in `gansmith list gans`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gansmith import gans
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.kinds.images.degradations import is_near

LITTLE = 2_000
"""Fewer images than this are little data: critics learn them by heart (Karras et al. 2020, ADA, figure 1)."""
SCARCE = 10_000
"""Fewer images than this gain from augmentation (ADA, figure 7: most at 1,000 to 10,000)."""
LARGE = 128
"""Images with a shorter side of at least this are large."""


@dataclass(frozen=True)
class Facts:
    """What the choice depends on."""

    kind: str
    count: int
    channels: int
    side: int
    """The shorter side of images; 0 for points."""
    conditions: int
    """How many classes or attributes."""
    device: str
    """cpu, cuda or mps."""
    returns: bool = False
    """Whether series are learned as returns."""
    aligned: bool = True
    """Whether the two images of a pair belong together."""
    larger: bool = False
    """Whether what is made of an image is larger than the image."""
    near: bool = False
    """Whether the images given were made of the others by losses that can be told from near by."""


@dataclass(frozen=True)
class Rule:
    """A GAN, its options, and when it is the one to take."""

    gan: str
    holds: Callable[[Facts], bool]
    because: str
    """Why, in words that may name the facts in braces."""
    options: Mapping[str, Any] = field(default_factory=dict)


def _augmentable(facts: Facts) -> bool:
    return facts.channels in (1, 3, 4)


RULES = (
    Rule(
        "seriesgan",
        lambda f: f.kind == "series" and f.returns,
        "its factor beside each step lets quiet and wild stretches follow each other as those of returns do",
        {"gate": True},
    ),
    Rule(
        "seriesgan",
        lambda f: f.kind == "series",
        "it learns how series move as well as where they are, of any length and with attributes",
    ),
    Rule(
        "rowgan",
        lambda f: f.kind == "tables",
        "it learns rows of numbers and words as they are, and grants wishes for any column",
    ),
    Rule("srgan", lambda f: f.kind == "pairs" and f.larger, "it makes small images large, first faithfully, then sharply"),
    Rule(
        "srgan",
        lambda f: f.kind == "pairs" and f.near,
        "what was lost can be told from near by, and it adds that to the image given (bench/results/repair.md)",
    ),
    Rule(
        "cyclegan",
        lambda f: f.kind == "pairs" and not f.aligned,
        "the images of the two sides do not belong together, so each must lead back to itself",
    ),
    Rule("pix2pix", lambda f: f.kind == "pairs", "every image has its partner, which it can be held to"),
    Rule("starganv2", lambda f: f.kind == "domains", "one network translates between all of the domains"),
    Rule("r3gan", lambda f: f.kind == "points", "points have one GAN here that reaches modes which lie apart"),
    Rule(
        "fastgan",
        lambda f: f.kind == "images" and f.count < LITTLE and f.side >= LARGE and not f.conditions and _augmentable(f),
        "{count:,} large images are little data, for which it was made (Liu et al. 2021): its critic must redraw what it judges",
    ),
    Rule(
        "stylegan2",
        lambda f: f.kind == "images" and f.side >= LARGE and f.count >= LITTLE and f.device == "cuda",
        "{count:,} images of {side} pixels and more, on a GPU, are what it was made for (Karras et al. 2020)",
    ),
    Rule(
        "r3gan",
        lambda f: f.kind == "images" and f.count < LITTLE and _augmentable(f),
        "{count:,} images are little data, so the critic sees them augmented as often as it is too sure of them",
        {"against_overfitting": "ada"},
    ),
    Rule(
        "r3gan",
        lambda f: f.kind == "images" and f.side >= LARGE and f.device != "cuda",
        "{count:,} images of {side} pixels are much for a {device}, which it uses best (a GPU would be given stylegan2)",
    ),
    Rule(
        "r3gan",
        lambda f: f.kind == "images",
        "of {count:,} images of {side} pixels it learns most in a given time, with and without conditions",
    ),
)
"""In the order in which they are asked."""


@dataclass(frozen=True)
class Choice:
    """A GAN, options for it, and why."""

    gan: str
    options: Mapping[str, Any]
    because: str

    def sentence(self, asked: str = "--gan auto takes") -> str:
        options = "".join(f" with --gan.{name.replace('_', '-')} {value}" for name, value in self.options.items())
        return f"{asked} {self.gan}{options}: {self.because}."


def choose(data: Dataset, device: str) -> Choice:
    """The GAN for this data on this device ("cpu", "cuda:0"). Raises UserError for data that no rule knows."""
    spec = data.codec.spec
    image = len(spec.shape) == 3
    facts = Facts(
        kind=spec.kind,
        count=len(data),
        channels=spec.shape[0],
        side=min(spec.shape[1:]) if image else 0,
        conditions=spec.conditions,
        device=device.partition(":")[0],
        returns=bool(getattr(data.codec, "heaviness", ())),
        **_of_pairs(data),
    )
    return _decided(facts)


def translator(*, aligned: bool = True, larger: bool = False, near: bool = False) -> Choice:
    """The GAN for pairs, whose choice depends on nothing else: with and without --gan auto it is the same."""
    facts = Facts(
        kind="pairs", count=0, channels=3, side=0, conditions=0, device="cpu", aligned=aligned, larger=larger, near=near
    )
    return _decided(facts)


def translator_for(data: Dataset) -> Choice:
    """That of these pairs."""
    return translator(**_of_pairs(data))


def _of_pairs(data: Dataset) -> dict[str, bool]:
    spec = data.codec.spec
    larger = len(spec.given) == 3 and spec.given[1:] < spec.shape[1:]
    return {"aligned": spec.aligned, "larger": larger, "near": is_near(data.facts.get("degrade", ""))}


def _decided(facts: Facts) -> Choice:
    known = gans.names()
    for rule in RULES:
        if rule.gan in known and rule.holds(facts):
            return Choice(rule.gan, rule.options, rule.because.format(**vars(facts)))
    raise UserError(f"--gan auto knows no rule for {facts.kind}: name a GAN (gansmith list gans).")


def little_data_advice(count: int, channels: int) -> str | None:
    """A rule of thumb for few images; None for enough of them."""
    if count >= SCARCE:
        return None
    if channels not in (1, 3, 4):
        return "Augmentation, which so few images need, knows 1, 3 or 4 channels only: collect more images, or train shortly."
    if count < LITTLE:
        return (
            f"Rule of thumb: below {LITTLE:,} images a critic learns them by heart, so augment what it sees once it does "
            "(--gan auto and --gan.against-overfitting ada of r3gan do), mirror them if left and right do not matter (--mirror), and watch "
            "memorisation and recall rather than the pictures."
        )
    return (
        f"Rule of thumb: below {SCARCE:,} images augmentation helps long trainings (--gan.against-overfitting ada of r3gan), above it "
        "usually does not."
    )
