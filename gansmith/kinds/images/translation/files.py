"""Files in, files out: pictures, folders of them, animations and videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from torch import Tensor

from gansmith.data.film_writer import VideoWriter
from gansmith.data.outputs import whole
from gansmith.data.readers.files import files_below
from gansmith.data.readers.films import SUFFIXES as VIDEOS
from gansmith.data.readers.films import Film
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.images.readers.collection import natural
from gansmith.kinds.images.readers.folders import ARRAY_SUFFIX
from gansmith.kinds.images.readers.partners import partners
from gansmith.kinds.images.translation.animations import Animation, moves
from gansmith.kinds.images.translation.formats import KINDS, read, suffix_for, unread, write
from gansmith.kinds.images.translation.pictures import dropped, random_styles, reference_style, sides_of, translate_picture
from gansmith.tasks.translation import Styled

if TYPE_CHECKING:
    from gansmith.model import Model


def inputs_in(path: Path, out: Path | None = None) -> list[Path]:
    """The pictures and videos of a folder in natural order, or the file itself; arrays (.npy) where a folder has no others.

    Files in the folder `out` inside of it are results of an earlier call and left out. Raises UserError where there is none, and where
    `out` is the folder itself.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"there is no file or folder {path}: give a picture, a video, or a folder of them.")
    here, made = path.resolve(), out.resolve() if out else None
    if made == here:
        raise UserError(f"the results would lie among their inputs in {path}: give --out another folder.")
    inside = made is not None and here in made.parents
    found = [
        own
        for own in files_below(path, lambda name: Path(name).suffix.lower() in KINDS)
        if own.suffix.lower() in KINDS and not (inside and made in own.resolve().parents)
    ]
    found = [own for own in found if own.suffix.lower() != ARRAY_SUFFIX] or found
    if not found:
        raise UserError(f"{path} has no pictures and no videos: point to a folder with .png, .jpg, .webp or .mp4 files.")
    return sorted(found, key=lambda own: natural(own.relative_to(path).as_posix()))


def styles_for(model: Model, makes: str, count: int, references: Sequence[Path], seed: int) -> list[tuple[str, Tensor | None]]:
    """The styles to translate in, each with what it adds to the names of outputs: one without a name; random ones by number; those of
    reference pictures by their names, where there are several. Raises UserError for references that cannot be read, and for models
    without styles."""
    if references:
        read = [_style_in(model, picture, makes) for picture in references]
        return [(f"-{path.stem}" if len(references) > 1 else "", style) for path, style in zip(references, read, strict=True)]
    if count == 1 and not isinstance(model.gan, Styled):
        return [("", None)]
    styles = random_styles(model, count, makes=makes, seed=seed)
    return [(f"-{number}" if count > 1 else "", style) for number, style in enumerate(styles, start=1)]


def _style_in(model: Model, path: Path, makes: str) -> Tensor:
    with read(path) as picture:
        return reference_style(model, picture, makes=makes, name=path.name)


def outputs_for(
    inputs: Sequence[Path], root: Path, out: Path, name: str = "", suffixes: Sequence[str] | None = None
) -> list[Path]:
    """Where each output goes: the folders are kept, `name` is added to the names, and the suffix is that of `suffixes` (.png). Results
    that would have one name keep the suffixes of their inputs in it.

    Raises UserError if `out` is a file.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"--out takes a folder, but {out} is a file: give another.")
    base = root if root.is_dir() else root.parent
    kinds = list(suffixes or [".png"] * len(inputs))
    folders = [out / path.relative_to(base).parent for path in inputs]
    plain = [folder / f"{path.stem}{name}{kind}" for folder, path, kind in zip(folders, inputs, kinds, strict=True)]
    often = Counter(str(path).lower() for path in plain)
    placed = [
        own if often[str(own).lower()] == 1 else folder / f"{path.name}{name}{kind}"
        for own, folder, path, kind in zip(plain, folders, inputs, kinds, strict=True)
    ]
    again = Counter(str(path).lower() for path in placed)
    for number, (path, own) in enumerate(zip(inputs, placed, strict=True)):
        if again[str(own).lower()] > 1 and own == plain[number]:
            placed[number] = own.with_name(f"{path.name}{name}{own.suffix}")
    return placed


def suffixes_for(model: Model, makes: str, inputs: Sequence[Path]) -> list[str]:
    """Those of what the model makes of the files."""
    made = sides_of(model, makes)[1]
    return [suffix_for(path, made) for path in inputs]


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


def targets_of(inputs: list[Path], root: Path, targets: Path | None) -> list[Path | None]:
    """The true result of each input in the folder `targets` (or that file, for one input), by its name, whatever its suffix; None where
    there is none. Raises UserError where no input has one."""
    if targets is None:
        return [None] * len(inputs)
    if targets.is_file() and len(inputs) == 1:
        return [targets]
    if not targets.is_dir():
        raise UserError(
            f"--targets must be a folder of true results by the names of the inputs, but {targets} is none: correct it."
        )
    found = list(_named_as(inputs, root, targets, "target").values())
    if not any(found):
        raise UserError(
            f"{targets} has no picture by the name of any input, such as {inputs[0].stem}: name true results as inputs."
        )
    return found


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


def _by_name(inputs: list[Path], root: Path, folder: Path, what: str) -> list[Path]:
    """The picture in the folder that has each input's name. Raises UserError where one has none."""
    found = _named_as(inputs, root, folder, what)
    if absent := [own.name for own, other in found.items() if other is None]:
        raise UserError(f"{len(absent)} of {len(inputs)} pictures have no {what} in {folder} ({listed(absent, 3)}): add them.")
    return [other for other in found.values() if other is not None]


def _named_as(inputs: list[Path], root: Path, folder: Path, what: str) -> dict[Path, Path | None]:
    """For each input the picture of its name in the folder. Raises UserError where there might be several."""
    base = root if root.is_dir() else root.parent
    ours = {own.relative_to(base).as_posix(): own for own in inputs}
    theirs = {own.relative_to(folder).as_posix(): own for own in inputs_in(folder)}
    found = partners(list(ours), list(theirs))
    found.refuse_unclear(("the input", f"the {what}s {folder}"))
    partner_of = dict(found.pairs)
    return {own: theirs[partner_of[name]] if name in partner_of else None for name, own in ours.items()}


def translate_file(
    model: Model, given: Path, made: Path, partner: Path | None = None, mask: Path | None = None, **how: Any
) -> list[str]:
    """Writes what the model makes of one file, or of it and its partner; a mask holds for all frames of what moves.

    Returns what of the file is not kept, as the ends of sentences about it ("its subtitles are left out"). Raises UserError for a file
    that cannot be read, for videos without ffmpeg, and for videos and animations with a partner.
    """
    made.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        if mask is not None:
            how["mask"] = opened.enter_context(read(mask))
        if given.suffix.lower() in VIDEOS:
            _alone(given, partner)
            return _translate_video(model, given, made, **how)
        picture = opened.enter_context(read(given))
        if isinstance(picture, Image.Image) and moves(given):
            _alone(given, partner)
            return _translate_animation(model, picture, given, made, **how)
        second = opened.enter_context(read(partner)) if partner is not None else None
        found = translate_picture(model, picture, name=given.name, partner=second, **how)
        write(found, made)
        return [*unread(given), *dropped(model, picture, found, how.get("makes", "b"))]


def _alone(given: Path, partner: Path | None) -> None:
    if partner is not None:
        raise UserError(f"a fusion takes pictures, but {given.name} moves: give its frames.")


def _translate_animation(model: Model, image: Image.Image, given: Path, made: Path, **how: Any) -> list[str]:
    """Frame by frame; how long each is shown, and how often all are, is kept."""
    animation = Animation.of(image, given)
    frames = [_frame(translate_picture(model, frame, name=given.name, **how), given) for frame in animation.frames]
    animation.write(frames, made)
    return [*unread(given), *dropped(model, animation.frames[0], frames[0], how.get("makes", "b"))]


def _translate_video(model: Model, given: Path, made: Path, **how: Any) -> list[str]:
    """Frame by frame; sound, subtitles and the times of frames are kept."""
    film = Film.open(given)
    with whole(made) as part, VideoWriter(part, rate=film.rate, like=film, called=made) as writer:
        for frame, time in film.frames():
            writer.write(_frame(translate_picture(model, frame, name=f"a frame of {given.name}", **how), given), time)
    return [*film.remarks, *writer.remarks]


def _frame(made: Any, given: Path) -> Image.Image:
    if not isinstance(made, Image.Image) or made.mode.startswith(("I", "F")):
        raise UserError(
            f"this model makes numbers of more than 8 bits, which {given.suffix} does not hold: give single pictures."
        )
    return made
