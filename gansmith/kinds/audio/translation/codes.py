"""Codes of sounds in files: written from recordings, and made sound again by the model that they belong to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from gansmith.data.readers.rows import array_names, load_small
from gansmith.errors import UserError
from gansmith.kinds.audio.sound import Sound
from gansmith.kinds.audio.spec import AudioSpec

if TYPE_CHECKING:
    from gansmith.model import Model

SUFFIX = ".npz"
PART, SHARED = 20.0, 0.5
"""Seconds that are decoded at once, and over which neighbouring parts fade into each other."""


@runtime_checkable
class Coding(Protocol):
    """A GAN that turns waves into codes and codes into waves."""

    bits_per_second: float
    books: tuple[int, int]
    """(codebooks, codes of each)."""

    def codes(self, wave: Float[Tensor, "batch samples"]) -> Int[Tensor, "batch codebooks frames"]: ...
    def from_codes(self, codes: Int[Tensor, "batch codebooks frames"]) -> Float[Tensor, "batch samples"]: ...


@dataclass(frozen=True)
class Coded:
    """A sound as codes."""

    codes: Int[np.ndarray, "codebooks frames"]
    samples: int
    """How long the sound is."""


def coding(model: Model) -> Coding:
    """The model's GAN. Raises UserError where it makes no codes."""
    if not isinstance(model.gan, Coding):
        raise UserError(f"codes are made by models of codec, and this one is of {model.gan.name}: give a sound file for --out.")
    return model.gan


@torch.inference_mode()
def coded(model: Model, wave: Float[np.ndarray, " samples"]) -> Coded:
    """The codes of a wave at the model's rate."""
    gan, spec = coding(model), model.codec.spec
    least = max(2 * spec.n_fft, spec.hop)
    padded = np.pad(wave.astype(np.float32), (0, max(-len(wave) % spec.hop, least - len(wave))))
    found = gan.codes(torch.from_numpy(padded)[None].to(model.gan.device))[0].cpu().numpy()
    return Coded(found.astype(np.uint8 if gan.books[1] <= 256 else np.uint16), len(wave))


@torch.inference_mode()
def sounding(model: Model, given: Coded) -> Sound:
    """The wave of codes; long ones are made in parts that fade into each other."""
    gan, spec = coding(model), model.codec.spec
    part, shared = (round(seconds * spec.rate / spec.hop) for seconds in (PART, SHARED))
    made, start = np.zeros(given.codes.shape[1] * spec.hop, np.float32), 0
    while True:
        piece = torch.from_numpy(given.codes[:, start : start + part + shared].astype(np.int64))[None]
        own = gan.from_codes(piece.to(model.gan.device))[0].float().cpu().numpy()
        first, overlap = start * spec.hop, min(shared * spec.hop, len(own)) if start else 0
        fade = np.linspace(0, 1, overlap, dtype=np.float32)
        made[first : first + overlap] = made[first : first + overlap] * (1 - fade) + own[:overlap] * fade
        made[first + overlap : first + len(own)] = own[overlap:]
        if start + part + shared >= given.codes.shape[1]:
            return Sound(made[: given.samples], spec.rate)
        start += part


def book_of(model: Model) -> str:
    """What tells the codebooks of one model from those of another."""
    found = hashlib.sha256()
    for name, values in sorted(model.gan.players["generator"].averaged.state_dict().items()):
        if name.endswith(".codes"):
            found.update(values.cpu().numpy().tobytes())
    return found.hexdigest()[:16]


def write_codes(model: Model, found: Coded, path: Path) -> None:
    """codes [codebooks, frames], how many samples and at which rate they are, and what tells the codebooks from others."""
    facts = {"samples": found.samples, "rate": model.codec.spec.rate, "codebook": np.array(book_of(model))}
    with path.open("wb") as file:
        np.savez(file, codes=found.codes, **facts)


def read_codes(model: Model, path: Path) -> Coded:
    """Raises UserError for a file that holds no codes of this model."""
    gan, spec = coding(model), model.codec.spec
    assert isinstance(spec, AudioSpec)
    try:
        arrays = {name: load_small(path, name) for name in array_names(path)}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise UserError(
            f"{path} cannot be read as arrays ({error}): write it again with gansmith translate RUN IN.wav."
        ) from error
    found, samples = arrays.get("codes"), arrays.get("samples")
    if found is None or samples is None or samples.size != 1 or found.ndim != 2 or found.dtype.kind not in "ui":
        raise UserError(f"{path} holds no codes [codebooks, frames] with samples beside them: write it with gansmith translate.")
    count, most = gan.books
    if str(arrays.get("codebook", "")) != book_of(model) or len(found) != count or (found.size and found.max() >= most):
        raise UserError(f"the codes in {path} are those of another model: give the run that made them.")
    frames = found.shape[1]
    if not 1 <= int(samples) <= frames * spec.hop:
        raise UserError(f"{path} says that it holds {int(samples)} samples, but its {frames} frames are {frames * spec.hop}.")
    return Coded(found, int(samples))
