"""GAN-test and GAN-train of sounds (Shmelkov et al. 2018, sections 3.1 and 3.2), by a small network that sees mel spectra.

GAN-test is the accuracy on generated sounds of a classifier that learned from real ones: whether a requested class is heard. GAN-train is
the accuracy on real held-out sounds of one that learned from generated ones: whether they also vary as real ones do.
"""

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.features import as_pictures
from gansmith.kinds.images.features.classifier import Classifier, answers, train_classifier
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "gan_test": ("higher", "accuracy on generated sounds of a classifier that learned from real ones: is the class heard"),
    "gan_train": ("higher", "accuracy on real held-out sounds of a classifier that learned from generated ones"),
}
SAYS = {"gan_test": "quality", "gan_train": "both"}


def measure(side: Side) -> dict[str, Measured]:
    """Needs sounds of two or more classes on all sides."""
    train, held_out = side.real.train, side.real.held_out
    classes = train.codec.spec.classes
    for data, name in ((train, "training"), (held_out, "held-out"), (side.data, side.name)):
        if len(data.codec.spec.classes) < 2 or data.codec.spec.classes != classes:
            raise NotApplicableError(
                f"gan_test and gan_train need the same two or more classes on all sides, unlike the {name} sounds."
            )
    judge = Classifier.trained_on(as_pictures(train), side.real.seed, side.real.folder).network
    taught = train_classifier(as_pictures(side.lessons), side.real.seed)
    made, real = as_pictures(side.data), as_pictures(held_out)
    return {
        "gan_test": _accuracy(answers(judge, made) == made.labels(), side, len(train)),
        "gan_train": _accuracy(answers(taught, real) == real.labels(), side, len(side.lessons)),
    }


def _accuracy(right: np.ndarray, side: Side, learned: int) -> Measured:
    value, low, high = jackknife(lambda kept: float(right[kept].mean()), len(right), side.real.seed, bounds=(0.0, 1.0))
    return Measured(value=value, low=low, high=high, samples=len(right), reference_samples=learned, space="mel-cnn")
