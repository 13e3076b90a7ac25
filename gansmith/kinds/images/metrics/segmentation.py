"""Can a segmenter find in made images the labels that they were made of? The FCN score of Isola et al. 2017, section 4.1.

The segmenter is yours (`--segmenter`), or a small one that learns on the spot from the real training pairs.
"""

import hashlib
import re
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate, relu

from gansmith.data.dataset import Dataset, Order
from gansmith.data.paired import PairedCodec
from gansmith.errors import UserError
from gansmith.evaluation.cache import content_key, remember
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.features.classifier import one_cycle, one_thread
from gansmith.kinds.images.features.requested import find_extractor
from gansmith.kinds.images.label_maps import LabelMaps
from gansmith.kinds.images.metrics.trivial_translations import trivial
from gansmith.metrics.registry import NotApplicableError
from gansmith.networks.pretrained.given import Given, resized, with_channels

METRICS = {
    "pixel_accuracy": ("higher", "share of pixels of made images in which a segmenter finds the label they were made of"),
    "class_accuracy": ("higher", "the mean over labels of the share of their pixels that is found"),
    "mean_iou": ("higher", "the mean over labels of the intersection over the union of given and found pixels"),
}
SAYS = "quality"
SEGMENTER = True
"""It looks through the network that --segmenter names."""
MINIMUM = 2
BASELINE = "every label in its mean colour"
STEPS, BATCH, WIDTH = 600, 8, 24
AT_ONCE = 16


class Segmenter(nn.Module):
    """Two halvings and back with skips: images to logits [B, labels, H, W]."""

    def __init__(self, channels: int, labels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, WIDTH, 3, padding=1)
        self.down = nn.Conv2d(WIDTH, 2 * WIDTH, 3, stride=2, padding=1)
        self.down_again = nn.Conv2d(2 * WIDTH, 2 * WIDTH, 3, stride=2, padding=1)
        self.inner = nn.Conv2d(2 * WIDTH, 2 * WIDTH, 3, padding=1)
        self.up = nn.Conv2d(4 * WIDTH, WIDTH, 3, padding=1)
        self.last = nn.Conv2d(2 * WIDTH, labels, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        x0 = relu(self.first(image))
        x1 = relu(self.down(x0))
        x2 = relu(self.inner(relu(self.down_again(x1))))
        y = relu(self.up(torch.cat([interpolate(x2, x1.shape[2:]), x1], 1)))
        return self.last(torch.cat([interpolate(y, x0.shape[2:]), x0], 1))


def key(real: Real) -> str:
    """What it depends on besides the real data: the segmenter."""
    return f"segmenter {real.segmenter}"


def measure(side: Side) -> dict[str, Measured]:
    """Of every side's images and the labels that each was made of; raises UserError for a segmenter that answers otherwise."""
    train = side.real.train
    if not (isinstance(train.codec, PairedCodec) and isinstance(train.codec.a, LabelMaps) and train.codec.spec.aligned):
        raise NotApplicableError("the segmentation score needs pairs whose given side are maps of labels (--label-maps).")
    labels, data = len(train.codec.a.colours), side.data
    if side.name == "baseline":
        data = labelled(trivial(train, side.real.held_out)["colour lookup"], side.real.held_out)
    segmenter, name = segmenter_for(side.real, labels)
    confusions = np.stack([confusion(row, found, labels) for row, found in _answers(segmenter, data)])
    bounds = (0.0, 1.0)
    measured = {}
    for metric, of in (("pixel_accuracy", pixel_accuracy), ("class_accuracy", class_accuracy), ("mean_iou", mean_iou)):
        value, low, high = jackknife(lambda kept, of=of: of(confusions[kept].sum(0)), len(confusions), side.real.seed, bounds)
        measured[metric] = Measured(
            value=value, low=low, high=high, samples=len(confusions), reference_samples=len(confusions), space=name
        )
    return measured


def labelled(made: Dataset, held_out: Dataset) -> Dataset:
    """Made images with the maps that they were made of."""
    arrays = {**made.arrays, "a": held_out.packed(slice(None))["a"]}
    return Dataset(name=made.name, codec=made.codec, arrays=arrays, fingerprint=f"{made.fingerprint}-labelled")


def confusion(given: Int[np.ndarray, "_ _"], found: Int[np.ndarray, "_ _"], labels: int) -> Int[np.ndarray, "_ _"]:
    """How many pixels of each given label (rows) were found as each label (columns)."""
    return np.bincount(given.ravel() * labels + found.ravel(), minlength=labels**2).reshape(labels, labels)


def pixel_accuracy(confusion: np.ndarray) -> float:
    """Of Long et al. 2015 (FCN), section 5, as the two below."""
    return float(np.trace(confusion) / confusion.sum())


def class_accuracy(confusion: np.ndarray) -> float:
    """Over the labels that occur."""
    given = confusion.sum(1)
    return float((np.diag(confusion)[given > 0] / given[given > 0]).mean())


def mean_iou(confusion: np.ndarray) -> float:
    """Over the labels that occur or are found."""
    union = confusion.sum(1) + confusion.sum(0) - np.diag(confusion)
    return float((np.diag(confusion)[union > 0] / union[union > 0]).mean())


def segmenter_for(real: Real, labels: int) -> tuple[Given, str]:
    """The given segmenter, or one that has learned from the training pairs."""
    if real.segmenter is None:
        network = Segmenter(real.train.codec.spec.shape[0], labels)
        facts = (content_key(real.train), str(real.seed), torch.__version__)
        name = re.sub(r"[^\w.-]", "_", real.train.name) + "-segmenter"
        network.load_state_dict(remember(real.folder, name, facts, lambda: dict(_taught(real.train, real.seed).state_dict())))
        return Given(network, name=name, key=hashlib.sha256("".join(facts).encode()).hexdigest()), name
    found = find_extractor(real.segmenter)
    if not isinstance(found, Given):
        raise UserError(f"--segmenter should be FILE.onnx, FILE.pt, FILE.pt2 or FILE.py:FUNCTION, but it is {real.segmenter}.")
    return found, found.name


def _taught(train: Dataset, seed: int) -> Segmenter:
    with one_thread(), torch.autocast("cpu", enabled=False), torch.inference_mode(False), torch.enable_grad():
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            network = Segmenter(train.codec.spec.shape[0], train.codec.spec.source_shape[0])
        optimiser = torch.optim.Adam(network.parameters(), fused=True)
        order = Order(len(train), seed)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = 3e-3 * one_cycle((step + 0.5) / STEPS)
            batch = train.batch(order.take(BATCH))
            loss = cross_entropy(network(batch["b"]), batch["a"].argmax(1))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()


def _answers(segmenter: Given, data: Dataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The given and the found labels of every image."""
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        for start in range(0, len(data), AT_ONCE):
            batch = data.batch(slice(start, start + AT_ONCE))
            seen = resized(with_channels(batch["b"].float(), segmenter.channels), segmenter.size, segmenter.mode)
            given, logits = batch["a"].argmax(1), segmenter.network(seen.to(segmenter.device)).float()
            if logits.dim() != 4 or logits.shape[1] != batch["a"].shape[1]:
                raise UserError(
                    f"{segmenter.name} should answer with logits [batch, {batch['a'].shape[1]}, height, width], one plane for each label "
                    f"in the order of their colours, but {list(logits.shape)} came: change it."
                )
            found = interpolate(logits, size=given.shape[1:], mode="bilinear", align_corners=False).argmax(1)
            yield from zip(given.numpy(), found.cpu().numpy(), strict=True)
