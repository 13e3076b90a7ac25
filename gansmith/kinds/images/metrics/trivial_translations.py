"""What makes b of a without learning much: a itself, the mean b, and for every colour of a the mean colour of b."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.data.paired import PairedCodec
from gansmith.kinds.images.label_maps import LabelMaps
from gansmith.kinds.images.spec import ImageSpec

LEVELS = 8
"""Levels of each channel of a colour that the lookup tells apart."""
TOLD_APART = 4
"""Channels of which every combination of levels is a colour; of more, the greatest channel is."""
LEARNT = 500
"""Training pairs that the mean and the lookup are learnt from."""
AT_ONCE = 64


def trivial(train: Dataset, held_out: Dataset) -> dict[str, Dataset]:
    """The trivial translations of every held-out a, as data sets by name."""
    chosen = np.linspace(0, len(train) - 1, min(LEARNT, len(train))).astype(int)
    mean, table = _learnt(train, chosen)
    spec = train.codec.spec
    maps = isinstance(train.codec, PairedCodec) and isinstance(train.codec.a, LabelMaps)
    pieces: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(held_out), AT_ONCE):
        a = held_out.batch(slice(start, start + AT_ONCE))["a"]
        larger = (
            interpolate(a, spec.shape[1:], mode="bicubic", align_corners=False).clamp(-1, 1)
            if a.shape[2:] != spec.shape[1:]
            else a
        )
        found = {"mean image": mean.expand(len(a), -1, -1, -1), "colour lookup": table[_colours(larger)].movedim(3, 1)}
        if spec.source_shape[0] == spec.shape[0] and not maps:
            found["input" if spec.source_shape == spec.shape else "bicubic"] = larger
        if isinstance(spec.source, ImageSpec) and spec.source.holes:
            known = a[:, -1:] > 0
            found |= {name: torch.where(known, a[:, : spec.shape[0]], images) for name, images in found.items()}
        for name, images in found.items():
            pieces.setdefault(name, []).append(train.codec.repack({"b": images})["b"])
    made = {}
    for name, parts in pieces.items():
        arrays = {"b": np.concatenate(parts)}
        made[name] = Dataset(name=name, codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))
    return made


def _learnt(train: Dataset, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
    """The mean b, and the table of mean colours."""
    spec = train.codec.spec
    total = torch.zeros(spec.shape)
    colours = LEVELS ** spec.source_shape[0] if spec.source_shape[0] <= TOLD_APART else spec.source_shape[0]
    sums, counts = torch.zeros(colours, spec.shape[0]), torch.zeros(colours)
    for start in range(0, len(chosen), AT_ONCE):
        batch = train.batch(chosen[start : start + AT_ONCE])
        a, b = batch["a"], batch["b"]
        if a.shape[2:] != b.shape[2:]:
            a = interpolate(a, b.shape[2:], mode="bicubic", align_corners=False).clamp(-1, 1)
        total += b.sum(0)
        where = _colours(a).flatten()
        sums.index_add_(0, where, b.movedim(1, 3).flatten(0, 2))
        counts.index_add_(0, where, torch.ones(len(where)))
    mean = total / len(chosen)
    usual = sums.sum(0) / counts.sum()
    table = torch.where(counts[:, None] > 0, sums / counts[:, None].clamp_min(1), usual)
    return mean, table


def _colours(a: Float[Tensor, "batch channels height width"]) -> Tensor:
    """The place [B, H, W] of every pixel's colour in the table; of many channels (labels) that of the greatest."""
    if a.shape[1] > TOLD_APART:
        return a.argmax(1)
    levels = ((a + 1) / 2 * LEVELS).long().clamp(0, LEVELS - 1)
    places = torch.zeros(levels.shape[0], *levels.shape[2:], dtype=torch.int64)
    for channel in range(levels.shape[1]):
        places = places * LEVELS + levels[:, channel]
    return places
