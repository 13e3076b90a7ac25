"""When each phoneme is spoken: hidden Markov models, one a phoneme, learned from a flat start.

Every phoneme is a Gaussian of cepstra that it stays in for some frames. All begin with the recordings cut into equal parts; then the best
path is found and the Gaussians are taken anew, in turn (Viterbi training; Juang & Rabiner 1990, the segmental k-means algorithm). The
search runs over all recordings and all their phonemes at once, frame by frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from gansmith.errors import UserError

CEPSTRA, ROUNDS = 13, 12
STATES = 2
"""Parts of a phoneme, each with a Gaussian of its own; pauses have one."""
LEAST_VARIANCE = 0.05
"""Of the variance over all frames."""
NEVER = -1e9


@dataclass(frozen=True)
class Voice:
    """The Gaussians: means and variances [states, features]; those of phoneme p are at STATES * p and behind."""

    mean: Float[np.ndarray, "states features"]
    variance: Float[np.ndarray, "states features"]

    def likelihoods(self, frames: Float[np.ndarray, "frames features"]) -> Float[np.ndarray, "frames states"]:
        """Logarithmic densities."""
        precision = 1 / self.variance
        constant = -0.5 * (np.log(2 * np.pi * self.variance).sum(1) + (self.mean**2 * precision).sum(1))
        return constant + frames @ (self.mean * precision).T - 0.5 * frames**2 @ precision.T


def cepstra(log_mel: Float[np.ndarray, "bands frames"]) -> Float[np.ndarray, "frames features"]:
    """Mel cepstra and their slopes over five frames."""
    from scipy.fft import dct

    found = np.asarray(dct(np.asarray(log_mel, np.float64), axis=0, norm="ortho"))[:CEPSTRA].T
    padded = np.pad(found, ((2, 2), (0, 0)), mode="edge")
    slope = (padded[3:-1] - padded[1:-3] + 2 * (padded[4:] - padded[:-4])) / 10
    return np.concatenate([found, slope], 1)


def aligned(
    spectra: Sequence[Float[np.ndarray, "bands _"]],
    phonemes: Sequence[Int[np.ndarray, " _"]],
    pauses: frozenset[int],
    *,
    rounds: int = ROUNDS,
) -> list[Int[np.ndarray, " _"]]:
    """How many frames each phoneme lasts, for every recording: at least one, but a pause may last none.

    `spectra` are logarithmic mel spectra, `phonemes` numbers from 0. Raises UserError for a recording with fewer frames than phonemes.
    """
    features = [cepstra(own) for own in spectra]
    every = np.concatenate(features)
    floor = LEAST_VARIANCE * every.var(0) + 1e-6
    count = STATES * (1 + max(int(own.max()) for own in phonemes))
    paths = [_states(own, pauses) for own in phonemes]
    for place, (own, frames) in enumerate(zip(paths, features, strict=True)):
        needed = len(set(own[1][~own[2]].tolist()))
        if len(frames) < needed:
            raise UserError(
                f"recording {place} has {len(frames)} frames, but {needed} phonemes in its transcript: check its text."
            )
    flat = [_equal_parts(own, len(frames)) for own, frames in zip(paths, features, strict=True)]
    held = np.concatenate([own[0][at] for own, at in zip(paths, flat, strict=True)])
    for _ in range(rounds):
        voice = _learned(every, held, count, floor)
        scores = voice.likelihoods(every)
        found = _best_paths(scores, [len(own) for own in features], paths)
        held = np.concatenate([own[0][at] for own, at in zip(paths, found, strict=True)])
        flat = found
    return [np.bincount(own[1][at], minlength=len(numbers)) for own, at, numbers in zip(paths, flat, phonemes, strict=True)]


def _states(phonemes: np.ndarray, pauses: frozenset[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(Gaussian, position of its phoneme, whether it may be left out) of every state of a sentence, in order.

    Of a phoneme with several states, all but the first may be left out.
    """
    rows = []
    for place, own in enumerate(phonemes.tolist()):
        for part in range(1 if own in pauses else STATES):
            rows.append((STATES * own + part, place, own in pauses or part > 0))
    gaussians, places, skipped = zip(*rows, strict=True)
    return np.array(gaussians), np.array(places), np.array(skipped)


def _equal_parts(path: tuple[np.ndarray, np.ndarray, np.ndarray], frames: int) -> np.ndarray:
    """The state of each frame where all last equally long."""
    return np.arange(frames) * len(path[0]) // frames


def _learned(frames: np.ndarray, held: np.ndarray, count: int, floor: np.ndarray) -> Voice:
    """The Gaussians of the frames that each state holds; states that hold few lean towards all frames."""
    counts = np.bincount(held, minlength=count)[:, None]
    order = np.zeros((count, frames.shape[1]))
    squares = np.zeros_like(order)
    np.add.at(order, held, frames)
    np.add.at(squares, held, frames**2)
    prior, mean = 2.0, frames.mean(0)
    means = (order + prior * mean) / (counts + prior)
    variance = (squares + prior * (frames.var(0) + mean**2)) / (counts + prior) - means**2
    return Voice(means, np.maximum(variance, floor))


def _best_paths(
    scores: Float[np.ndarray, "frames states"],
    lengths: Sequence[int],
    paths: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> list[np.ndarray]:
    """The state of each frame on the best path of every recording: from its first state to its last, over none that must be there."""
    order = np.argsort(lengths)[::-1]  # so that those that go on are the first rows
    most = max(len(own[0]) for own in paths)
    edges = np.cumsum([0, *lengths])
    gaussian = np.zeros((len(paths), most), np.int64)
    jump = np.zeros((len(paths), most), bool)  # whether the state before may be left out
    begins = np.full((len(paths), most), NEVER)
    last, beyond = np.zeros(len(paths), np.int64), np.zeros((len(paths), most), bool)
    for row, place in enumerate(order):
        own, _, skipped = paths[place]
        gaussian[row, : len(own)] = own
        beyond[row, len(own) :] = True
        jump[row, 1 : len(own)] = skipped[: len(own) - 1]
        first = int(np.argmin(skipped)) if not skipped.all() else 0
        begins[row, : first + 1] = 0
        last[row] = len(own) - 1
    best = np.full((len(paths), most), NEVER)
    steps = np.zeros((int(max(lengths)), len(paths), most), np.int8)
    going = np.array([lengths[place] for place in order])
    far = NEVER * np.ones((len(paths), 3))
    for frame in range(int(going[0])):
        rows = int((going > frame).sum())
        said = scores[edges[order[:rows]][:, None] + frame, gaussian[:rows]]
        if frame == 0:
            best = np.where(beyond, NEVER, begins + said)
            continue
        here = best[:rows]
        padded = np.concatenate([far[:rows], here], 1)
        one = padded[:, 2:-1]
        two = np.where(jump[:rows], padded[:, 1:-2], NEVER)
        three = np.where(jump[:rows] & np.pad(jump[:rows, :-1], ((0, 0), (1, 0))), padded[:, :-3], NEVER)
        chosen = np.stack([here, one, two, three])
        step = chosen.argmax(0)
        steps[frame, :rows] = step
        best[:rows] = np.where(beyond[:rows], NEVER, np.take_along_axis(chosen, step[None], 0)[0] + said)
    found: list[np.ndarray] = [np.zeros(0, np.int64)] * len(paths)
    for row, place in enumerate(order):
        own, _, skipped = paths[place]
        ends = [last[row]]
        while skipped[ends[-1]] and ends[-1] > 0:
            ends.append(ends[-1] - 1)
        at = max(ends, key=lambda end: best[row, end])
        states = np.empty(lengths[place], np.int64)
        for frame in range(lengths[place] - 1, -1, -1):
            states[frame] = at
            at -= int(steps[frame, row, at])
        found[place] = states
    return found


def spectra_of(waves: Sequence[np.ndarray], mel, rate: int) -> list[Float[np.ndarray, "bands _"]]:
    """Logarithmic mel spectra of int16 waves, a frame for every begun hop."""
    from gansmith.kinds.audio.transforms import log_mel

    found = []
    for wave in waves:
        length = max(-(-len(wave) // mel.hop) * mel.hop, mel.n_fft)
        own = torch.from_numpy(np.pad(wave, (0, length - len(wave))).astype(np.float32) / 32768)
        found.append(log_mel(own[None], mel)[0, :, : -(-len(wave) // mel.hop)].numpy())
    return found
