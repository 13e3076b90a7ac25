"""Reading what is translated and writing what comes of it: pictures, and the numbers that no picture holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gansmith.data.outputs import whole
from gansmith.data.readers.films import SUFFIXES as VIDEOS
from gansmith.errors import UserError
from gansmith.kinds.images.channels_file import MODES, Opened, Stack, as_image, is_reduced, open_npy_picture, open_picture
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.readers.folders import ARRAY_SUFFIX, IMAGE_SUFFIXES
from gansmith.kinds.images.translation.animations import frames_of, moves, of_header, quiet

TIFF = (".tif", ".tiff")
KINDS = (*sorted(IMAGE_SUFFIXES), *VIDEOS, ARRAY_SUFFIX)
"""Suffixes of what can be translated."""


def read(path: Path) -> Opened:
    """A picture with all that its file holds. Raises UserError for a file that cannot be read as one."""
    opened = None
    try:
        with quiet():
            opened = (open_npy_picture if path.suffix.lower() == ARRAY_SUFFIX else open_picture)(path)
            if isinstance(opened, Image.Image):
                opened.load()
    except Exception as error:  # a dozen kinds for damaged files
        if isinstance(opened, Image.Image):
            opened.close()
        if isinstance(error, UserError) or (isinstance(error, OSError) and error.errno is not None):
            raise  # a sentence already, or the disk's fault, not the picture's
        raise UserError(f"{path} cannot be read as a picture ({error}): repair it, or leave it out.") from error
    return opened


def write(made: Opened, path: Path) -> None:
    """The picture in the format of the suffix, with its colour profile and resolution."""
    with whole(path) as part:
        if isinstance(made, Image.Image):
            made.save(part, **{name: made.info[name] for name in ("icc_profile", "dpi") if name in made.info})
        elif path.suffix == ARRAY_SUFFIX:
            np.save(part, made.values)
        else:
            _write_tiff(made, part)


def suffix_for(given: Path, made: ImageCodec) -> str:
    """That of what is made of a file: the kinds of files that move stay, other pictures become PNG; numbers that PNG does not hold become
    TIFF where the file is one or where they are gray, else .npy."""
    suffix = given.suffix.lower()
    if suffix in VIDEOS or moves(given):
        return suffix
    channels, levels = made.spec.shape[0], made.levels
    if channels in MODES and not levels.deep:
        return ".tif" if suffix in TIFF and channels == 3 and _has_deep_colours(given) else ".png"
    if channels == 1:
        return ".png" if levels.dtype == "uint16" else ".tif"
    return ".tif" if suffix in TIFF else ARRAY_SUFFIX


def unread(path: Path) -> list[str]:
    """What `read` leaves out of a picture, as the ends of sentences about it; reads the header alone."""
    pages = of_header(path, frames_of, 1)
    reduced = of_header(path, lambda image: image.format != "TIFF" and is_reduced(image), False)
    return [
        *([f"its first page is read, of {pages}"] if pages > 1 and not moves(path) else []),
        *(["its colours of 16 bits are read as 8, which TIFF and .npy files keep"] if reduced else []),
    ]


def shown(opened: Opened) -> Image.Image:
    """Any picture in the bytes of a screen, upright or not; numbers of more than 8 bits from their smallest to their largest."""
    if isinstance(opened, Image.Image) and not opened.mode.startswith(("I", "F")):
        return opened if opened.mode in ("L", "LA", "RGB", "RGBA") else opened.convert("RGBA")
    values = opened.values if isinstance(opened, Stack) else np.asarray(opened)[None]
    if values.dtype == np.uint8:
        return as_image(values)
    low, high = float(values.min()), float(values.max())
    return as_image(np.rint((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8))


def _has_deep_colours(path: Path) -> bool:
    """Whether a TIFF file holds colours of more than 8 bits, as those do that Pillow does not know."""
    return of_header(path, is_reduced, True)


def _write_tiff(made: Stack, path: Path) -> None:
    """Only where the file that was read is a TIFF too, and so tifffile is there."""
    import tifffile  # pyright: ignore[reportMissingImports], an extra

    how: dict[str, Any] = {"iccprofile": made.info.get("icc_profile")}
    if "dpi" in made.info:
        how |= {"resolution": made.info["dpi"], "resolutionunit": "INCH"}
    if len(made.values) in (3, 4):
        extra = ["unassalpha"] if "alpha" in made.info else None
        tifffile.imwrite(path, made.values.transpose(1, 2, 0), photometric="rgb", extrasamples=extra, **how)
    else:
        tifffile.imwrite(path, made.values, photometric="minisblack", planarconfig="separate", **how)
