"""Where images are read from: what a source holds, before anything is decoded."""

from pathlib import Path

from gansmith.data.readers.tensors import array_of
from gansmith.data.source import Source
from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.kinds.images.options import BUILTIN, Options
from gansmith.kinds.images.readers import handwriting
from gansmith.kinds.images.readers.array_files import from_npy, from_npz
from gansmith.kinds.images.readers.arrays import from_memory
from gansmith.kinds.images.readers.collection import Collection
from gansmith.kinds.images.readers.folders import IMAGE_SUFFIXES, from_folder, from_image, from_zip
from gansmith.kinds.images.readers.hub import from_hub, is_hub_name
from gansmith.kinds.images.readers.mapstyle import from_mapstyle, labelled, pictures_in_frame
from gansmith.kinds.images.readers.pairs import Pairs, pairs_in, recognised
from gansmith.kinds.images.readers.parquet import from_parquet, holds_images


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder as hub snapshots have them; none where one merely describes the image files beside it."""
    tables = sorted(folder.glob("*.parquet")) or sorted(folder.glob("data/*.parquet"))
    return tables if tables and tables[0].stem != "metadata" else []


def collection_of(source: Source, cache: Path) -> Collection:
    """The images of a source. Raises UserError where it holds none."""
    if source.from_python:
        return _from_python(source.given)
    path = source.path
    if path is None:
        return _by_name(source, cache)
    if source.is_folder:
        from gansmith.kinds.images.readers.listing import remembered

        return remembered(path, cache, lambda: _from_any_folder(path))
    if source.suffix == ".zip":
        return from_zip(path)
    if source.suffix in (".npz", ".npy"):
        return (from_npz if source.suffix == ".npz" else from_npy)(path)
    if source.suffix == ".parquet":
        return from_parquet([path], path.stem)
    if source.suffix in IMAGE_SUFFIXES:
        return from_image(path)
    raise UserError(
        f"{path} is a {source.suffix or 'file without suffix'}, where images are a folder, a .zip, .npz, .npy or .parquet file, or a "
        "picture."
    )


def pairs_of(source: Source, options: Options) -> Pairs | None:
    """The pairs of images that a source holds, if they were asked for or cannot be anything else."""
    path = source.path
    if path is None:
        if options.asks_for_pairs:
            given = repr(source.given) if isinstance(source.given, str | Path) else source.said()
            raise UserError(f"pairs are read from a folder or a csv on disk, which {given} is not: give the path of one.")
        return None
    if options.asks_for_pairs or (options.task is None and recognised(path)):
        return pairs_in(path, degrade=options.degrade, pairing=options.pairing, swap=options.swap, masks=options.masks)
    return None


def _from_any_folder(folder: Path) -> Collection:
    """Image files, or Parquet files as a hub snapshot has them."""
    tables = parquet_files(folder)
    return from_parquet(tables, folder.resolve().name) if tables and holds_images(tables[0]) else from_folder(folder)


def _by_name(source: Source, cache: Path) -> Collection:
    name = str(source.given)
    if isinstance(source.given, str) and name in BUILTIN:
        from gansmith.kinds.images.readers import published

        offline = {"digits": handwriting.digits, "digits8": handwriting.digits8}
        fetched = {"mnist": published.mnist, "fashion-mnist": published.fashion_mnist, "cifar10": published.cifar10}
        return offline[name]() if name in offline else fetched[name](cache)
    if source.is_hub_name and is_hub_name(name):
        return from_hub(name)
    raise UserError(
        f"there is no data {name}{did_you_mean(name, list(BUILTIN))}: give a folder or zip of images, an npz, npy or Parquet file, a hub "
        f'name "user/name", or one of {", ".join(BUILTIN)}.'
    )


def _from_python(data: object) -> Collection:
    import numpy as np
    import torch

    from gansmith.data.source import is_frame

    if is_frame(data):
        if (pictures := pictures_in_frame(data)) is not None:
            return pictures
        raise UserError("this data frame has no column of pictures: put Pillow images or encoded bytes in one.")
    images, labels = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    if isinstance(images, list) and labels is not None:
        return from_mapstyle(labelled(images, labels))
    if isinstance(images, torch.Tensor):
        images = array_of(images, "the data")
    if isinstance(labels, torch.Tensor):
        labels = array_of(labels, "what holds the labels")
    if isinstance(images, np.ndarray):
        return from_memory(images, labels)
    return from_mapstyle(data)
