"""Sound files: wav by SciPy, everything else by soundfile, the extra "audio"."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from gansmith.data.readers.files import Unreadable
from gansmith.errors import UserError, missing_extra
from gansmith.kinds.audio.cleaning import as_int16
from gansmith.kinds.audio.sound import Sound

WAV = (".wav", ".wave")
OTHERS = (".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64")
SUFFIXES = (*WAV, *OTHERS)
"""Files that are read."""
FOREIGN = (".m4a", ".aac", ".mp4a", ".wma", ".dsf", ".dff", ".amr", ".ape", ".ac3", ".g722", ".wv", ".mka")
"""Sound files that no reader here knows."""
LONGEST = 4 * 3600
"""Seconds of one recording that are decoded at once."""
MOST_CHANNELS = 64
FASTEST = 768_000
"""Samples in a second that any recorder takes."""
MARK = "made by a generative model (gansmith)"
"""The comment in the files of generated sounds."""


_DAMAGE = (ArithmeticError, EOFError, LookupError, MemoryError, NameError, struct.error, TypeError, ValueError)
"""What SciPy raises on damaged and unusual files."""


def decoded(content: bytes, name: str) -> tuple[int, Float[np.ndarray, "samples channels"]]:
    """(rate, wave in [-1, 1]) of a sound file. Raises Unreadable, and UserError where soundfile is missing."""
    if not content:
        raise Unreadable("it is empty")
    if name.lower().endswith(FOREIGN):
        raise Unreadable("its format is not read: convert it, e.g. ffmpeg -i IN OUT.flac")
    is_wav = content[:4] == b"RIFF" and content[8:12] == b"WAVE"
    if is_wav and (seconds := _seconds(content)) > LONGEST:  # before it is unpacked into four times the memory
        raise Unreadable(f"it lasts {seconds / 3600:.1f} hours: cut it into parts of at most {LONGEST // 3600}")
    rate, wave = (_wav(content) if is_wav else None) or _other(content, name)
    if wave.ndim == 1:
        wave = wave[:, None]
    if not 1 <= rate <= FASTEST:
        raise Unreadable(f"its rate is {rate} Hz")
    if wave.shape[1] > MOST_CHANNELS:
        raise Unreadable(f"it has {wave.shape[1]} channels")
    if len(wave) < 2:
        raise Unreadable("it has no samples" if not len(wave) else "it has a single sample")
    if not np.isfinite(wave).all():
        raise Unreadable("it holds NaN or infinite samples")
    if len(wave) > LONGEST * rate:
        raise Unreadable(f"it lasts {len(wave) / rate / 3600:.1f} hours: cut it into parts of at most {LONGEST // 3600}")
    return rate, wave


def _seconds(content: bytes) -> float:
    """How long a wav file is by its header; 0 where that does not tell."""
    at, per_second = 12, 0
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"fmt " and at + 20 <= len(content):
            per_second = int.from_bytes(content[at + 16 : at + 20], "little")
        if name == b"data":
            return min(size, len(content) - at - 8) / per_second if per_second else 0.0
        at += 8 + size + size % 2
    return 0.0


def _wav(content: bytes) -> tuple[int, np.ndarray] | None:
    """By SciPy; None for codecs that it does not know."""
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # chunks of other programs, and files that are cut off
            rate, wave = wavfile.read(io.BytesIO(content))
    except _DAMAGE:
        return None
    if wave.dtype.kind == "u":
        return rate, ((wave.astype(np.float32) - 128) / 128)
    if wave.dtype.kind == "i":
        return rate, (wave / float(2 ** (8 * wave.dtype.itemsize - 1))).astype(np.float32)
    return rate, wave.astype(np.float32)


def _other(content: bytes, name: str) -> tuple[int, np.ndarray]:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise missing_extra("soundfile", "audio", f"reading {Path(name).name}") from error
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            if file.frames > LONGEST * file.samplerate:
                raise Unreadable(f"it lasts {file.frames / file.samplerate / 3600:.1f} hours: cut it into parts")
            return file.samplerate, file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError, EOFError) as error:
        why = str(getattr(error, "error_string", error)).strip(" .")
        raise Unreadable(f"it is no sound file, or is damaged ({why})") from error


def wav_bytes(sound: Sound) -> bytes:
    """A wav file of 16 bits whose comment says that a model made it."""
    samples, width = as_int16(sound.wave).astype("<i2").tobytes(), 2
    facts = b"INFO" + _chunk(b"ISFT", b"gansmith\0") + _chunk(b"ICMT", MARK.encode() + b"\0")
    body = b"WAVE" + _chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, sound.rate, sound.rate * width, width, 8 * width))
    body += _chunk(b"LIST", facts) + _chunk(b"data", samples)
    return _chunk(b"RIFF", body)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def written(sound: Sound, path: Path) -> None:
    """Writes one sound as .wav, or by soundfile as .flac. Raises UserError where that is missing."""
    if path.suffix.lower() in WAV:
        path.write_bytes(wav_bytes(sound))
        return
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise missing_extra("soundfile", "audio", f"writing {path.name}") from error
    try:
        with soundfile.SoundFile(path, "w", sound.rate, 1, format="FLAC", subtype="PCM_16") as file:
            file.comment, file.software = MARK, "gansmith"
            file.write(as_int16(sound.wave))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise UserError(f"{path} cannot be written as {path.suffix} at {sound.rate} Hz ({error}): choose .wav.") from error


def joined(sounds: Sequence[Sound], gap: float = 0.25) -> Sound:
    """All sounds one after another with so many seconds of silence between."""
    rate = sounds[0].rate
    silence = np.zeros(round(gap * rate), np.float32)
    parts = [part for sound in sounds for part in (sound.wave, silence)][:-1]
    return Sound(np.concatenate(parts), rate)
