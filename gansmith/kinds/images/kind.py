"""The kind "images": images alone, pairs of images, and images of one class in the look of another (domains)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gansmith.data.dataset import Dataset
from gansmith.data.readers.rows import open_npy
from gansmith.data.readers.tensors import holds_fractions
from gansmith.data.source import Source
from gansmith.data.spec import Spec
from gansmith.data.values import Overlap, Seed, Tile, checked
from gansmith.errors import UserError
from gansmith.kinds.images import choose, toys
from gansmith.kinds.images.build import build_images
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.degradations import is_near
from gansmith.kinds.images.domains import DomainCodec, domains
from gansmith.kinds.images.label_maps import LabelMaps
from gansmith.kinds.images.masks import Holed
from gansmith.kinds.images.mirrored import mirrored
from gansmith.kinds.images.mosaic import mosaic
from gansmith.kinds.images.options import BUILTIN, Options
from gansmith.kinds.images.pairing import build_pairs
from gansmith.kinds.images.pairs import ImagePairs
from gansmith.kinds.images.readers.folders import ARRAY_SUFFIX, IMAGE_SUFFIXES
from gansmith.kinds.images.readers.pairs import has_sides, recognised, traits
from gansmith.kinds.images.readers.parquet import holds_images
from gansmith.kinds.images.source import collection_of, pairs_of, parquet_files
from gansmith.kinds.images.spec import ImageSpec
from gansmith.kinds.images.survey import Wanted
from gansmith.kinds.kind import LIKELY, POSSIBLE, SURE, Kind, Match, Preview

if TYPE_CHECKING:
    from PIL.Image import Image

    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.extractors import Extractor
    from gansmith.kinds.choice import Choice
    from gansmith.kinds.images.channels_file import Opened
    from gansmith.model import Model

HALF_A_STEP = 1 / 255
"""Half a step of 256 in [-1, 1]."""


class Images(Kind[Options, ImageCodec]):
    """Images of any height, width, depth and number of channels, with or without classes or attributes."""

    unit = "images"
    hub_task = "unconditional-image-generation"
    suffixes = tuple(sorted(IMAGE_SUFFIXES))
    spellings = {"images": {"task": "generation"}, "pairs": {"task": "pairs"}, "domains": {"task": "domains"}}
    builtin = BUILTIN
    Options = Options
    Codec = ImageCodec
    Spec = ImageSpec
    gan = "r3gan"
    metrics = ("frechet", "precision", "recall", "density", "coverage", "memorisation", "cas")
    half_precision = True
    rounding = HALF_A_STEP
    exported = "from -1 to 1, for the codec's levels (0 to 255 in bytes)"

    # ---- data in ----------------------------------------------------------------------------------------------------------------

    def recognise(self, source: Source) -> Match | None:
        if source.from_python:
            return _in_python(source.given)
        path = source.path
        if path is None:
            return Match(LIKELY, "it is a name on the hub") if source.is_hub_name else None
        if source.is_folder:
            alien = len(source.names) > 2 * source.count(*self.suffixes, ARRAY_SUFFIX, ".zip", ".csv", ".txt", ".json", ".jsonl")
            if not alien and recognised(path):
                return Match(SURE + 1, "its folders are the two sides of pairs")
            if tables := parquet_files(path):
                return Match(LIKELY, "its Parquet files hold images") if holds_images(tables[0]) else None
            count = source.count(*self.suffixes, ARRAY_SUFFIX, ".zip")
            return Match(LIKELY, f"it has {count:,} picture files") if count else Match(POSSIBLE - 1, "it is a folder")
        if source.suffix == ".csv":
            listed = recognised(path)
            return (
                Match(SURE + 1, "it lists pairs of pictures") if listed else Match(POSSIBLE - 1, "it may list pairs of pictures")
            )
        if source.suffix == ".parquet":
            return Match(LIKELY, "a column holds images") if holds_images(path) else Match(POSSIBLE - 1, "it is a Parquet file")
        if source.suffix in IMAGE_SUFFIXES:
            return Match(SURE, "it is a picture")
        if source.suffix == ".zip":
            count = source.count(*self.suffixes)
            return Match(LIKELY if count else POSSIBLE, f"it has {count:,} picture files")
        if source.suffix == ".npy":
            return Match(POSSIBLE, "it holds an array") if _holds_images(path) else None
        if source.suffix == ".npz":
            return Match(POSSIBLE, "it holds arrays")
        return None

    def open(
        self, source: Source, options: Options, *, cache: Path, like: ImageCodec | None = None, originals: bool = False
    ) -> Dataset:
        wanted = _wanted(options, like)
        if pairs := pairs_of(source, options):
            same = like if isinstance(like, ImagePairs) else None
            return build_pairs(pairs, wanted, cache, options.skip_unreadable, same, options.label_maps)
        if options.label_maps:
            raise UserError(f"--label-maps is for pairs, and {source.said()} holds none: leave it out, or pass --kind pairs.")
        own_sizes = originals and options.resolution is None and options.crop == "center"
        built = build_images(collection_of(source, cache), wanted, cache, options.skip_unreadable, originals=own_sizes)
        return domains(built) if options.task == "domains" else built

    def like(self, codec: Any, options: Options, source: Source) -> Options:
        task = codec.spec.task
        if task == "pairs":
            made = replace(options, task="pairs")
            if source.path is not None and has_sides(source.path):  # partners are there, and need not be made
                made = replace(made, degrade=None, masks=None)
            return made
        return Options(task=task, resolution=options.resolution, crop=options.crop)

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.kinds.images.inspection import inspect_images, inspect_pairs

        wanted = _wanted(options, None)
        if pairs := pairs_of(source, options):
            return inspect_pairs(pairs, wanted)
        return inspect_images(collection_of(source, cache), wanted)

    def mirrored(self, data: Dataset) -> Dataset:
        if data.codec.spec.task != "generation":
            raise UserError(
                f"only images alone can be mirrored, and {data.name} holds {data.codec.spec.task}: leave the option out."
            )
        return mirrored(data)

    def load_codec(self, facts: dict[str, Any]) -> Any:
        if "a" in facts:
            return ImagePairs.from_json(facts)
        if "colours" in facts:
            return LabelMaps.from_json(facts)
        if "holes" in facts:
            return Holed.from_json(facts)
        codec = ImageCodec.from_json(facts)
        return DomainCodec(**vars(codec)) if codec.spec.source else codec

    # ---- planning ---------------------------------------------------------------------------------------------------------------

    def usual_gan(self, source: Source, options: Options) -> str:
        if options.task == "domains":
            return choose.DOMAINS
        if source.path is None and options.asks_for_pairs:
            return choose.translator(near=is_near(options.degrade or "")).gan
        pairs = pairs_of(source, options)
        return choose.translator(**traits(pairs)).gan if pairs else self.gan

    def usual(self, data: Dataset) -> Choice:
        return choose.usual(data)

    def choose(self, data: Dataset, device: str) -> Choice:
        return choose.choose(data, device)

    # ---- judging ----------------------------------------------------------------------------------------------------------------

    def usual_metrics(self, spec: Spec) -> tuple[str, ...]:
        if spec.task == "pairs":
            return ("psnr", "ssim", "frechet", "coverage")
        if spec.task == "domains":
            return ("frechet", "coverage")
        if spec.attributes:
            return (*(name for name in self.metrics if name != "cas"), "condition_accuracy", "condition_error")
        return self.metrics

    def baseline_name(self, data: Dataset) -> str:
        return "pixel Gaussian"

    def features(self, train: Dataset, seed: int, folder: Path) -> Extractor:
        from gansmith.kinds.images.features.classifier import Classifier

        return Classifier.trained_on(train, seed, folder)

    def find_features(self, asked: Any, train: Dataset, seed: int, folder: Path, device: Any) -> Extractor:
        if asked == "classifier":
            return self.features(train, seed, folder)
        from gansmith.kinds.images.features.requested import find_extractor

        return find_extractor(asked, device)

    def inception(self, folder: Path, outputs: tuple[str, ...], **how: Any) -> Any:
        from gansmith.kinds.images.features.inception import Inception

        return Inception.open(folder, wanted=outputs, **how)

    def patches(self, data: Dataset, seed: int) -> Sequence[torch.Tensor]:
        from gansmith.kinds.images.patches import descriptors

        return descriptors(data, seed)

    # ---- using ------------------------------------------------------------------------------------------------------------------

    @checked
    def translated(  # pyright: ignore[reportIncompatibleMethodOverride], whose options are those of images
        self,
        model: Model,
        given: Opened,
        *,
        makes: str = "b",
        tile: Tile | None = None,
        overlap: Overlap = 32,
        reference: Opened | None = None,
        seed: Seed = 0,
        mask: Image | None = None,
    ) -> Opened:
        """What a model of pairs or domains makes of a picture of any size; see `kinds.images.translation.pictures.translate_picture`.

        `mask` is white where holes are to be filled. Models that make many images of one take their style from `reference`, or at random
        by `seed`.
        """
        from gansmith.kinds.images.translation.pictures import random_styles, reference_style, translate_picture
        from gansmith.tasks.translation import Styled

        style = None
        if reference is not None:
            style = reference_style(model, reference, makes=makes)
        elif isinstance(model.gan, Styled):
            style = random_styles(model, 1, makes=makes, seed=seed)[0]
        return translate_picture(model, given, makes=makes, tile=tile, overlap=overlap, style=style, mask=mask)

    # ---- showing ----------------------------------------------------------------------------------------------------------------

    def beside(self, codec: ImageCodec, groups: Sequence[Sequence[Any]]) -> Preview:
        """The generated example of every group gets a frame."""
        if isinstance(codec, DomainCodec):
            return super().beside(codec, groups)
        size = max(map(len, groups))
        images = [raw.image for group in groups for raw in group]
        return Preview(mosaic(images, columns=2 * size, framed=range(0, len(images), size)))

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()


def _wanted(options: Options, like: Any) -> Wanted:
    """What the options ask for, in the geometry of `like` if other images were opened before."""
    wanted = Wanted(
        resolution=options.size, crop=options.crop, channels=options.channels, labels=options.labels, values=options.cut
    )
    if like is None or like.spec.task == "pairs":
        return wanted
    channels, height, width = like.spec.shape
    return replace(wanted, resolution=(height, width), crop=like.crop, channels=channels, levels=like.levels)


def _holds_images(path: Path) -> bool:
    """Whether the array of a .npy file may be images; one that cannot be read is explained by whoever reads it."""
    try:
        array = open_npy(path)
    except (OSError, UserError):
        return True
    return array.ndim != 2 or array.dtype.kind != "f"


def _in_python(data: Any) -> Match | None:
    from gansmith.data.source import is_frame
    from gansmith.kinds.images.readers.mapstyle import pictures_in_frame

    if is_frame(data):
        return Match(SURE, "a column holds pictures") if pictures_in_frame(data) is not None else None
    images = data[0] if isinstance(data, tuple) and len(data) == 2 else data
    if isinstance(images, np.ndarray | torch.Tensor):
        return Match(POSSIBLE, "it is an array") if images.ndim != 2 or not holds_fractions(images) else None
    if isinstance(images, Sequence | Mapping) and isinstance(images, tuple | dict | str):
        return None
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        return Match(POSSIBLE, "it has a length and items")
    return Match(POSSIBLE, "it is a list of images") if isinstance(images, list) else None
