"""Whether the requested class is seen: a network that learned classes from real clips reads them from generated ones.

It sees four frames of a clip side by side, at up to 16 pixels each. It is blind to the order of frames: shuffled real clips are right.
"""

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.evaluation.cache import content_key
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.features.classifier import Classifier, answers
from gansmith.kinds.images.spec import ImageSpec
from gansmith.metrics.registry import NotApplicableError

METRICS = {"clip_class": ("higher", "share of requested classes that a network taught on real clips reads from generated ones")}
SAYS = "quality"
BASELINE = "frozen frame"
SIDE = 16


def measure(side: Side) -> dict[str, Measured]:
    """Raises NotApplicableError for clips without classes, or with others than the training clips have."""
    real = side.real
    if len(real.train.codec.spec.classes) < 2:
        raise NotApplicableError(f"clip_class reads classes, and {real.train.name} has none.")
    if side.data.codec.spec.classes != real.train.codec.spec.classes:
        raise NotApplicableError(f"clip_class reads the classes of the training clips, and the {side.name} clips have others.")
    network = Classifier.trained_on(four_frames(real.train), real.seed, real.folder).network
    pictures = four_frames(side.data)
    truth = pictures.labels()
    assert truth is not None
    right = (answers(network, pictures) == truth).astype(float)
    value, low, high = jackknife(lambda kept: float(right[kept].mean()), len(right), real.seed, bounds=(0.0, 1.0))
    count = len(right)
    return {"clip_class": Measured(value=value, low=low, high=high, samples=count, reference_samples=0, space="four-frames-cnn")}


def four_frames(data: Dataset) -> Dataset:
    """Clips as images: four evenly spaced frames, two above two."""
    steps, channels, height, width = data.codec.spec.shape
    places = np.linspace(0, steps - 1, 4).round().astype(int)
    size = (min(SIDE, height), min(SIDE, width))
    images = []
    for start in range(0, len(data), 256):
        video = torch.from_numpy(data.packed(np.arange(start, min(start + 256, len(data))))["video"][:, places]).float()
        small = adaptive_avg_pool2d(video.flatten(0, 1), size).round().to(torch.uint8).numpy()
        grid = small.reshape(-1, 2, 2, channels, *size).transpose(0, 3, 1, 4, 2, 5)
        images.append(grid.reshape(-1, channels, 2 * size[0], 2 * size[1]))
    arrays = {"image": np.concatenate(images), "label": data.labels()}
    spec = ImageSpec(shape=arrays["image"].shape[1:], classes=data.codec.spec.classes)
    mark = fingerprint({}, f"four frames {content_key(data)}")
    return Dataset(name=f"{data.name}-clips", codec=ImageCodec(spec), arrays=arrays, fingerprint=mark)
