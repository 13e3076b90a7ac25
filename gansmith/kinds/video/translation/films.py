"""Films made frame by frame, however long they are: pictures that a film moves, and films translated. Memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gansmith.data.readers import films
from gansmith.data.readers.files import Unreadable, refuse_endless
from gansmith.data.readers.limits import check
from gansmith.errors import UserError
from gansmith.kinds.images.resize import converted
from gansmith.kinds.video.build import frames_at
from gansmith.kinds.video.clip import Clip, Footage, as_image
from gansmith.kinds.video.codec import VideoCodec
from gansmith.kinds.video.pairs import VideoPairs
from gansmith.kinds.video.readers.animations import Animation, is_animated
from gansmith.kinds.video.readers.footage import Film
from gansmith.kinds.video.streams import MovesPictures, NextFrame, TranslatesFilms
from gansmith.kinds.video.writers import FILMS

if TYPE_CHECKING:
    from gansmith.model import Model

FromImage = Callable[[Image.Image], Image.Image]
"""From the next frame of a film to the next one that is made."""


def paired_codec(model: Model) -> VideoPairs | None:
    """The codec of a model that makes clips of other clips; None of any other model."""
    return model.codec if isinstance(model.codec, VideoPairs) else None


def moves_pictures(model: Model) -> bool:
    """Whether it moves pictures as films move."""
    return isinstance(model.codec, VideoPairs) and isinstance(model.gan, MovesPictures)


def mover(model: Model, picture: Image.Image, *, absolute: bool = False) -> FromImage:
    """What makes, of each frame of a driving film, the picture as it then is, in the model's size. Raises UserError for other models."""
    codec = paired_codec(model)
    if codec is None or not isinstance(model.gan, MovesPictures):
        raise UserError(
            f"a driver moves pictures in models of motion, and {model.gan.name} is none: train one with --gan firstorder."
        )
    with torch.inference_mode():
        step = model.gan.driven(_tensor(codec.b.pixels(picture)), absolute=absolute)
    return _through(step, codec.b.pixels)


def translator(model: Model, *, own_size: bool = False) -> FromImage:
    """What makes each frame of a film of those given, in the model's size or, with `own_size`, in the film's. Raises UserError for other
    models."""
    codec = paired_codec(model)
    if codec is None or not isinstance(model.gan, TranslatesFilms):
        raise UserError(f"{model.gan.name} does not translate films frame by frame: train vid2vid on pairs of films.")
    return _through(model.gan.stream(), (lambda image: _own_pixels(codec.a, image)) if own_size else codec.a.pixels)


def _through(step: NextFrame, pixels: Callable[[Image.Image], np.ndarray]) -> FromImage:
    @torch.inference_mode()
    def next_image(image: Image.Image) -> Image.Image:
        made = step(_tensor(pixels(image)))[0].cpu()
        return as_image(made.add(1).mul(255 / 2).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy())

    return next_image


def _tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(pixels)).float().mul(2 / 255).sub(1)[None]


def _own_pixels(codec: VideoCodec, image: Image.Image) -> np.ndarray:
    """A frame in its own size."""
    check("pixels", image.width * image.height, "a frame", "pixels")
    channels = codec.frame_shape[0]
    found = np.asarray(converted(image, channels), np.uint8)
    return np.ascontiguousarray(found[None] if channels == 1 else found.transpose(2, 0, 1))


def clip_through(next_image: FromImage, clip: Clip) -> Clip:
    """A clip made of a clip, frame for frame."""
    made = [np.asarray(next_image(image), np.uint8) for image in clip.images()]
    frames = np.stack([own[..., None] if own.ndim == 2 else own for own in made])
    return Clip(frames, clip.rate, loops=clip.loops)


def opened_film(path: Path, what: str) -> Footage:
    """A film or animation that is given as `what`. Raises UserError for a picture, and for what cannot be read."""
    refuse_endless(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}: give a film or an animation as {what}.")
    try:
        if path.suffix.lower() in films.SUFFIXES:
            return Film(path)
        if is_animated(path):
            return Animation(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read as a video ({error}): give another file as {what}.") from error
    try:
        with Image.open(path) as image:
            image.verify()
    except Exception as error:  # Pillow's decoders raise nearly everything on damaged bytes
        raise UserError(f"{path} cannot be read as a video ({type(error).__name__}): give another file as {what}.") from error
    raise UserError(f"{path} is a picture that does not move: give a film or an animation as {what}.")


def opened_picture(path: Path) -> Image.Image:
    """The picture that is to move. Raises UserError for a film, and for what cannot be read."""
    refuse_endless(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}: give a picture.")
    if path.suffix.lower() in films.SUFFIXES or is_animated(path):
        raise UserError(f"{path} is a film, where the picture that is to move is expected: give the film as --driver.")
    try:
        with Image.open(path) as image:
            check("pixels", image.width * image.height, f"{path}", "pixels")
            image.load()
            return image.copy()
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly everything on damaged bytes
        raise UserError(f"{path} cannot be read as a picture ({type(error).__name__}): give another file.") from error


def write_through(
    next_image: FromImage, footage: Footage, source: Path, codec: VideoCodec, out: Path, called: Path
) -> tuple[int, float, list[str]]:
    """Writes what is made of each frame of a film and returns the number of frames, the rate and what is not kept; messages name the file
    as it is `called`.

    From film to film every frame keeps its time, and sound is copied; a film in any other form has even times. Raises UserError where the
    film ends in an error.
    """
    try:
        if out.suffix.lower() in FILMS:
            return _to_film(next_image, footage, out, called)
        rate = footage.rate or codec.spec.rate
        made = [np.asarray(next_image(image), np.uint8) for image, _ in frames_at(footage, rate)]
    except Unreadable as error:
        raise UserError(f"{source} cannot be read to its end ({error}): repair it, or give another file.") from error
    if not made:
        raise UserError(f"{source} has no frames: give another file.")
    frames = np.stack([own[..., None] if own.ndim == 2 else own for own in made])
    codec.write([Clip(frames, rate, loops=footage.loops)], out)
    return len(frames), rate, []


def _to_film(next_image: FromImage, footage: Footage, out: Path, called: Path) -> tuple[int, float, list[str]]:
    """One frame at a time: none but the last ones are ever in memory."""
    from gansmith.data.film_writer import VideoWriter

    like = footage.film if isinstance(footage, Film) else None
    rate = Fraction(footage.rate or 8.0).limit_denominator(1001) if like is None else like.rate
    count = 0
    with VideoWriter(out, rate=rate, like=like, called=called) as film:
        for image, at in _timed(footage):
            made = next_image(image)
            film.write(made if made.mode in ("RGB", "RGBA") else made.convert("RGB"), at)
            count += 1
    if not count:
        raise UserError(f"{called} would have no frames: give another film.")
    return count, float(rate), film.remarks


def _timed(footage: Footage) -> Iterator[tuple[Image.Image, int | None]]:
    """The frames of a film with their times in its ticks, of any other footage at its even rate without."""
    if isinstance(footage, Film):
        try:
            yield from footage.film.frames()
        except UserError as error:
            raise Unreadable(str(error)) from error
        return
    for image, _ in frames_at(footage, footage.rate or 8.0):
        yield image, None
