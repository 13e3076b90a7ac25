"""A tidy grid of pictures."""

from collections.abc import Collection, Sequence
from math import ceil, isqrt

from PIL import Image, ImageDraw

_SMALLEST_CELL = 56
_GAP = 4
_PAPER = (128, 128, 128)
"""Between the pictures: neither the paper of a light page nor that of a dark one."""
_FRAME = (232, 120, 32)
_CHECKS = ((255, 255, 255), (222, 222, 222))


def mosaic(
    images: Sequence[Image.Image], columns: int | None = None, widest: int = 0, framed: Collection[int] = ()
) -> Image.Image:
    """The images in reading order, in so many columns or close to a square; small ones enlarged so that every pixel stays sharp.

    Cells become at least `widest` pixels wide; those at the places `framed` get a frame.
    Transparent pictures lie on a chequered ground. A count such as 32 that fills a rectangle (8 x 4) is laid out as one.
    """
    columns = columns or _columns(len(images))
    rows = ceil(len(images) / columns)
    width, height = max(image.width for image in images), max(image.height for image in images)
    factor = max(1, ceil(_SMALLEST_CELL / max(width, height)), ceil(widest / width))
    width, height = width * factor, height * factor
    sheet = Image.new("RGB", (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP), _PAPER)
    for place, image in enumerate(images):
        picture = opaque(image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST))
        left, top = _GAP + place % columns * (width + _GAP), _GAP + place // columns * (height + _GAP)
        if place in framed:
            edge = (left - _GAP + 1, top - _GAP + 1, left + width + _GAP - 2, top + height + _GAP - 2)
            ImageDraw.Draw(sheet).rectangle(edge, outline=_FRAME, width=_GAP - 1)
        sheet.paste(picture, (left + (width - picture.width) // 2, top + (height - picture.height) // 2))
    return sheet


def _columns(count: int) -> int:
    root = isqrt(count - 1) + 1
    return next((columns for columns in range(root, 2 * root) if count % columns == 0), root)


def opaque(image: Image.Image) -> Image.Image:
    """The image in RGB, transparency on a chequered ground."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, _CHECKS[0])
    draw, side = ImageDraw.Draw(ground), max(4, min(image.size) // 8)
    for top in range(0, image.height, side):
        for left in range(top // side % 2 * side, image.width, 2 * side):
            draw.rectangle((left, top, left + side - 1, top + side - 1), fill=_CHECKS[1])
    ground.paste(image, mask=image.getchannel("A"))
    return ground
