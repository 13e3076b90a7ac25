"""How near a clip that was made of another one is to the real one that belongs there, frame by frame and from frame to frame.

The baseline is the best of what needs no training: of pictures that are to move, the picture standing still; of films that are translated,
the mean frame, the film given, and for every colour of it the mean colour of its partners. The frame that is the picture is left out.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.metrics.fidelity import psnr
from gansmith.kinds.images.metrics.structural_similarity import ssim
from gansmith.kinds.video.spec import VideoSpec
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "video_psnr": ("higher", "mean peak signal to noise of frames against the real ones that belong there, in decibels"),
    "video_ssim": ("higher", "mean structural similarity of frames and the real ones that belong there: 1 if equal"),
    "video_l1": ("lower", "mean absolute difference of frames from the real ones that belong there, of 1"),
    "flicker": ("lower", "mean absolute difference of how frames change from how the real ones change, of 1"),
}
SAYS = "quality"
MINIMUM = 2
BASELINE = "the best without training"
AT_ONCE = 16
LEVELS = 8
"""Levels of each channel of a colour that the lookup tells apart."""
LEARNT = 200
"""Training pairs that the mean and the lookup are learnt from."""
BOUNDS = {"video_ssim": (-1.0, 1.0), "video_l1": (0.0, 1.0), "flicker": (0.0, 1.0)}


def key(real: Real) -> str:
    """The baseline depends on the data alone."""
    return "partners"


def measure(side: Side) -> dict[str, Measured]:
    """Every clip against its own partner. Raises NotApplicableError where nothing belongs to what is generated."""
    spec = side.real.train.codec.spec
    if not isinstance(spec.source, VideoSpec):
        raise NotApplicableError(
            f"these compare clips with the real ones that belong there, and {side.real.train.name} has no such pairs."
        )
    if side.name == "held-out" or (side.name != "baseline" and "target" not in side.data.arrays):
        raise NotApplicableError("real clips are equal to themselves.")
    held_out = side.real.held_out
    if side.name == "baseline":
        found: dict[str, np.ndarray] = {}
        for values in trivial(side.real.train, held_out):
            for name, numbers in values.items():
                sign = 1 if METRICS[name][0] == "higher" else -1
                if name not in found or sign * numbers.mean() > sign * found[name].mean():
                    found[name] = numbers
    else:
        found = _joined(
            compared(batch["b"].float(), batch["target"].float(), driven=spec.source.driven) for batch in _batches(side.data)
        )
    measured = {}
    for name, numbers in found.items():
        value, low, high = jackknife(
            lambda kept, own=numbers: float(own[kept].mean()), len(numbers), side.real.seed, BOUNDS.get(name, (-np.inf, np.inf))
        )
        count = len(numbers)
        measured[name] = Measured(value=value, low=low, high=high, samples=count, reference_samples=count, space="pixels")
    return measured


@torch.inference_mode()
def compared(made: Tensor, real: Tensor, *, driven: bool = False) -> dict[str, np.ndarray]:
    """The metrics [B] of clips [B, T, C, H, W] from -1 to 1 against the real ones; of `driven` ones without the first frame."""
    made, real = (own.add(1).div(2) for own in (made, real))
    changes = ((made[:, 1:] - made[:, :-1]) - (real[:, 1:] - real[:, :-1])).abs().mean((1, 2, 3, 4))
    made, real = (own[:, 1:] if driven else own for own in (made, real))
    count = len(made)
    one, other = made.flatten(0, 1), real.flatten(0, 1)
    return {
        "video_psnr": psnr(one, other).view(count, -1).mean(1).double().numpy(),
        "video_ssim": ssim(one, other).view(count, -1).mean(1).double().numpy(),
        "video_l1": (made - real).abs().mean((1, 2, 3, 4)).double().numpy(),
        "flicker": changes.double().numpy(),
    }


def trivial(train: Dataset, held_out: Dataset) -> Iterator[dict[str, np.ndarray]]:
    """The metrics of every trivial way to make the held-out clips."""
    spec = train.codec.spec
    assert isinstance(spec.source, VideoSpec)
    if spec.source.driven:
        yield _joined(
            compared(batch["a"][:, :1].expand_as(batch["b"]).float(), batch["b"].float(), driven=True)
            for batch in _batches(held_out)
        )
        return
    mean, table = _learnt(train)
    yield _joined(compared(mean.expand_as(batch["b"]), batch["b"].float()) for batch in _batches(held_out))
    yield _joined(compared(table[_colours(batch["a"])].movedim(-1, 2), batch["b"].float()) for batch in _batches(held_out))
    if spec.source.shape == spec.shape:
        yield _joined(compared(batch["a"].float(), batch["b"].float()) for batch in _batches(held_out))


def _learnt(train: Dataset) -> tuple[Tensor, Tensor]:
    """The mean frame of the side that is made, and the mean colour for every colour of the one given."""
    spec = train.codec.spec
    total, seen = torch.zeros(spec.shape[1:], dtype=torch.float64), 0
    colours = LEVELS ** min(3, spec.source_shape[1])
    sums, counts = torch.zeros(colours, spec.shape[1], dtype=torch.float64), torch.zeros(colours, dtype=torch.float64)
    for batch in _batches(train.subset(choose(len(train), LEARNT, 0))):
        a, b = batch["a"].float(), batch["b"].double()
        total, seen = total + b.sum((0, 1)), seen + len(b) * b.shape[1]
        where = _colours(a).flatten()
        sums.index_add_(0, where, b.movedim(2, -1).flatten(0, -2))
        counts.index_add_(0, where, torch.ones(len(where), dtype=torch.float64))
    usual = sums.sum(0) / counts.sum()
    table = torch.where(counts[:, None] > 0, sums / counts[:, None].clamp_min(1), usual)
    return (total / seen).float(), table.float()


def _colours(a: Tensor) -> Tensor:
    """The place [B, T, H, W] of every pixel's colour in the table; of four channels the first three."""
    levels = ((a[:, :, :3] + 1) / 2 * LEVELS).long().clamp(0, LEVELS - 1)
    place = levels[:, :, 0]
    for channel in range(1, levels.shape[2]):
        place = place * LEVELS + levels[:, :, channel]
    return place


def _batches(data: Dataset) -> Iterator[dict[str, Tensor]]:
    for start in range(0, len(data), AT_ONCE):
        yield dict(data.batch(slice(start, start + AT_ONCE)))


def _joined(parts: Iterator[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    found = list(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}
