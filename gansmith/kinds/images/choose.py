"""Which GAN suits which images, and what to do about few of them."""

from dataclasses import dataclass

from gansmith.data.dataset import Dataset
from gansmith.kinds.choice import Choice, Rule, decided
from gansmith.kinds.images.degradations import is_near

LITTLE = 2_000
"""Fewer images than this are little data: critics learn them by heart (Karras et al. 2020, ADA, figure 1)."""
SCARCE = 10_000
"""Fewer images than this gain from augmentation (ADA, figure 7: most at 1,000 to 10,000)."""
LARGE = 128
"""Images with a shorter side of at least this are large."""
DOMAINS = "starganv2"
"""The GAN of domains where none is named."""


@dataclass(frozen=True)
class Facts:
    """What the choice depends on."""

    count: int
    channels: int
    side: int
    """The shorter side."""
    conditions: int
    """How many classes or attributes."""
    device: str
    """cpu, cuda or mps."""
    task: str = "generation"
    """Generation, pairs or domains."""
    aligned: bool = True
    """Whether the two images of a pair belong together."""
    larger: bool = False
    """Whether images are larger than those that they are made from."""
    near: bool = False
    """Whether the sources were made from the images by losses that can be undone by looking at what is near."""


def _augmentable(facts: Facts) -> bool:
    return facts.channels in (1, 3, 4)


RULES: tuple[Rule[Facts], ...] = (
    Rule("srgan", lambda f: f.task == "pairs" and f.larger, "it makes small images large, first faithfully, then sharply"),
    Rule(
        "srgan",
        lambda f: f.task == "pairs" and f.near,
        "what was lost can be seen from near by, and it adds that to the image given (bench/results/repair.md)",
    ),
    Rule(
        "cyclegan",
        lambda f: f.task == "pairs" and not f.aligned,
        "the images of the two sides do not belong together, so each must lead back to itself",
    ),
    Rule("pix2pix", lambda f: f.task == "pairs", "every image has its partner, which it can be held to"),
    Rule("starganv2", lambda f: f.task == "domains", "one network translates between all of the domains"),
    Rule(
        "fastgan",
        lambda f: f.count < LITTLE and f.side >= LARGE and not f.conditions and _augmentable(f),
        "{count:,} large images are little data, for which it was made (Liu et al. 2021): its critic must redraw what it judges",
    ),
    Rule(
        "stylegan2",
        lambda f: f.side >= LARGE and f.count >= LITTLE and f.device == "cuda",
        "{count:,} images of {side} pixels and more, on a GPU, are what it was made for (Karras et al. 2020)",
    ),
    Rule(
        "r3gan",
        lambda f: f.count < LITTLE and _augmentable(f),
        "{count:,} images are little data, so the critic sees them augmented as often as it is too sure of them",
        {"against_overfitting": "ada"},
    ),
    Rule(
        "r3gan",
        lambda f: f.side >= LARGE and f.device != "cuda",
        "{count:,} images of {side} pixels are much for a {device}, which it uses best (a GPU would be given stylegan2)",
    ),
    Rule(
        "r3gan",
        lambda f: True,
        "of {count:,} images of {side} pixels it learns most in a given time, with and without conditions",
    ),
)
"""In the order in which they are asked."""


def choose(data: Dataset, device: str) -> Choice:
    """The GAN for these images on this device ("cpu", "cuda:0")."""
    spec = data.codec.spec
    facts = Facts(
        count=len(data),
        channels=spec.shape[0],
        side=min(spec.shape[1:]),
        conditions=spec.conditions,
        device=device.partition(":")[0],
        task=spec.task,
        **_traits(data),
    )
    return decided(RULES, facts, "images")


def usual(data: Dataset) -> Choice:
    """The GAN for these images where none is named."""
    task = data.codec.spec.task
    if task == "pairs":
        return translator(**_traits(data))
    return Choice(DOMAINS if task == "domains" else "r3gan", {}, "")


def translator(*, aligned: bool = True, larger: bool = False, near: bool = False) -> Choice:
    """The GAN for pairs, whose choice depends on nothing else: with and without --gan auto it is the same."""
    facts = Facts(0, 3, 0, 0, "cpu", task="pairs", aligned=aligned, larger=larger, near=near)
    return decided(RULES, facts, "images")


def _traits(data: Dataset) -> dict[str, bool]:
    spec = data.codec.spec
    larger = spec.source is not None and spec.source.shape[1:] < spec.shape[1:]
    return {"aligned": spec.aligned, "larger": larger, "near": is_near(data.facts.get("degrade", ""))}


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
