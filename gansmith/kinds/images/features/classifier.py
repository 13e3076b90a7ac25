"""A small classifier trained on the real data on the spot: a feature space for images of any kind, with nothing to download.

With labels of two or more classes it learns these. Without, it learns which of four quarter turns an image was given (Gidaris
et al. 2018, RotNet), which asks for shapes and their parts: on 4,000 digits a linear classifier finds 94.6% of the classes in
its features (with random weights: 70%), and they answer to blur, noise and missing classes.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from gansmith.data.dataset import Dataset, Order
from gansmith.evaluation.cache import content_key, remember
from gansmith.networks.pretrained.network import SmallNetwork, fit_to, side_for
from gansmith.networks.pretrained.perceptual_network import Images, distance

BATCH = 64
PEAK_RATE = 4e-3
TURNS = 4
PASSES, MINIMUM, MAXIMUM = 10, 20_000, 120_000
"""Learned from: ten times all images, but between so many; half as many at most above 32x32."""
READ = 256
"""Images read at a time where nothing is learned from them."""
PIXELS = 200_000_000
"""Values of the training images kept in memory (as float16); of more, a random part is learned from."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """The trained network as a feature space."""

    name: str
    key: str
    network: SmallNetwork
    side: int

    @classmethod
    def trained_on(cls, train: Dataset, seed: int, folder: Path) -> "Classifier":
        """Trains it, or takes it from the cache; equal data and seed give equal weights on one machine."""
        facts = (content_key(train), str(seed), torch.__version__)
        weights = remember(
            folder, f"{_file_name(train.name)}-cnn", facts, lambda: dict(train_classifier(train, seed).state_dict())
        )
        network = _network_for(train, seed)
        network.load_state_dict(weights)
        key = hashlib.sha256("\0".join(facts).encode()).hexdigest()
        return cls(name=f"{train.name}-cnn", key=key, network=network.eval(), side=_side(train))

    def features(self, data: Dataset) -> Float[Tensor, "batch 64"]:
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            return torch.cat([self.network.features(images) for images in batches(data, self.side)])


class OnTheSpot(nn.Module):
    """The perceptual distance of `networks.pretrained.perceptual_network` in this classifier, with equal weights."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.name, self.network, self.side = classifier.name, classifier.network, classifier.side

    def activations(self, images: Float[Tensor, "batch channels side side"]) -> Iterator[Tensor]:
        x = images
        for layer in self.network.convolutions:
            x = layer(x)
            yield x

    def forward(self, first: Images, second: Images) -> Float[Tensor, " batch"]:
        """The distance of each image in [-1, 1] from its partner, on the CPU."""
        images = torch.cat([first, second]).to(next(self.network.parameters()).device)
        return distance(self.activations(fit_to(images, self.side)))


def learns_classes(data: Dataset) -> bool:
    """Whether there are classes to tell apart; if not, quarter turns are learned."""
    return len(data.codec.spec.classes) > 1


def train_classifier(data: Dataset, seed: int) -> SmallNetwork:
    """Trains the network on all of `data`, ten times over but between 20,000 and 120,000 images (60,000 above 32x32).

    Adam with one cycle of the learning rate and small random shifts. On one thread: steps this small gain little from more, and
    so the result does not depend on how many there are. The caller's random numbers are left as they were.
    """
    network = _network_for(data, seed)
    labels = data.labels() if learns_classes(data) else None
    targets = None if labels is None else torch.from_numpy(labels)

    def loss(images: Tensor, rows: Tensor) -> Tensor:
        if targets is None:
            return cross_entropy(network(turned(images)), torch.arange(BATCH) % TURNS)
        return cross_entropy(network(images), targets[rows])

    return teach(network, data, seed, loss)


def teach(network: SmallNetwork, data: Dataset, seed: int, loss: Callable[[Tensor, Tensor], Tensor]) -> SmallNetwork:
    """Trains the network as `train_classifier` does, on whatever `loss` asks of images and their positions in the data."""
    with one_thread(), torch.autocast("cpu", enabled=False), torch.inference_mode(False), torch.enable_grad():
        return _teach(network, data, seed, loss)


def _teach(network: SmallNetwork, data: Dataset, seed: int, loss: Callable[[Tensor, Tensor], Tensor]) -> SmallNetwork:
    rng = torch.Generator().manual_seed(seed)
    channels, side = data.codec.spec.shape[0], _side(data)
    most = max(BATCH, PIXELS // (channels * side**2))
    chosen = torch.randperm(len(data), generator=rng)[:most].sort().values
    kept = data.subset(chosen.numpy())
    images = torch.empty(len(kept), channels, side, side, dtype=torch.float16)
    for place, batch in zip(images.split(READ), batches(kept, side), strict=True):
        place.copy_(batch)
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), lr=PEAK_RATE, fused=True)
    order = Order(len(kept), seed)
    steps = min(max(PASSES * len(data), MINIMUM), MAXIMUM if side <= 32 else MAXIMUM // 2) // BATCH
    for step in range(steps):
        rows = torch.from_numpy(order.take(BATCH))
        batch = shifted(images[rows].float(), max(1, side // 14), rng)
        optimiser.param_groups[0]["lr"] = PEAK_RATE * one_cycle((step + 0.5) / steps)
        asked = loss(batch, chosen[rows])
        optimiser.zero_grad()
        asked.backward()
        optimiser.step()
    return network.eval()


@contextmanager
def one_thread() -> Iterator[None]:
    """Lets torch compute on one thread inside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def answers(network: SmallNetwork, data: Dataset) -> Int[np.ndarray, " batch"]:
    """The most probable class of every image."""
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        return torch.cat([network(images).argmax(1) for images in batches(data, _side(data))]).numpy()


def shifted(
    images: Float[Tensor, "batch channels side side"], most: int, rng: torch.Generator
) -> Float[Tensor, "batch channels side side"]:
    """Every image moved by up to `most` pixels in both directions, its border repeated."""
    count, _, height, width = images.shape
    padded = pad(images, (most, most, most, most), mode="replicate")
    rows = torch.randint(2 * most + 1, (count, 1), generator=rng) + torch.arange(height)
    columns = torch.randint(2 * most + 1, (count, 1), generator=rng) + torch.arange(width)
    return padded[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def turned(images: Float[Tensor, "batch channels side side"]) -> Float[Tensor, "batch channels side side"]:
    """Image i turned by i mod 4 quarter turns."""
    result = torch.empty_like(images)
    for turns in range(TURNS):
        result[turns::TURNS] = torch.rot90(images[turns::TURNS], turns, (2, 3))
    return result


def one_cycle(progress: float) -> float:
    """The learning rate as a share of its peak: up linearly in the first fifth, down along a cosine."""
    return min(1.0, progress / 0.2) * (1 + math.cos(math.pi * max(0.0, (progress - 0.2) / 0.8))) / 2


def batches(data: Dataset, side: int) -> Iterator[Tensor]:
    """All images in order, as the network sees them."""
    for start in range(0, len(data), READ):
        yield fit_to(data.batch(slice(start, start + READ))[data.codec.spec.key].float(), side)


def _side(data: Dataset) -> int:
    _, height, width = data.codec.spec.shape
    return side_for(height, width)


def _network_for(data: Dataset, seed: int) -> SmallNetwork:
    classes = len(data.codec.spec.classes) if learns_classes(data) else TURNS
    with torch.inference_mode(False), torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return SmallNetwork(data.codec.spec.shape[0], _side(data), classes)


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
