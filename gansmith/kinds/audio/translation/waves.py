"""Recordings of any length and rate through a model that makes waves of waves or of mel spectra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float

from gansmith.data.readers.files import Unreadable, read_whole
from gansmith.data.readers.rows import open_npy
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.audio.cleaning import mono, resampled
from gansmith.kinds.audio.readers.files import decoded
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import log_mel
from gansmith.kinds.audio.translation.streaming import Stream, check_translates, context_of

if TYPE_CHECKING:
    from gansmith.model import Model

PART, SHARED = 20.0, 0.5
"""Seconds that are translated at once, and over which neighbouring parts fade into each other."""


def voice_of(model: Model, makes: str | None) -> int | None:
    """The number of the voice to make. Raises UserError where the model does not know it, or needs one."""
    voices = model.codec.spec.classes
    if makes is None and voices:
        raise UserError(f"this model makes several voices: say with --makes which, {listed(voices, 20)}.")
    if makes is not None and makes not in voices:
        known = (
            f"of {listed(voices, 20)}, but it is {makes}{did_you_mean(makes, voices)}" if voices else "of no model like this one"
        )
        raise UserError(f"--makes must be a voice {known}.")
    return None if makes is None else voices.index(makes)


def opened(path: Path, spec: AudioSpec) -> Float[np.ndarray, " samples"] | Float[np.ndarray, "bands frames"]:
    """A recording at the model's rate, or the mel spectrum of a .npy file. Raises UserError for what is neither."""
    if path.suffix.lower() == ".npy":
        return _spectrum(path, spec)
    try:
        rate, wave = decoded(read_whole(path, "array_bytes"), path.name)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read ({error}): give a sound file.") from error
    return resampled(mono(wave), rate, spec.rate)


def _spectrum(path: Path, spec: AudioSpec) -> np.ndarray:
    if spec.source is None or spec.source.key != "mel":
        raise UserError(f"{path} is an array, but this model makes sounds of sounds: give a sound file.")
    try:
        found = np.asarray(open_npy(path))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as an array ({error}): write it with numpy.save.") from error
    if found.ndim != 2 or found.shape[0] != spec.bands or found.dtype.kind != "f" or not np.isfinite(found).all():
        raise UserError(
            f"{path} must be a mel spectrum of {spec.bands} bands, [{spec.bands}, frames] natural logarithms of magnitudes "
            f"({spec.rate} Hz, windows of {spec.n_fft}, hops of {spec.hop}, Slaney's scale), but it is {found.dtype} {list(found.shape)}."
        )
    return found.astype(np.float32)


@torch.inference_mode()
def translate_sound(model: Model, given: np.ndarray, voice: int | None = None) -> Sound:
    """What the model makes of a wave at its rate, as long as that, or of a mel spectrum; `voice` is the number of the voice to make.

    Long ones are made in parts: of networks that look only so far, what the whole would be, of others, parts that fade into each other.
    """
    spec = check_translates(model)
    assert isinstance(spec.source, AudioSpec)
    network = model.gan.players["generator"].averaged
    device = model.gan.device
    if given.ndim == 2:
        made = network(torch.from_numpy(given)[None].to(device))[0].float().cpu().numpy()
        return Sound(made, spec.rate)
    if context_of(network, spec) is not None:
        stream, step = Stream(model), round(PART * spec.rate)
        pushed = [stream.push(given[start : start + step]) for start in range(0, len(given), step)]
        return Sound(np.concatenate([*pushed, stream.end()]), spec.rate)
    length, unit = len(given), max(spec.hop, getattr(network, "multiple", 1))
    least = -(-2 * spec.n_fft // unit) * unit
    said = () if voice is None else (torch.tensor([voice], device=device),)
    wave = np.pad(given.astype(np.float32), (0, max(-length % unit, least - length)))
    part, shared = int(PART * spec.rate) // unit * unit, int(SHARED * spec.rate) // unit * unit
    made, start = np.zeros(len(wave), np.float32), 0
    while True:
        piece = wave[start : start + part + shared]
        if len(piece) < least:  # too short by itself
            piece, start = wave[-least:], len(wave) - least
        tensor = torch.from_numpy(piece)[None].to(device)
        x = log_mel(tensor, spec.mel) if spec.source.key == "mel" else tensor
        own = network(x, *said)[0].float().cpu().numpy()[: len(piece)]
        overlap = min(shared, len(own)) if start else 0
        fade = np.linspace(0, 1, overlap, dtype=np.float32)
        made[start : start + overlap] = made[start : start + overlap] * (1 - fade) + own[:overlap] * fade
        made[start + overlap : start + len(own)] = own[overlap:]
        if start + len(piece) >= len(wave):
            return Sound(made[:length], spec.rate)
        start += part
