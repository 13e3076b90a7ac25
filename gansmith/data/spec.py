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
    given: tuple[int, ...] = ()
    """The shape of what an example is made from (pairs: the image that is translated); empty where it is made from noise."""
    aligned: bool = True
    """Whether what is given and the example belong together (pairs of one scene), or merely come from two domains."""
    holes: bool = False
    """Whether the last channel given says what of the example is known: 1 there means that the others show it, -1 that it is hidden."""

    @property
    def of_images(self) -> bool:
        """Whether an example under `key` is an image, whatever else a batch holds."""
        return self.kind in ("domains", "images", "pairs")

    columns: tuple[tuple[int, ...], ...] = ()
    """Of tables, for every column that a row [width] holds, the sizes of its groups in order: 1 is a number, more are a one-hot
    choice. A number behind a choice counts only where the last option is chosen, and is 0 elsewhere."""

    target: int = -1
    """Of tables, the place among these columns of the one that the others are to tell."""
    means: tuple[float, ...] = ()
    """Of series: the mean of each channel."""
    spectrum: tuple[float, ...] = ()
    """Of series: the covariance of the channels at each of several frequencies (see `layers.whitening`), one after another."""
    quantiles: tuple[float, ...] = ()
    """Of series of returns: quantiles of each channel (see `data.returns.quantiles`), one channel after another."""

    @property
    def conditions(self) -> int:
        """How many numbers a condition is: one per class (one-hot) or one per attribute; 0 without labels."""
        return len(self.classes) or len(self.attributes)

    def to_json(self) -> dict[str, Any]:
        facts = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        of_kind = {"target": bool(self.columns), "quantiles": bool(self.quantiles), "holes": self.holes}
        return {key: value for key, value in facts.items() if of_kind.get(key, True)}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Spec":
        return cls(**{key: _tuples(value) for key, value in facts.items()})


def _tuples(value: Any) -> Any:
    """JSON's lists, nested ones too, as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
