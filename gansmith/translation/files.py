"""Files in, files out: pictures, folders of them, animations and videos."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageSequence, UnidentifiedImageError
from torch import Tensor

from gansmith.data.readers.collection import natural
from gansmith.data.readers.folders import IMAGE_SUFFIXES
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.translating import Styled
from gansmith.translation.pictures import random_styles, reference_style, sides_of, translate_picture
from gansmith.videos import SUFFIXES as VIDEOS
from gansmith.videos import VideoWriter, frame_rate, frames

if TYPE_CHECKING:
    from gansmith.model import Model

_ANIMATIONS = (".gif", ".webp", ".png")


def inputs_in(path: Path) -> list[Path]:
    """The pictures and videos of a folder in natural order, or the file itself. Raises UserError where there is none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"there is no file or folder {path}: give a picture, a video, or a folder of them.")
    kinds = (*IMAGE_SUFFIXES, *VIDEOS)
    found = [own for own in path.rglob("*") if own.suffix.lower() in kinds and not own.name.startswith(".")]
    if not found:
        raise UserError(f"{path} has no pictures and no videos: point to a folder with .png, .jpg, .webp or .mp4 files.")
    return sorted(found, key=lambda own: natural(own.relative_to(path).as_posix()))


def styles_for(model: Model, makes: str, count: int, reference: Path | None, seed: int) -> list[tuple[str, Tensor | None]]:
    """The styles to translate in, each with what it adds to the names of outputs: one without a name; random ones by number; those of
    reference pictures by their names, where there are several. Raises UserError for references that cannot be read, and for models
    without styles."""
    if reference is not None:
        pictures = inputs_in(reference)
        read = [_style_in(model, picture, makes) for picture in pictures]
        return [(f"-{path.stem}" if len(pictures) > 1 else "", style) for path, style in zip(pictures, read, strict=True)]
    if count == 1 and not isinstance(model.gan, Styled):
        return [("", None)]
    styles = random_styles(model, count, makes=makes, seed=seed)
    return [(f"-{number}" if count > 1 else "", style) for number, style in enumerate(styles, start=1)]


def _style_in(model: Model, path: Path, makes: str) -> Tensor:
    try:
        with Image.open(path) as image:
            return reference_style(model, image, makes=makes, name=path.name)
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(
            f"{path} cannot be read as a picture ({error}): give --reference a picture, or a folder of them."
        ) from error


def outputs_for(inputs: list[Path], root: Path, out: Path, name: str = "", suffix: str = ".png") -> list[Path]:
    """Where each output goes: the folders are kept, `name` is added to the names, pictures become PNG (or of another suffix),
    animations and videos stay what they are.

    Raises UserError if an input would be overwritten.
    """
    base = root if root.is_dir() else root.parent
    place = partial(_placed, suffix=suffix)
    plain = [place(path, base, out, path.stem + name) for path in inputs]
    placed = [
        own if plain.count(own) == 1 else place(path, base, out, path.name + name)
        for own, path in zip(plain, inputs, strict=True)
    ]
    for given, made in zip(inputs, placed, strict=True):
        if made.resolve() == given.resolve():
            raise UserError(f"{given} would be overwritten: give --out another folder.")
    return placed


def suffix_for(model: Model, makes: str) -> str:
    """That of pictures of the model: TIFF holds floating point numbers, PNG all else."""
    levels = sides_of(model, makes)[1].levels
    return ".tif" if levels.deep and levels.dtype != "uint16" else ".png"


def _placed(path: Path, base: Path, out: Path, stem: str, suffix: str) -> Path:
    suffix = path.suffix.lower() if path.suffix.lower() in VIDEOS or _is_animation(path) else suffix
    return out / path.relative_to(base).parent / f"{stem}{suffix}"


def _is_animation(path: Path) -> bool:
    if path.suffix.lower() not in _ANIMATIONS:
        return False
    try:
        with Image.open(path) as image:
            return getattr(image, "n_frames", 1) > 1
    except (OSError, UnidentifiedImageError):
        return False


def partners_of(inputs: list[Path], root: Path, partner: Path | None) -> list[Path | None]:
    """The second picture of each fusion: the file `partner`, or that of the same name, whatever its suffix, in the folder `partner`.

    Raises UserError where there is none, or one for several.
    """
    if partner is None:
        return [None] * len(inputs)
    if not partner.is_dir():
        if not partner.is_file() or len(inputs) > 1:
            wrong = f"is one file for {len(inputs)} pictures" if partner.is_file() else "is not there"
            raise UserError(
                f"--partner must be a picture, or a folder of pictures for a folder, but {partner} {wrong}: correct it."
            )
        return [partner]
    return list(_by_name(inputs, root, partner, "partner"))


def _by_name(inputs: list[Path], root: Path, folder: Path, what: str) -> list[Path]:
    """The picture in the folder that has each input's name, whatever its suffix. Raises UserError where one has none."""
    base = root if root.is_dir() else root.parent
    stems = {own.relative_to(folder).with_suffix(""): own for own in inputs_in(folder)}
    found = {own: stems.get(own.relative_to(base).with_suffix("")) for own in inputs}
    if absent := [own.name for own, other in found.items() if other is None]:
        raise UserError(f"{len(absent)} of {len(inputs)} pictures have no {what} in {folder} ({listed(absent, 3)}): add them.")
    return [other for other in found.values() if other is not None]


def masks_of(inputs: list[Path], root: Path, masks: Path | None) -> list[Path | None]:
    """The mask of each input: that of the same name in the folder `masks`, or the file `masks` for all of them. Raises UserError where
    there is none."""
    if masks is None or masks.is_file():
        return [masks] * len(inputs)
    if not masks.is_dir():
        raise UserError(
            f"--masks must be a picture, or a folder of pictures by the names of the inputs, but {masks} is not there."
        )
    return list(_by_name(inputs, root, masks, "mask"))


def translate_file(
    model: Model, given: Path, made: Path, partner: Path | None = None, mask: Path | None = None, **how: Any
) -> None:
    """Writes what the model makes of one file, or of it and its partner; a mask holds for all frames of what moves.

    Raises UserError for a file that cannot be read, for videos without ffmpeg, and for videos and animations with a partner.
    """
    made.parent.mkdir(parents=True, exist_ok=True)
    if mask is not None:
        how["mask"] = _picture(mask)
    if partner is not None:
        if made.suffix != ".png":
            raise UserError(f"a fusion takes pictures, but {given.name} moves: give its frames.")
        with _picture(given) as first, _picture(partner) as second:
            translate_picture(model, first, name=given.name, partner=second, **how).save(made)
        return
    if given.suffix.lower() in VIDEOS:
        _translate_video(model, given, made, **how)
        return
    try:
        with Image.open(given) as image:
            image.load()
            if made.suffix not in (".png", ".tif") or getattr(image, "n_frames", 1) > 1:
                _translate_animation(model, image, made, **how)
            else:
                translate_picture(model, image, name=given.name, **how).save(made)
    except (UnidentifiedImageError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's, not the picture's
        raise UserError(f"{given} cannot be read as a picture ({error}): repair it, or leave it out.") from error


def _picture(path: Path) -> Image.Image:
    """An opened picture that can be read. Raises UserError for one that cannot."""
    try:
        image = Image.open(path)
        image.load()
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f"{path} cannot be read as a picture ({error}): repair it, or leave it out.") from error
    return image


def _translate_animation(model: Model, image: Image.Image, made: Path, **how: Any) -> None:
    durations, made_of = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(frame.info.get("duration", 100))
        made_of.append(translate_picture(model, frame.copy(), **how))
    made_of[0].save(made, save_all=True, append_images=made_of[1:], duration=durations, loop=image.info.get("loop", 0))


def _translate_video(model: Model, given: Path, made: Path, **how: Any) -> None:
    """Frame by frame; the sound is kept."""
    rate = frame_rate(given)
    with VideoWriter(made, rate=rate, sound_of=given) as film:
        for frame in frames(given, rate):
            film.write(translate_picture(model, frame, **how))
