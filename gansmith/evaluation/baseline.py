"""The trivial model that every score is compared with, and the rivals that stand beside it: those of the kind of data."""

from collections.abc import Mapping
from dataclasses import replace

from gansmith import kinds
from gansmith.data.dataset import Dataset
from gansmith.kinds.kind import Sampler


def baseline_name(train: Dataset) -> str:
    """What the baseline of this data is called."""
    name = kinds.find(train.codec.spec.kind).baseline_name(train)
    return f"{name} per class" if name.endswith("Gaussian") and train.labels() is not None else name


def trivial(train: Dataset, count: int, seed: int) -> Dataset:
    """`count` examples of the trivial generator of this data."""
    return replace(kinds.find(train.codec.spec.kind).baseline(train, count, seed), name=baseline_name(train))


def rivals(train: Dataset) -> Mapping[str, Sampler]:
    """Models without a game that stand beside the scores of this data, by name."""
    return kinds.find(train.codec.spec.kind).rivals()
