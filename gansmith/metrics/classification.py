"""Classification accuracy score: learn from generated examples, be examined on real ones (Ravuri & Vinyals 2019)."""

import numpy as np

from gansmith.metrics.extractors.classifier import answers, train_classifier
from gansmith.metrics.families import NotApplicable
from gansmith.metrics.score import Measured, jackknife
from gansmith.metrics.sides import Side

METRICS = {"cas": ("higher", "accuracy on real held-out examples of a classifier that learned from labelled generated ones")}


def measure(side: Side) -> dict[str, Measured]:
    """Needs images with labels on all sides. The interval is over the held-out examples; the classifier is trained once."""
    train, held_out, lessons = side.real.train, side.real.held_out, side.lessons
    spec, truth = train.codec.spec, held_out.labels()
    if spec.kind != "images":
        raise NotApplicable(f"cas is a metric of images, and {train.name} holds {spec.kind}.")
    if truth is None or train.labels() is None:
        raise NotApplicable(f"cas needs labels, and {train.name} has none.")
    if lessons.labels() is None:
        raise NotApplicable(f"cas needs labels, and the {side.name} examples have none.")
    if lessons.codec.spec.classes != spec.classes:
        raise NotApplicable(f"cas needs the same classes on both sides, and the {side.name} examples have others.")
    right = answers(train_classifier(lessons, side.real.seed), held_out) == truth
    value, low, high = jackknife(lambda kept: float(right[kept].mean()), len(right), side.real.seed, bounds=(0, 1))
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
