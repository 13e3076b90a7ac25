"""Whether conditions are met: a network that learned classes or attributes from real images reads them from generated ones.

It is the converse of the classification accuracy score: that one asks whether generated images teach what real ones show, this one
whether each shows what it was made for (as Odena et al. 2017, section 4.2, do for classes). The network is the small one of
`extractors.classifier`, taught on the training images; the ceiling is what it reads from held-out real images, the baseline the same
under shuffled conditions, which is what a generator reaches that ignores its conditions.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gansmith.data.dataset import Dataset
from gansmith.evaluation.cache import content_key, remember
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.features.classifier import Classifier, answers, batches, learns_classes, teach
from gansmith.metrics.registry import NotApplicableError
from gansmith.networks.pretrained.network import SmallNetwork, side_for

METRICS = {
    "condition_accuracy": (
        "higher",
        "share of requested classes and yes-or-no attributes that a network taught on real images reads from generated ones",
    ),
    "condition_error": (
        "lower",
        "mean distance of requested numbers from those that such a network reads, in shares of the attribute's range",
    ),
}
SAYS = "quality"
BASELINE = "shuffled conditions"


def measure(side: Side) -> dict[str, Measured]:
    """Needs images with classes or attributes on all sides. Attributes of two values in the training data are read as yes or no,
    others as numbers; those that are the same everywhere are left out. Only the metrics that have a meaning are answered."""
    real = side.real
    data = real.ceiling.data if side.name == "baseline" else side.data
    known, found = real.train.codec.spec, data.codec.spec
    if not (learns_classes(real.train) or known.attributes):
        raise NotApplicableError(f"conditions are met where there are classes or attributes, and {real.train.name} has none.")
    if (known.classes, known.attributes) != (found.classes, found.attributes):
        raise NotApplicableError(
            f"conditions are compared under the same conditions, and those of the {side.name} images are others."
        )
    rows = np.arange(len(data))
    requested = np.random.default_rng(real.seed).permutation(rows) if side.name == "baseline" else rows
    if known.classes:
        network = Classifier.trained_on(real.train, real.seed, real.folder).network
        truth = data.labels()
        assert truth is not None
        right = (answers(network, data) == truth[requested])[:, None].astype(float)
        return {"condition_accuracy": _measured(side, right, ())}
    truth = attributes(data, real)[requested]
    yes, numbers = parts(attributes(real.train, real))
    read = read_attributes(real, data, yes)
    names = np.array(known.attributes)
    right = ((read[:, yes] > 0) == (truth[:, yes] > 0)).astype(float)
    apart = np.abs(read[:, numbers].clip(-1, 1) - truth[:, numbers]) / 2
    measured = {}
    if yes.any():
        measured["condition_accuracy"] = _measured(side, right, tuple(names[yes]))
    if numbers.any():
        measured["condition_error"] = _measured(side, apart, tuple(names[numbers]), lower=True)
    return measured


def attributes(data: Dataset, real: Real) -> Float[np.ndarray, "batch attributes"]:
    """The attributes of these images, from -1 to 1 over the range of the training data."""
    own = data.arrays["label"] if data.indices is None else data.arrays["label"][data.indices]
    codec = real.train.codec
    assert isinstance(codec, ImageCodec) and codec.attributes is not None
    return codec.attributes.unpack(np.asarray(own))


def parts(rows: Float[np.ndarray, "batch attributes"]) -> tuple[Bool[np.ndarray, " attributes"], Bool[np.ndarray, " attributes"]]:
    """Which attributes have two values only, and which are numbers; constant ones are neither."""
    constant = (rows == rows[:1]).all(0)
    yes = (np.abs(rows) == 1).all(0) & ~constant
    return yes, ~yes & ~constant


def read_attributes(real: Real, data: Dataset, yes: Bool[np.ndarray, " attributes"]) -> Float[np.ndarray, "batch attributes"]:
    """What the network reads from images: log odds of yes where `yes`, numbers elsewhere. It is taught once and remembered."""
    train, seed = real.train, real.seed
    channels, height, width = train.codec.spec.shape
    side, asked, truth = side_for(height, width), torch.from_numpy(yes), torch.from_numpy(attributes(train, real))
    with torch.inference_mode(False), torch.random.fork_rng([]):
        torch.manual_seed(seed)
        network = SmallNetwork(channels, side, len(yes))

    def loss(images: Tensor, rows: Tensor) -> Tensor:
        read, wanted = network(images), truth[rows]
        surprise = binary_cross_entropy_with_logits(read, (wanted > 0).float(), reduction="none")
        return torch.where(asked, surprise, (read - wanted).square()).sum(1).mean()

    facts = (content_key(train), str(seed), torch.__version__)
    taught = remember(real.folder, "attributes-cnn", facts, lambda: dict(teach(network, train, seed, loss).state_dict()))
    network.load_state_dict(taught)
    network.eval()
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        return torch.cat([network(images) for images in batches(data, side)]).numpy()


def _measured(side: Side, found: Float[np.ndarray, "batch conditions"], names: tuple[str, ...], lower: bool = False) -> Measured:
    """The mean over images and conditions, with the worst condition in the note."""
    value, low, high = jackknife(lambda rows: float(found[rows].mean()), len(found), side.real.seed, bounds=(0.0, 1.0))
    means = found.mean(0)
    worst = int(means.argmax() if lower else means.argmin())
    return Measured(
        value=value,
        low=low,
        high=high,
        samples=len(found),
        reference_samples=len(side.real.train),
        space="cnn",
        note=f"worst: {names[worst]} {means[worst]:.3f}" if len(names) > 1 else "",
    )
