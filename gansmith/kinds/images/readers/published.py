"""Data sets of the literature, fetched once and kept in the cache."""

import gzip
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gansmith.data.readers.downloads import fetch
from gansmith.data.readers.files import file_key
from gansmith.data.readers.rows import ArrayRows
from gansmith.errors import UserError
from gansmith.kinds.images.readers.arrays import PixelRows
from gansmith.kinds.images.readers.collection import Collection

_MNIST_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
_FASHION_MIRRORS = (
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
_CIFAR_MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)
_OTHERWISE = ', or train on "digits", which needs no network'
_IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_MNIST_SHA256 = (
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
)
_FASHION_SHA256 = (
    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
)
_CIFAR_FILE = "cifar-10-binary.tar.gz"
_CIFAR_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"

_GARMENTS = ("T-shirt-top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle-boot")
_THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def mnist(cache: Path) -> Collection:
    """70,000 handwritten digits at 28 x 28, 10,000 of them the official test split (LeCun et al. 1998)."""
    return _idx("mnist", cache, _MNIST_MIRRORS, _MNIST_SHA256, None)


def fashion_mnist(cache: Path) -> Collection:
    """70,000 garments at 28 x 28, 10,000 of them the official test split (Xiao et al. 2017)."""
    return _idx("fashion-mnist", cache, _FASHION_MIRRORS, _FASHION_SHA256, _GARMENTS)


def cifar10(cache: Path) -> Collection:
    """60,000 photographs at 32 x 32, 10,000 of them the official test split (Krizhevsky 2009)."""
    path = fetch("cifar10", cache, _CIFAR_MIRRORS, _CIFAR_FILE, _CIFAR_SHA256, otherwise=_OTHERWISE)
    batches = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return _with_test_split("cifar10", [path], lambda: _cifar(path, batches), lambda: _cifar(path, ["test_batch.bin"]), _THINGS)


def _idx(name: str, cache: Path, mirrors: tuple[str, ...], sums: tuple[str, ...], classes: tuple[str, ...] | None) -> Collection:
    paths = [
        fetch(name, cache, mirrors, file, checksum, _IDX_FILES, _OTHERWISE)
        for file, checksum in zip(_IDX_FILES, sums, strict=True)
    ]
    return _with_test_split(name, paths, lambda: _idx_rows(name, *paths[:2]), lambda: _idx_rows(name, *paths[2:]), classes)


def _with_test_split(
    name: str,
    paths: list[Path],
    train: Callable[[], PixelRows],
    test: Callable[[], PixelRows],
    classes: tuple[str, ...] | None,
) -> Collection:
    held_out = Collection(name=f"{name}-test", load=test, key=lambda: file_key(paths) + "test", classes=classes)
    return Collection(name=name, load=train, key=lambda: file_key(paths), classes=classes, held_out=held_out)


def _idx_rows(name: str, images: Path, labels: Path) -> PixelRows:
    return PixelRows(ArrayRows(read_idx(images)), name, read_idx(labels).tolist())


def read_idx(path: Path) -> np.ndarray:
    """An array of unsigned bytes in the IDX format of the MNIST page: 0, 0, type 8, dimensions, big-endian sides, bytes."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}): delete it, and it is fetched again.") from error
    assert content[:3] == b"\0\0\x08", content[:4]
    sides = np.frombuffer(content, ">i4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(sides)


def _cifar(path: Path, batches: list[str]) -> PixelRows:
    """The records of the binary version: one byte of class, then 3 x 32 x 32 bytes of pixels."""
    with tarfile.open(path) as archive:
        files = [archive.extractfile(f"cifar-10-batches-bin/{batch}") for batch in batches]
        records = np.concatenate([np.frombuffer(file.read(), np.uint8) for file in files if file]).reshape(-1, 3073)
    return PixelRows(ArrayRows(records[:, 1:].reshape(-1, 3, 32, 32)), "cifar10", records[:, 0].tolist())
