"""Classification accuracy score: learn from generated examples, be examined on real ones (Ravuri & Vinyals 2019)."""

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.features.classifier import answers, learns_classes, train_classifier
from gansmith.metrics.registry import NotApplicableError

METRICS = {"cas": ("higher", "accuracy on real held-out examples of a classifier that learned from labelled generated ones")}
SAYS = "both"


def measure(side: Side) -> dict[str, Measured]:
    """Needs images with labels on all sides. The interval is over the held-out examples; the classifier is trained once."""
    train, held_out, lessons = side.real.train, side.real.held_out, side.lessons
    for data, name in ((train, "training"), (held_out, "held-out"), (lessons, side.name)):
        if not learns_classes(data):
            raise NotApplicableError(f"cas needs labels of two or more classes, and the {name} examples have none.")
        if data.codec.spec.classes != train.codec.spec.classes:
            raise NotApplicableError(f"cas needs the same classes on all sides, and those of the {name} examples are others.")
    truth = held_out.labels()
    assert truth is not None
    right = answers(train_classifier(lessons, side.real.seed), held_out) == truth
    value, low, high = jackknife(lambda kept: float(right[kept].mean()), len(right), side.real.seed, bounds=(0.0, 1.0))
    always = np.bincount(truth).max() / len(truth)
    return {
        "cas": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(lessons),
            reference_samples=len(right),
            space="cnn",
            note=f"{always:.3f} by always guessing the most common class",
        )
    }
