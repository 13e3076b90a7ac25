"""What a good picture may have suffered: pairs made of single pictures, the damaged one given, the good one to be made.

Every degradation is the same for the same picture at every call: its randomness comes from the picture's name.
"""

import io
import re
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError

_MEASURED = {"x": (1, 16), "blur": (0.1, 20), "noise": (1, 200), "jpeg": (1, 95)}
"""Degradations that take a number, with its range: x4, blur2, noise25, jpeg30."""
_PLAIN = ("gray", "holes")
DEGRADATIONS = "x2 (smaller), blur2 (pixels), noise25 (of 255), jpeg30 (quality), gray, holes"

Degrade = Callable[[Image.Image, str], Image.Image]


def parsed(words: str) -> list[tuple[str, float]]:
    """[("x", 4), ("noise", 10)] of "x4,noise10". Raises UserError for a word that says nothing."""
    found = []
    for word in words.split(","):
        match = re.fullmatch(r"\s*([a-z]+?)\s*(\d+(?:\.\d+)?)?\s*", word.lower())
        name, number = (match[1], match[2]) if match else (word, None)
        if name in _PLAIN and number is None:
            found.append((name, 0.0))
            continue
        if name not in _MEASURED or number is None or not _MEASURED[name][0] <= float(number) <= _MEASURED[name][1]:
            near = did_you_mean(name, [*_MEASURED, *_PLAIN])
            raise UserError(f"--degrade takes words of {DEGRADATIONS}, joined by commas, but it is {word!r}{near}.")
        if name == "x" and float(number) != int(float(number)):
            raise UserError(f"--degrade {word} must shrink by a whole number: give x2, x3, x4 or x8.")
        found.append((name, float(number)))
    return found


def is_near(words: str) -> bool:
    """Whether what was lost can be told from near by: size, sharpness, noise and JPEG, but neither colours nor what holes hide. Nothing
    was lost without words."""
    return bool(words) and all(name in _MEASURED for name, _ in parsed(words))


def scale_of(words: str) -> int:
    """How many times smaller the degraded picture is."""
    scale = 1
    for name, number in parsed(words):
        scale *= int(number) if name == "x" else 1
    return scale


def degraded(image: Image.Image, words: str, name: str) -> Image.Image:
    """The picture after the degradations in their order; `name` seeds what is random."""
    image = image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB")
    for kind, number in parsed(words):
        rng = np.random.default_rng(zlib.crc32(f"{name} {kind}".encode()))
        image = _one(image, kind, number, rng)
    return image


def _one(image: Image.Image, kind: str, number: float, rng: np.random.Generator) -> Image.Image:
    if kind == "x":
        size = max(1, image.width // int(number)), max(1, image.height // int(number))
        return image.resize(size, Image.Resampling.BICUBIC)
    if kind == "blur":
        return image.filter(ImageFilter.GaussianBlur(number))
    if kind == "noise":
        pixels = np.asarray(image, np.float32) + rng.normal(0, number, np.asarray(image).shape)
        return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
    if kind == "jpeg":
        content = io.BytesIO()
        image.convert("L" if image.mode == "L" else "RGB").save(content, format="JPEG", quality=int(number))
        return Image.open(content)
    if kind == "gray":
        return image.convert("L")
    return _with_holes(image, rng)


def _with_holes(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """One to three boxes of a quarter to a third of each side, painted middle gray."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(1, 4)):
        width, height = (max(1, int(side * rng.uniform(0.25, 0.34))) for side in image.size)
        left, top = rng.integers(0, image.width - width + 1), rng.integers(0, image.height - height + 1)
        fill = 127 if image.mode == "L" else (127, 127, 127)
        draw.rectangle((int(left), int(top), int(left) + width - 1, int(top) + height - 1), fill=fill)
    return image
