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
from gansmith.kinds.video.outlines import outlines
from gansmith.kinds.video.pairing import build_film_pairs, build_outlines
from gansmith.kinds.video.pairs import VideoPairs, motion_of
from gansmith.kinds.video.preview import playing, strips
from gansmith.kinds.video.readers import animations
from gansmith.kinds.video.readers.animations import is_animated
from gansmith.kinds.video.readers.listing import PICTURES, FilmPairs, film_pairs, from_file, from_folder, from_zip, sides_among
from gansmith.kinds.video.readers.tables import (
    from_array,
    from_npy,
    from_npz,
    from_parquet,
    has_pairs,
    has_videos,
    holds_array,
    holds_videos,
    is_array,
    may_have_videos,
    pairs_from_npz,
    pairs_of_arrays,
)
from gansmith.kinds.video.shapes import moving_shapes
from gansmith.kinds.video.spec import VideoSpec

if TYPE_CHECKING:
    from gansmith.data.inspection import Inspection
    from gansmith.evaluation.extractors import Extractor
    from gansmith.kinds.choice import Choice
    from gansmith.model import Model

MOVES, TRANSLATES = "firstorder", "vid2vid"
"""The GANs of motion and of pairs of films."""
PARTNERS = ("video_psnr", "video_ssim", "video_l1", "flicker")
"""The metrics of clips that were made of others."""
TRANSFERRED = ("keypoint_error", "transfer_path", "transfer_kept")
"""Those of pictures that were moved."""
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
            if _are_pairs(source.given):
                return Match(LIKELY, "it is two arrays of five dimensions")
            if is_array(source.given):
                return Match(LIKELY, "it is an array of five dimensions")
            return Match(POSSIBLE - 1, "it may be gray videos") if is_array(source.given, axes=4) else None
        path = source.path
        if path is None:
            return None
        if source.is_folder or source.suffix == ".zip":
            sides = 2 * (sides_among(source.names) is not None)
            if count := source.count(*self.suffixes):
                return Match(SURE + sides, f"it has {count:,} videos")
            if source.is_folder and self._animated(path, source):
                return Match(SURE + sides, "its pictures are animated")
            if frames := sum(PurePosixPath(name).name.lower().startswith("frame") for name in source.names):
                return Match(SURE, f"it has {frames:,} pictures called frame")
            return Match(POSSIBLE - 1, "it has pictures, which may be frames") if source.count(*PICTURES) else None
        if source.suffix in self.suffixes:
            return Match(SURE, "it is a video")
        if source.suffix in (*animations.SUFFIXES, ".png"):
            animated = is_animated(path)
            return Match(SURE + 1, "it is an animation") if animated else Match(POSSIBLE - 1, "it may be an animation")
        if source.suffix == ".npz":
            if has_pairs(path):
                return Match(SURE, "its arrays a and b are videos")
            if has_videos(path):
                return Match(SURE, "it has an array of videos")
        if source.suffix == ".npy" and holds_array(path):
            return Match(LIKELY, "it is an array of five dimensions")
        if source.suffix in (".npy", ".npz"):
            return Match(POSSIBLE - 1, "it may hold videos") if may_have_videos(path) else None
        return Match(LIKELY + 1, "a column holds videos") if source.suffix == ".parquet" and holds_videos(path) else None

    @staticmethod
    def _animated(path: Path, source: Source) -> bool:
        pictures = sorted(name for name in source.names if name.lower().endswith((*animations.SUFFIXES, ".png")))
        return any(is_animated(path / name) for name in pictures[:LOOKED_AT])

    def open(self, source: Source, options: Options, *, cache: Path, like: Any = None, originals: bool = False) -> Dataset:
        moves = like.spec.source is not None and like.a.spec.driven if like is not None else options.task == "motion"
        builtin = source.given if isinstance(source.given, str) and source.path is None and source.given in BUILTIN else None
        if builtin == "outlines":
            if options.task not in (None, "pairs") or moves:
                raise UserError(f"outlines are pairs of films, and --task {options.task} came: leave it out, or choose shapes.")
            return build_outlines(outlines(), options, like)
        if not moves and (pairs := pairs_of(source, options)) is not None:
            return build_film_pairs(pairs, options, cache, like)
        if options.swap:
            raise UserError(f"--swap exchanges the sides of pairs, and {source.said()} holds none: leave it out.")
        plain = like.b if moves and like is not None else like
        if builtin is not None:
            data = build_shapes(moving_shapes(), options, plain)
        else:
            data = build_videos(videos_of(source, options), options, cache, plain)
        return motion_of(data, like) if moves else data

    def like(self, codec: Any, options: Options, source: Source) -> Options:
        paired = codec.spec.source is not None
        own = codec.b if paired else codec
        task = options.task if not paired else "motion" if codec.a.spec.driven else "pairs"
        return replace(
            Options(),
            frames=own.spec.shape[0],
            stride=options.stride,
            cuts=options.cuts,
            crop=own.crop,
            task=task,
            swap=options.swap if task == "pairs" else False,
        )

    def load_codec(self, facts: dict[str, Any]) -> Any:
        return VideoPairs.from_json(facts) if "a" in facts else VideoCodec.from_json(facts)

    def usual_gan(self, source: Source, options: Options) -> str:
        if options.task == "motion":
            return MOVES
        paired = _holds_pairs(source) if options.task is None else options.task == "pairs"
        return TRANSLATES if paired else self.gan

    def inspect(self, source: Source, options: Options, *, cache: Path) -> Inspection:
        from gansmith.kinds.video.inspection import inspected

        return inspected(self.open(source, replace(options, skip_unreadable=True), cache=cache))

    def usual(self, data: Dataset) -> Choice:
        from gansmith.kinds.choice import Choice

        spec = data.codec.spec
        if isinstance(spec.source, VideoSpec):
            if spec.source.driven:
                return Choice(MOVES, {}, "it finds keypoints without labels and moves a picture as they move in a film")
            return Choice(TRANSLATES, {}, "it makes each frame of the frames given and of those it made before")
        return Choice(self.gan, {}, "it paints a clip once and moves what it painted")

    def usual_metrics(self, spec: Any) -> tuple[str, ...]:
        if not isinstance(spec.source, VideoSpec):
            return self.metrics
        return (*PARTNERS, *TRANSFERRED) if spec.source.driven else PARTNERS

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

    def find_features(self, asked: Any, train: Dataset, seed: int, folder: Path, device: Any) -> Extractor:
        from gansmith.kinds.video.networks import requested

        return requested(asked, device)

    def preview(self, codec: Any, raws: Sequence[Any]) -> Preview:
        if codec.spec.source is not None:
            return Preview(codec.preview(raws), (playing([raw.b for raw in raws]),))
        return Preview(strips(raws), (playing(raws),))

    def translates(self, model: Model) -> bool:
        """Whether it begins with given frames, moves pictures, or translates films."""
        from gansmith.kinds.video.translation.making import check_starts

        if model.codec.spec.source is not None:
            return True
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
        driver: Clip | None = None,
        absolute: bool = False,
        own_size: bool = False,
        frames: int | None = None,
        last: Any = None,
        loop: bool = False,
        seed: int = 0,
        **where: str,
    ) -> Clip:
        """A clip that begins with a picture or goes on where a clip ends, and ends with the picture `last` or, with `loop`, leads back to
        the first frame. It has so many frames in all, or those of a clip of the training.

        Of a model of motion: the picture moved as the clip `driver` moves, relative to its first frame or, if `absolute`, to where its
        keypoints are. Of a model of pairs of films: the clip translated, in the model's size or, with `own_size`, its own.

        Pictures are those of Pillow, clips `Clip`s. Raises UserError for others, and for models that make clips from noise alone.
        """
        from gansmith.kinds.video.translation.films import clip_through, mover, moves_pictures, translator
        from gansmith.kinds.video.translation.making import check_starts, looped, made_from

        if model.codec.spec.source is not None or driver is not None or absolute or own_size:
            if frames is not None or last is not None or loop or where:
                raise UserError("frames, last, loop and conditions are for models that begin with a picture: leave them out.")
            if driver is not None or moves_pictures(model):
                if not isinstance(given, Image.Image) or not isinstance(driver, Clip):
                    what = f"a {type(given).__name__} and a {type(driver).__name__}"
                    raise UserError(f"a picture and a driver, which is a Clip, are expected, but {what} came: open them first.")
                return clip_through(mover(model, given, absolute=absolute), driver)
            if not isinstance(given, Clip):
                raise UserError(f"a Clip was expected to be translated, but this is a {type(given).__name__}: open it first.")
            return clip_through(translator(model, own_size=own_size), given)
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


def _are_pairs(given: Any) -> bool:
    """Whether these are two arrays of videos, the sides of pairs."""
    return isinstance(given, tuple) and len(given) == 2 and all(map(is_array, given))


def _holds_pairs(source: Source) -> bool:
    """Whether a source holds pairs of films and nothing else."""
    if source.from_python:
        return _are_pairs(source.given)
    if source.path is None:
        return source.given == "outlines"
    if source.is_folder or source.suffix == ".zip":
        return sides_among(source.names) is not None
    return source.suffix == ".npz" and has_pairs(source.path)


def pairs_of(source: Source, options: Options) -> FilmPairs | None:
    """The pairs of films of a source, if they are asked for or cannot be anything else. Raises UserError where they are asked for and not
    there."""
    if options.task not in (None, "pairs") or (options.task is None and not _holds_pairs(source)):
        return None
    path = source.path
    if source.from_python and _are_pairs(source.given):
        return pairs_of_arrays(*source.given, options)
    if path is not None and (source.is_folder or source.suffix == ".zip"):
        return film_pairs(path, options)
    if path is not None and source.suffix == ".npz":
        return pairs_from_npz(path, options)
    raise UserError(
        f"{source.said()} holds no pairs of films: give a folder with the folders A and B, whose films have the same names, or an .npz "
        "with the arrays a and b."
    )


def videos_of(source: Source, options: Options) -> Videos:
    """The videos of a source. Raises UserError where it holds none."""
    path = source.path
    if source.from_python and (is_array(source.given) or is_array(source.given, axes=4)):
        return from_array(source.given, options)
    if path is None:
        raise UserError(f"there are no videos {source.said()}: give a film, an animation, a folder of them, or shapes.")
    if source.is_folder:
        return from_folder(path, options)
    if source.suffix == ".zip":
        return from_zip(path, options)
    if source.suffix == ".npz":
        return from_npz(path, options)
    if source.suffix == ".npy":
        return from_npy(path, options)
    if source.suffix == ".parquet":
        return from_parquet(path, options)
    if source.suffix in (*films.SUFFIXES, *animations.SUFFIXES, ".png"):
        return from_file(path)
    raise UserError(
        f"{path} is no video: give a film ({', '.join(films.SUFFIXES)}), an animation ({', '.join(animations.SUFFIXES)}), a .zip, .npz, "
        ".npy or .parquet file, or a folder."
    )
