"""The space of YAMNet, a published network of sound events (Plakal & Ellis 2020), whose weights the user gives.

An .npz file holds its 28 layers in order, batch normalisation folded into them: `NN_conv_w` [out, height, width, in] and `NN_dw_w`
[1, height, width, channels] with their `_b`, and last `27_fc_w` [classes, 1024], `27_fc_b`. float16 or float32.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, pad

from gansmith.data.dataset import Dataset
from gansmith.data.readers.rows import array_names, load_small
from gansmith.errors import UserError
from gansmith.kinds.audio.cleaning import resampled

RATE, WINDOW, HOP, FFT = 16_000, 400, 160, 512
BANDS, LOW, HIGH, OFFSET = 64, 125.0, 7_500.0, 1e-3
"""Mel bands (of O'Shaughnessy's scale) between two frequencies, and what is added before logarithms are taken."""
FRAMES, STEP = 96, 48
"""Frames that it sees at once, and from one view to the next."""
LAYERS, NUMBERS = 28, 1024
HALVING = {0, 3, 7, 11, 23}
"""Layers of stride 2."""
AT_ONCE = 16


class YAMNet(nn.Module):
    """Waves of 16 kHz to 1,024 numbers, the mean over views of 0.96 s."""

    def __init__(self, path: Path) -> None:
        """Raises UserError for a file that does not hold the network."""
        super().__init__()
        names = sorted(name for name in array_names(path) if name[:2].isdigit())
        kinds = ["conv", *["dw", "conv"] * 13, "fc"]
        expected = sorted(f"{place:02}_{kind}_{part}" for place, kind in enumerate(kinds) for part in "wb")
        if names != expected:
            raise UserError(
                f"{path} does not hold YAMNet: its arrays must be {expected[1]}, {expected[0]} and so on to {expected[-1]}, layer by layer."
            )
        self.digest = hashlib.sha256()
        for place, kind in enumerate(kinds):
            weight, bias = (load_small(path, f"{place:02}_{kind}_{part}").astype(np.float32) for part in "wb")
            if kind != "fc":  # [out, in / groups, height, width]
                weight = weight.transpose(0, 3, 1, 2) if kind == "conv" else weight.transpose(3, 0, 1, 2)
            for name, array in (("weight", weight), ("bias", bias)):
                self.digest.update(np.ascontiguousarray(array).data)
                self.register_buffer(f"{name}_{place}", torch.from_numpy(np.ascontiguousarray(array)))
        self.register_buffer("filters", _filters())

    def views(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch views frames bands"]:
        """Logarithmic mel spectra of all views; short sounds are followed by silence."""
        least = WINDOW + (FRAMES - 1) * HOP
        wave = pad(wave, (0, max(0, least - wave.shape[1])))
        rows = wave.unfold(1, WINDOW, HOP) * torch.hann_window(WINDOW, device=wave.device)
        mel = (torch.fft.rfft(rows, FFT).abs() @ self.filters + OFFSET).log()
        return mel.unfold(1, FRAMES, STEP).mT

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 1024"]:
        x = self.views(wave)
        count = x.shape[1]
        x = x.flatten(0, 1)[:, None]
        for place in range(LAYERS - 1):
            weight, bias = getattr(self, f"weight_{place}"), getattr(self, f"bias_{place}")
            stride = 2 if place in HALVING else 1
            if weight.shape[-1] == 3:
                edges = [_edges(size, stride) for size in (x.shape[3], x.shape[2])]
                x = pad(x, (*edges[0], *edges[1]))
            x = conv2d(x, weight, bias, stride=stride, groups=x.shape[1] // weight.shape[1]).relu()
        return x.mean((2, 3)).unflatten(0, (-1, count)).mean(1)

    def logits(self, features: Float[Tensor, "batch 1024"]) -> Float[Tensor, "batch classes"]:
        """Of its classes of events."""
        return linear(features, getattr(self, f"weight_{LAYERS - 1}"), getattr(self, f"bias_{LAYERS - 1}"))


class OfEvents:
    """YAMNet as a space of distances."""

    def __init__(self, path: Path, device: str | torch.device = "cpu") -> None:
        self.network, self.device = YAMNet(path).to(device).eval(), device
        self.name, self.key = "yamnet", f"yamnet {self.network.digest.hexdigest()}"

    @torch.inference_mode()
    def features(self, data: Dataset) -> Tensor:
        """Of every wave, brought to 16 kHz."""
        parts, rate = [], data.codec.spec.rate
        for start in range(0, len(data), AT_ONCE):
            batch = data.batch(slice(start, start + AT_ONCE))
            wave = batch["b" if "b" in batch else "wave"].float()
            if rate != RATE:
                wave = torch.from_numpy(np.stack([resampled(one, rate, RATE) for one in wave.numpy()]))
            parts.append(self.network(wave.to(self.device)).cpu())
        return torch.cat(parts)


def requested(asked: object, device: str | torch.device) -> OfEvents:
    """The space in a file of YAMNet's weights. Raises UserError for anything else."""
    path = Path(str(asked)).expanduser()
    if path.suffix != ".npz" or not path.is_file():
        raise UserError(
            f"--features of sounds is a file of YAMNet's weights (.npz), or left out for a network that learns on the spot: it is {asked}."
        )
    return OfEvents(path, device)


def _edges(size: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, as TensorFlow's "same" padding of 3 taps has them."""
    total = max(0, (math.ceil(size / stride) - 1) * stride + 3 - size)
    return total // 2, total - total // 2


def _filters() -> Float[Tensor, "bins bands"]:
    """Triangles over O'Shaughnessy's mel scale; the bin of 0 Hz is left out."""

    def mel(hertz: np.ndarray) -> np.ndarray:
        return 1127.0 * np.log1p(hertz / 700.0)

    bins = mel(np.linspace(0, RATE / 2, FFT // 2 + 1))[1:, None]
    edges = np.linspace(mel(np.array(LOW)), mel(np.array(HIGH)), BANDS + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    return torch.from_numpy(np.pad(np.maximum(0, np.minimum(rising, falling)), ((1, 0), (0, 0))).astype(np.float32))
