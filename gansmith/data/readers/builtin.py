"""The data sets that have a name of their own."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gansmith.kinds.images.readers.collection import Collection, Points

_DESCRIPTIONS = {
    "digits": "5,000 handwritten digits, 28x28 gray, 10 classes; offline (default)",
    "digits8": "1,797 handwritten digits, 8x8 gray, 10 classes; offline",
    "mnist": "70,000 handwritten digits, 28x28 gray, 10 classes; fetched once (11 MB)",
    "fashion-mnist": "70,000 garments, 28x28 gray, 10 classes; fetched once (30 MB)",
    "cifar10": "60,000 photographs, 32x32 RGB, 10 classes; fetched once (162 MB)",
    "ring": "100,000 points in the plane, 8 Gaussians on a circle; offline",
    "grid": "100,000 points in the plane, 25 Gaussians on a grid; offline",
}


def builtin_names() -> dict[str, str]:
    """Every built-in name with one line of description. Imports nothing heavy."""
    return dict(_DESCRIPTIONS)


def open_builtin(name: str, cache: Path) -> "Collection | Points":
    """The built-in data of this name; what must be fetched is kept in `cache`."""
    from gansmith.data.readers import downloads
    from gansmith.kinds.images.readers import handwriting
    from gansmith.kinds.points import mixtures

    offline = {"digits": handwriting.digits, "digits8": handwriting.digits8, "ring": mixtures.ring, "grid": mixtures.grid}
    fetched = {"mnist": downloads.mnist, "fashion-mnist": downloads.fashion_mnist, "cifar10": downloads.cifar10}
    return offline[name]() if name in offline else fetched[name](cache)
