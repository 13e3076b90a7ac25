"""What networks must know of the data they learn."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The facts of a codec that networks need; saved in every checkpoint and model."""

    kind: str
    """The kind of data, which is also the name of its module in `gansmith.data`: "images", "points"."""
    key: str
    """The key under which a batch holds the examples: "image", "point"."""
    shape: tuple[int, ...]
    """The shape of one example without the batch: (channels, height, width) or (dimensions,)."""
    classes: tuple[str, ...] = ()
    """The names of the classes, in the order of the integers under the key "label"; empty if the data has no classes."""
    attributes: tuple[str, ...] = ()
    """The names of the numbers under the key "label" [B, K], if conditions are several or continuous; never beside classes."""

    means: tuple[float, ...] = ()
    """Of series: the mean of each channel."""
    spectrum: tuple[float, ...] = ()
    """Of series: the covariance of the channels at each of several frequencies (see `layers.whitening`), one after another."""

    @property
    def conditions(self) -> int:
        """How many numbers a condition is: one per class (one-hot) or one per attribute; 0 without labels."""
        return len(self.classes) or len(self.attributes)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"shape": list(self.shape), "classes": list(self.classes), "attributes": list(self.attributes)}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Spec":
        lists = {key: tuple(value) for key, value in facts.items() if isinstance(value, list)}
        return cls(**{**facts, **lists})
