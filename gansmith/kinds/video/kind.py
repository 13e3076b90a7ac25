"""The kind "video": clips of films, animations and folders of frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from PIL import Image

from gansmith.data.dataset import Dataset
from gansmith.data.preview import Preview
from gansmith.data.readers import films
from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.kind import LIKELY, POSSIBLE, SURE, Kind, Match, Sampler
from gansmith.kinds.video import toys
from gansmith.kinds.video.build import build_shapes, build_videos
from gansmith.kinds.video.clip import Clip, Videos
from gansmith.kinds.video.codec import VideoCodec
from gansmith.kinds.video.options import BUILTIN, Options
from gansmith.kinds.video.preview import playing, strips
from gansmith.kinds.video.readers import animations
from gansmith.kinds.video.readers.animations import is_animated
from gansmith.kinds.video.readers.listing import PICTURES, from_file, from_folder, from_zip
from gansmith.kinds.video.readers.tables import from_array, from_npz, from_parquet, has_videos, holds_videos, is_array
from gansmith.kinds.video.shapes import moving_shapes
from gansmith.kinds.video.spec import VideoSpec

if TYPE_CHECKING:
    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.extractors import Extractor
    from gansmith.kinds.choice import Choice
    from gansmith.model import Model

COMPARED = 4000
"""How many training clips generated ones are compared with: neighbouring clips of a video are nearly the same."""
LOOKED_AT = 4
"""Pictures of a folder that are opened to see whether they are animated."""


class VideoKind(Kind[Options, VideoCodec]):
    """Films, animations, folders of numbered pictures, and arrays of frames."""

    unit = "clips"
    suffixes = (*films.SUFFIXES, ".apng")
    builtin = BUILTIN
    Options = Options
    Codec = VideoCodec
    Spec = VideoSpec
    gan = "motiongan"
    half_precision = True
    metrics = (
        "frechet",
        "motion_frechet",
        "frame_frechet",
        "order",
        "motion_error",
        "drift_error",
        "loop_seam",
        "clip_class",
        "clip_c2st",
        "shape_class",
        "shape_kept",
        "shape_bends",
        "precision",
        "recall",
        "memorisation",
    )

    def recognise(self, source: Source) -> Match | None:
        if source.from_python:
            return Match(LIKELY, "it is an array of five dimensions") if is_array(source.given) else None
        path = source.path
        if path is None:
            return None
        if source.is_folder or source.suffix == ".zip":
            if count := source.count(*self.suffixes):
                return Match(SURE, f"it has {count:,} videos")
            if source.is_folder and self._animated(path, source):
                return Match(SURE, "its pictures are animated")
            if frames := sum(PurePosixPath(name).name.lower().startswith("frame") for name in source.names):
                return Match(SURE, f"it has {frames:,} pictures called frame")
            return Match(POSSIBLE - 1, "it has pictures, which may be frames") if source.count(*PICTURES) else None
        if source.suffix in self.suffixes:
            return Match(SURE, "it is a video")
        if source.suffix in (*animations.SUFFIXES, ".png"):
            animated = is_animated(path)
            return Match(SURE + 1, "it is an animation") if animated else Match(POSSIBLE - 1, "it may be an animation")
        if source.suffix == ".npz":
            return Match(SURE, "it has an array video") if has_videos(path) else None
        return Match(LIKELY + 1, "a column holds videos") if source.suffix == ".parquet" and holds_videos(path) else None

    @staticmethod
    def _animated(path: Path, source: Source) -> bool:
        pictures = sorted(name for name in source.names if name.lower().endswith((*animations.SUFFIXES, ".png")))
        return any(is_animated(path / name) for name in pictures[:LOOKED_AT])

    def open(
        self, source: Source, options: Options, *, cache: Path, like: VideoCodec | None = None, originals: bool = False
    ) -> Dataset:
        if isinstance(source.given, str) and source.path is None and source.given in BUILTIN:
            return build_shapes(moving_shapes(), options, like)
        return build_videos(videos_of(source, options), options, cache, like)

    def like(self, codec: VideoCodec, options: Options, source: Source) -> Options:
        return replace(Options(), frames=codec.spec.shape[0], stride=options.stride, cuts=options.cuts, crop=codec.crop)  # pyright: ignore[reportArgumentType]

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.kinds.video.inspection import inspected

        return inspected(self.open(source, replace(options, skip_unreadable=True), cache=cache))

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        return Choice(self.gan, {}, "it paints a clip once and moves what it painted")

    def most_compared(self, spec: Any) -> int:
        return COMPARED

    def baseline_name(self, data: Dataset) -> str:
        return "frozen frame"

    def baseline(self, train: Dataset, n: int, seed: int) -> Dataset:
        from gansmith.kinds.video.baseline import frozen_frames

        return frozen_frames(train, n, seed)

    def rivals(self) -> Mapping[str, Sampler]:
        from gansmith.kinds.video.baseline import cross_fades

        return {"cross-fades": cross_fades}

    def features(self, train: Dataset, seed: int, folder: Path) -> Extractor:
        from gansmith.kinds.video.features import ClipFeatures

        return ClipFeatures(train, seed, folder)

    def preview(self, codec: VideoCodec, raws: Sequence[Clip]) -> Preview:
        return Preview(strips(raws), (playing(raws),))

    def translates(self, model: Model) -> bool:
        """Whether it begins with given frames."""
        from gansmith.kinds.video.translation.making import check_starts

        try:
            check_starts(model)
        except UserError:
            return False
        return True

    def translated(  # pyright: ignore[reportIncompatibleMethodOverride], whose options are those of video
        self,
        model: Model,
        given: Any,
        *,
        frames: int | None = None,
        last: Any = None,
        loop: bool = False,
        seed: int = 0,
        **where: str,
    ) -> Clip:
        """A clip that begins with a picture or goes on where a clip ends, and ends with the picture `last` or, with `loop`, leads back to
        the first frame. It has so many frames in all, or those of a clip of the training.

        Pictures are those of Pillow, clips `Clip`s. Raises UserError for others, and for models that make clips from noise alone.
        """
        from gansmith.kinds.video.translation.making import check_starts, looped, made_from

        codec = check_starts(model)
        clip, end = _as_clip(given, codec), None if last is None else _as_clip(last, codec)
        if loop:
            return looped(model, clip, seed=seed, where=where)[0]
        length = frames or max(codec.spec.shape[0], len(clip.frames) + 1)
        return made_from(model, clip, length, seed=seed, last=end, where=where)[0]

    def toys(self) -> Mapping[str, Dataset]:
        return toys.toys()


def _as_clip(given: Any, codec: VideoCodec) -> Clip:
    """A picture as a clip of one frame. Raises UserError for what is neither picture nor clip."""
    if isinstance(given, Clip):
        return given
    if not isinstance(given, Image.Image):
        raise UserError(f"a picture or a clip was expected to begin with, but this is a {type(given).__name__}: open it first.")
    return Clip(codec.pixels(given).transpose(1, 2, 0)[None], codec.spec.rate)


def videos_of(source: Source, options: Options) -> Videos:
    """The videos of a source. Raises UserError where it holds none."""
    path = source.path
    if source.from_python and is_array(source.given):
        return from_array(source.given, options)
    if path is None:
        raise UserError(f"there are no videos {source.said()}: give a film, an animation, a folder of them, or shapes.")
    if source.is_folder:
        return from_folder(path, options)
    if source.suffix == ".zip":
        return from_zip(path, options)
    if source.suffix == ".npz":
        return from_npz(path, options)
    if source.suffix == ".parquet":
        return from_parquet(path, options)
    if source.suffix in (*films.SUFFIXES, *animations.SUFFIXES, ".png"):
        return from_file(path)
    raise UserError(
        f"{path} is no video: give a film ({', '.join(films.SUFFIXES)}), an animation ({', '.join(animations.SUFFIXES)}), a .zip, .npz or "
        ".parquet file, or a folder."
    )
