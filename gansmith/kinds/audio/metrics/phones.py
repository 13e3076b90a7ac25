"""Phone error rate: what a small recogniser, learned on the spot from the real recordings, hears of speech that was made of text.

A network names the phoneme of every frame of the training recordings, whose times are known; neighbouring frames of one phoneme are
one. Substituted, left out and added phonemes over those said (Levenshtein 1966), pauses left out. The baseline is real speech of another
sentence, and the ceiling, real speech of the sentence, is the floor of the recogniser.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.cache import content_key
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.speech.front_ends import PAUSES
from gansmith.kinds.audio.transforms import FLOOR, log_mel
from gansmith.metrics.registry import NotApplicableError

METRICS = {"phone_error": ("lower", "phonemes that a recogniser of the real recordings hears wrongly, over those said")}
SAYS = "quality"
BASELINE = "another sentence"
FEWEST = 2
MOST, LESSONS = 60, 300
"""Sentences that are heard, and that the recogniser learns from at most."""
WIDTH, LAYERS, BATCH, STEPS = 128, 3, 8, 150
BRIEF = 2
"""Frames of the briefest phoneme that counts as heard."""


class Recogniser(nn.Module):
    """Mel spectra to logits of phonemes at every frame."""

    def __init__(self, bands: int, symbols: int) -> None:
        super().__init__()
        widths = [bands, *([WIDTH] * LAYERS)]
        self.layers = nn.ModuleList(nn.Conv1d(a, b, 5, padding=2) for a, b in zip(widths, widths[1:], strict=False))
        self.last = nn.Conv1d(WIDTH, symbols + 1, 1)

    def forward(self, mel: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch symbols frames"]:
        x = (mel - float(np.log(FLOOR))) / 4 - 1
        for layer in self.layers:
            x = relu(layer(x))
        return self.last(x)


def measure(side: Side) -> dict[str, Measured]:
    """Every sentence against what is said in it. Raises NotApplicableError for sounds that were not made of text."""
    spec = side.real.train.codec.spec
    if spec.source is None or spec.source.axes != ("phoneme",) or "a.frames" not in side.real.train.arrays:
        raise NotApplicableError("phone_error hears speech that was made of text, and these data hold no text.")
    hears = _learned(side.real.train, side.real.seed)
    data = side.real.held_out if side.name in ("baseline", "held-out") else side.data
    if "a" not in data.arrays:
        raise NotApplicableError("phone_error needs what was said, and these sounds come without it.")
    shift = 1 if side.name == "baseline" else 0
    wrong, said = errors_of(hears, data, shift=shift)
    value, low, high = jackknife(lambda kept: float(wrong[kept].sum() / said[kept].sum()), len(said), side.real.seed)
    return {
        "phone_error": Measured(
            value=value,
            low=max(0.0, low),
            high=high,
            samples=len(said),
            reference_samples=len(side.real.train),
            space="phones-cnn",
        )
    }


def errors_of(network: Recogniser, data: Dataset, *, shift: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(errors, phonemes said) of the first sentences; with `shift` each is held against the text of another one."""
    spec = data.codec.spec
    assert isinstance(spec, AudioSpec) and isinstance(spec.source, AudioSpec)
    pauses = {0, *(place + 1 for place, own in enumerate(spec.source.symbols) if own in PAUSES)}
    heard, said = [], []
    with torch.inference_mode():
        for start in range(0, min(MOST, len(data)), BATCH):
            batch = data.batch(slice(start, min(start + BATCH, MOST, len(data))))
            found = network(log_mel(batch["b"].float(), spec.mel)).argmax(1)
            heard += [_runs(row.tolist(), pauses) for row in found]
            said += [[own for own in row.tolist() if own not in pauses] for row in batch["a"]]
    said = [*said[shift:], *said[:shift]]
    wrong = [distance(one, other) for one, other in zip(said, heard, strict=True)]
    return np.array(wrong, np.float64), np.array([max(1, len(one)) for one in said], np.float64)


def _runs(row: list[int], pauses: set[int]) -> list[int]:
    """The phonemes of a row of frames, without pauses and those that are too brief."""
    found, before, lasted = [], -1, 0
    for own in [*row, -1]:
        if own == before:
            lasted += 1
            continue
        if lasted >= BRIEF and before not in pauses and (not found or found[-1] != before):
            found.append(before)
        before, lasted = own, 1
    return found


def distance(said: list[int], heard: list[int]) -> int:
    """The fewest substituted, left out and added phonemes."""
    row = np.arange(len(heard) + 1)
    for place, own in enumerate(said, 1):
        changed = np.minimum(row[:-1] + (np.array(heard, np.int64) != own), row[1:] + 1)
        row = np.concatenate([[place], changed])
        row = np.minimum.accumulate(row - np.arange(len(row))) + np.arange(len(row))
    return int(row[-1])


def _learned(train: Dataset, seed: int) -> Recogniser:
    return _trained(content_key(train), seed, _Held(train))


class _Held:
    """Data that the cache compares by nothing: the key says which they are."""

    def __init__(self, data: Dataset) -> None:
        self.data = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=2)
def _trained(key: str, seed: int, held: _Held) -> Recogniser:
    """A recogniser of the frames of these recordings; the seed decides its weights and what it sees when."""
    data = held.data
    spec = data.codec.spec
    assert isinstance(spec, AudioSpec) and isinstance(spec.source, AudioSpec)
    rng = torch.Generator().manual_seed(seed)
    network = Recogniser(spec.bands, len(spec.source.symbols))
    for weights in network.parameters():
        bound = 1 / weights[0].numel() ** 0.5 if weights.dim() > 1 else 0.0
        weights.data = (2 * torch.rand(weights.shape, generator=rng) - 1) * bound * 3**0.5
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    places = choose(len(data), LESSONS, seed)
    with torch.inference_mode(False), torch.enable_grad():
        for _ in range(STEPS):
            batch = data.batch(np.sort(places[torch.randint(len(places), (BATCH,), generator=rng).numpy()]))
            mel = log_mel(batch["b"].float(), spec.mel)
            at = torch.arange(mel.shape[2])
            place = (at[None, :, None] >= batch["a.frames"].cumsum(1)[:, None, :]).sum(2)
            goal = torch.nn.functional.pad(batch["a"], (0, 1)).gather(1, place)
            optimiser.zero_grad()
            cross_entropy(network(mel), goal).backward()
            optimiser.step()
    return network.eval()
