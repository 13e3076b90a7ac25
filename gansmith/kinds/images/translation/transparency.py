"""Transparency around a network that knows none: taken off before, put on again after."""

import numpy as np
from PIL import Image

from gansmith.kinds.images.channels_file import Opened, Stack

_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_WHITE = {"uint8": 255, "uint16": 65535}


def is_transparent(picture: Opened) -> bool:
    """Whether it says of its pixels how opaque they are."""
    if isinstance(picture, Stack):
        return "alpha" in picture.info
    return picture.mode in _ALPHA or picture.has_transparency_data


def split(picture: Opened, channels: int) -> tuple[Opened, Image.Image | None]:
    """A picture without its transparency, and that alone (L, or F from 0 to 1), None where there is none or where the network of so many
    channels takes it.

    Pixels that cannot be seen get the colour of the nearest one that can, so that no network carries theirs, often black, over the edge.
    """
    if channels == 4 or not is_transparent(picture):
        return picture, None
    if isinstance(picture, Stack):
        if len(picture.values) != channels + 1:
            return picture, None
        *_, alpha = picture.values.astype(np.float32) / _WHITE.get(picture.values.dtype.name, 1)
        colours = picture.values[:-1]
        if picture.info["alpha"] == "premultiplied":
            limit = _WHITE.get(colours.dtype.name, np.inf)
            colours = np.divide(colours, alpha, out=np.zeros(colours.shape, np.float64), where=alpha > 0)
            colours = colours.clip(0, limit).astype(picture.values.dtype)
        info = {name: fact for name, fact in picture.info.items() if name != "alpha"}
        return Stack(_spread(colours, alpha > 0), info=info), Image.fromarray(alpha)
    whole = picture.convert("RGBA")
    pixels, alpha = np.asarray(whole), whole.getchannel("A")
    colours = _spread(pixels[..., :3].transpose(2, 0, 1), pixels[..., 3] > 0)
    plain = Image.fromarray(np.ascontiguousarray(colours.transpose(1, 2, 0)))
    plain.info = {name: fact for name, fact in picture.info.items() if name != "transparency"}
    return plain, alpha


def joined(made: Opened, alpha: Image.Image) -> Opened:
    """What was made, with the transparency of what it was made from, resized; without it where such a picture cannot hold any."""
    grown = alpha.resize(made.size, Image.Resampling.BICUBIC)
    if isinstance(made, Image.Image):
        if made.mode in ("L", "RGB"):
            made.putalpha(grown if grown.mode == "L" else grown.point(lambda share: share * 255 + 0.5).convert("L"))
        return made
    if len(made.values) != 3 or made.values.dtype.name not in ("uint8", "uint16", "float32"):
        return made
    white = _WHITE.get(made.values.dtype.name, 1)
    share = np.asarray(grown, np.float64) / (255 if grown.mode == "L" else 1)
    plane = (share.clip(0, 1) * white).round(0 if white > 1 else 7).astype(made.values.dtype)
    return Stack(np.concatenate([made.values, plane[None]]), info={**made.info, "alpha": "straight"})


def _spread(colours: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """[C, H, W] with the colour of the nearest visible pixel [H, W] where there is nothing to see."""
    if visible.all() or not visible.any():
        return colours
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(~visible, return_distances=False, return_indices=True)  # pyright: ignore[reportGeneralTypeIssues]
    return colours[:, rows, columns]
