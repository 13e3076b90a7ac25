"""Pairs of images."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from gansmith.data.paired import Pair, PairedCodec
from gansmith.kinds.images.mosaic import mosaic


@dataclass(frozen=True)
class ImagePairs(PairedCodec):
    """Both sides as uint8 [C, H, W] when packed and float32 in [-1, 1] when unpacked, under "a" and "b"."""

    def preview(self, raws: Sequence[Pair]) -> Image.Image:
        """Strips of source, made and, if known, real."""
        return mosaic([_strip(raw) for raw in raws])


def _strip(raw: Pair) -> Image.Image:
    """The sides next to each other, the source enlarged where it is smaller."""
    made = raw.b.image
    sides = [raw.a.image.resize(made.size, Image.Resampling.NEAREST), made, *([raw.target.image] if raw.target else [])]
    alpha = any(side.mode == "RGBA" for side in sides)
    strip = Image.new("RGBA" if alpha else "RGB", (sum(side.width for side in sides), made.height))
    for place, side in enumerate(sides):
        strip.paste(side.convert(strip.mode), (place * made.width, 0))
    return strip
