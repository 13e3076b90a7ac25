"""Sounds drawn: the wave over its mel spectrum, which goes from black by red to white as it grows louder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw

from gansmith.data.lettering import drawable, font_for
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.transforms import Mel, log_mel

WIDTH, WAVE, SPECTRUM, GAP, NAME = 200, 36, 96, 10, 13
"""Pixels: of a drawn sound, of its wave and spectrum, between sounds, of the line with its class."""
COLUMNS = 4
LOUDEST, RANGE = 0.7, 9.0
"""The logarithmic magnitude that is drawn white, and how far below it (78 dB) all is black."""
COLOURS = np.array([(0, 0, 4), (60, 15, 112), (150, 44, 128), (226, 82, 100), (252, 160, 110), (252, 253, 191)], float)
SIZE = 11
INK, PALE = (31, 93, 184), (118, 118, 118)


def sheet(sounds: Sequence[Sound]) -> Image.Image:
    """A grid of sounds, COLUMNS beside each other."""
    columns = min(COLUMNS, max(1, len(sounds)))
    named = any(title(sound) for sound in sounds)
    height = WAVE + SPECTRUM + (NAME if named else 0)
    rows = -(-len(sounds) // columns)
    picture = Image.new("RGB", (columns * (WIDTH + GAP) + GAP, max(1, rows) * (height + GAP) + GAP), "white")
    pen = ImageDraw.Draw(picture)
    for place, sound in enumerate(sounds):
        left, top = GAP + place % columns * (WIDTH + GAP), GAP + place // columns * (height + GAP)
        if named:
            name = drawable(title(sound)[:34], SIZE)
            pen.text((left, top - 1), name, PALE, font_for(name, SIZE))
            top += NAME
        _draw_wave(pen, sound.wave, left, top)
        picture.paste(spectrum(sound), (left, top + WAVE))
    return picture


def title(sound: Sound) -> str:
    """Its class, or its attributes: those that are columns of words in one word."""
    if sound.label is not None:
        return sound.label
    if not sound.attributes:
        return ""
    words = [name.partition("=")[2] for name, value in sound.attributes.items() if "=" in name and value > 0.5]
    return " ".join([*words, *(f"{name} {value:g}" for name, value in sound.attributes.items() if "=" not in name)])


def spectrum(sound: Sound, width: int = WIDTH, height: int = SPECTRUM) -> Image.Image:
    """The mel spectrum, low notes at the bottom."""
    mel = Mel.usual(sound.rate)
    wave = torch.from_numpy(np.pad(sound.wave.astype(np.float32), (0, max(0, mel.n_fft - len(sound.wave)))))
    return picture_of(log_mel(wave[None], mel)[0].numpy(), width, height)


def picture_of(bands: Float[np.ndarray, "bands frames"], width: int = WIDTH, height: int = SPECTRUM) -> Image.Image:
    """A logarithmic mel spectrum, low notes at the bottom."""
    share = np.clip((bands[::-1] - LOUDEST) / RANGE + 1, 0, 1)
    at = share * (len(COLOURS) - 1)
    low = np.minimum(at.astype(int), len(COLOURS) - 2)
    pixels = COLOURS[low] + (at - low)[..., None] * (COLOURS[low + 1] - COLOURS[low])
    return Image.fromarray(pixels.round().astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)


def _draw_wave(pen: ImageDraw.ImageDraw, wave: np.ndarray, left: int, top: int) -> None:
    """The lowest and highest sample of each column of pixels."""
    edges = np.linspace(0, len(wave), WIDTH + 1).astype(int)
    middle, half = top + WAVE // 2, WAVE // 2 - 2
    for column, (first, end) in enumerate(zip(edges, edges[1:], strict=False)):
        part = wave[first : max(end, first + 1)]
        low, high = (float(part.min()), float(part.max())) if len(part) else (0.0, 0.0)
        pen.line((left + column, middle - half * min(high, 1), left + column, middle - half * max(low, -1)), INK)
