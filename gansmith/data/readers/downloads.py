"""Data sets of the literature, fetched once, checked, and kept in the cache."""

import gzip
import hashlib
import tarfile
import uuid
import zlib
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from gansmith.data.cache import writing
from gansmith.data.readers.files import file_key
from gansmith.data.readers.rows import ArrayRows
from gansmith.errors import UserError
from gansmith.kinds.images.readers.arrays import PixelRows
from gansmith.kinds.images.readers.collection import Collection

_SECONDS = 30
_MNIST_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
_FASHION_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
_CIFAR_MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)
_IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_MNIST_MD5 = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
_FASHION_MD5 = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)
_CIFAR_FILE, _CIFAR_MD5 = "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"

_GARMENTS = ("T-shirt-top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle-boot")
_THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def mnist(cache: Path) -> Collection:
    """70,000 handwritten digits at 28 x 28, 10,000 of them the official test split (LeCun et al. 1998)."""
    return _idx("mnist", cache, _MNIST_MIRRORS, _MNIST_MD5, None)


def fashion_mnist(cache: Path) -> Collection:
    """70,000 garments at 28 x 28, 10,000 of them the official test split (Xiao et al. 2017)."""
    return _idx("fashion-mnist", cache, _FASHION_MIRRORS, _FASHION_MD5, _GARMENTS)


def cifar10(cache: Path) -> Collection:
    """60,000 photographs at 32 x 32, 10,000 of them the official test split (Krizhevsky 2009)."""
    path = fetch("cifar10", cache, _CIFAR_MIRRORS, _CIFAR_FILE, _CIFAR_MD5)
    batches = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return _with_test_split("cifar10", [path], lambda: _cifar(path, batches), lambda: _cifar(path, ["test_batch.bin"]), _THINGS)


def fetch(name: str, cache: Path, mirrors: tuple[str, ...], file: str, md5: str, together: tuple[str, ...] = ()) -> Path:
    """The path of `file` in the cache, downloaded from the first mirror that answers with the right content.

    A file put there by hand is taken if its checksum is right. Offline, a UserError says where it, or all the files that are
    needed `together`, belong.
    """
    place = cache / "downloads" / name / file
    if place.exists() and _md5(place) == md5:
        return place
    failures = fetch_first(
        place, {mirror.split("/")[2]: mirror + file for mirror in mirrors}, lambda path: _md5(path) == md5, cache
    )
    if not failures:
        return place
    raise UserError(
        f"{name} must be fetched once and could not be ({'; '.join(failures)}): go online, or put "
        f'{", ".join(together or [file])} into {place.parent}, or train on "digits", which needs no network.'
    )


def fetch_first(place: Path, sources: Mapping[str, str], right: Callable[[Path], bool], cache: Path) -> list[str]:
    """Downloads to `place` from the first URL that answers with the right content; the reasons if none does, else nothing.

    `sources` are URLs by the names that the reasons give them.
    """
    failures = [f"{place} has the wrong checksum"] if place.exists() else []
    with writing(cache):
        place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f"{place.name}.{uuid.uuid4().hex}.partial")
    try:
        for source, url in sources.items():
            try:
                _download(url, partial, cache)
            except (OSError, HTTPException) as error:
                failures.append(f"{source}: {getattr(error, 'reason', None) or error}")
                continue
            if right(partial):
                partial.replace(place)
                return []
            failures.append(f"{source}: wrong checksum")
    finally:
        partial.unlink(missing_ok=True)
    return failures


def _download(url: str, partial: Path, cache: Path) -> None:
    from rich.console import Console
    from rich.progress import wrap_file

    with urlopen(url, timeout=_SECONDS) as response:
        size = int(response.headers.get("Content-Length") or 0)
        console = Console(stderr=True)
        with wrap_file(response, size, description=f"fetching {url.rsplit('/')[-1]}", console=console, transient=True) as source:
            with writing(cache):
                target = open(partial, "wb")  # noqa: SIM115 (closed by the next line)
            with target:
                while piece := source.read(1 << 20):
                    with writing(cache):
                        target.write(piece)


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _idx(name: str, cache: Path, mirrors: tuple[str, ...], md5: tuple[str, ...], classes: tuple[str, ...] | None) -> Collection:
    paths = [fetch(name, cache, mirrors, file, checksum, _IDX_FILES) for file, checksum in zip(_IDX_FILES, md5, strict=True)]
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
