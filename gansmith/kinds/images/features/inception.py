"""The Inception-v3 of the Frechet inception distance as a feature space (Heusel et al. 2017).

The weights are those of the network that Google published on 2015-12-05, in the layout that pytorch-fid and torch-fidelity share.
They are looked for at a given path, in $GANSMITH_INCEPTION, in the caches of gansmith and torch, and fetched once otherwise.
"""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.networks.pretrained.given import with_channels
from gansmith.networks.pretrained.inception_engines import BATCH, GPU_BATCH, Engine, choose
from gansmith.networks.pretrained.inception_network import InceptionV3
from gansmith.networks.pretrained.resizing import RESIZINGS
from gansmith.networks.pretrained.weights import find_weights
from gansmith.training.allocator import give_back

FILE = "weights-inception-2015-12-05-6726825d.pth"
URLS = (
    f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
)
CHECKSUM = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""SHA-256, whose first digits are in the file's name."""
VARIABLE = "GANSMITH_INCEPTION"
RELEASED = 4096
"""Images after which the memory of those read is given back."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Inception:
    """The network with a way to resize and a way to compute."""

    network: InceptionV3
    weights: str
    """A hash of the weights."""
    resize: str = "clean"
    """clean, tensorflow or pytorch: see `resizing`."""
    fast: bool = False
    """Whether to compute in bfloat16, about twice as fast and a few percent off."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    folder: Path
    """The cache."""
    wanted: Sequence[str] = ("features",)
    """What `outputs` gives: "features", "spatial"."""
    progress: Callable[[int, int], None] | None = None
    """Told how many images of how many are done."""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        weights: Path | str | None = None,
        resize: str = "clean",
        fast: bool = False,
        device: str | torch.device = "cpu",
        wanted: Sequence[str] = ("features",),
        progress: Callable[[int, int], None] | None = None,
    ) -> Inception:
        """Finds, checks and loads the weights.

        Raises UserError for an unknown resizing, weights that cannot be had, and files that hold something else.
        """
        if resize not in RESIZINGS:
            guess = did_you_mean(resize, list(RESIZINGS))
            raise UserError(f'there is no resizing "{resize}"{guess}: the resizings are {listed(list(RESIZINGS), 3)}.')
        path = find_weights(
            "Inception-v3", path=weights, variable=VARIABLE, urls=URLS, sha256=CHECKSUM, file=FILE, option="--inception"
        )
        return cls(
            network=read_network(path),
            weights=_checksum(path),
            resize=resize,
            fast=fast,
            device=torch.device(device),
            folder=folder,
            wanted=wanted,
            progress=progress,
        )

    @property
    def name(self) -> str:
        """inception-v3-clean, inception-v3-tensorflow, inception-v3-pytorch; with -fast behind it in the fast mode."""
        return f"inception-v3-{self.resize}{'-fast' if self.fast else ''}"

    @property
    def key(self) -> str:
        return f"{self.name} {self.weights} {' '.join(self.wanted)}"

    @cached_property
    def _engine(self) -> Engine:
        with torch.inference_mode():
            return choose(self.network, self.weights, self.folder, self.device, self.fast)

    @cached_property
    def exact(self) -> Inception:
        """The same without the fast mode."""
        return Inception(
            network=self.network,
            weights=self.weights,
            resize=self.resize,
            device=self.device,
            folder=self.folder,
            wanted=self.wanted,
        )

    def outputs(self, data: Dataset) -> dict[str, Float[Tensor, "batch features"]]:
        """The outputs in `wanted` for all examples in float32: "features" [n, 2048], "spatial" [n, 2023].

        Grey images are repeated in three channels, transparent ones laid on white.
        """
        sizes = {"features": 2048, "spatial": 2023}
        found = {name: torch.empty(len(data), sizes[name]) for name in self.wanted}
        done = 0
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
            for positions, images in self._batches(data):
                for name, output in zip(sizes, self._engine(images), strict=True):
                    if name in found:
                        found[name][positions] = output
                done += len(images)
                if done % RELEASED < len(images):
                    data.release()
                if self.progress:
                    self.progress(done, len(data))
        self.__dict__.pop("_engine", None)  # hundreds of megabytes, and made again in a tenth of a second
        give_back()
        return found

    def _batches(self, data: Dataset) -> Iterator[tuple[list[int], Float[Tensor, "batch 3 299 299"]]]:
        """Positions and their images as the network takes them, on the device."""
        size = BATCH if self.device.type == "cpu" else GPU_BATCH
        if data.originals is not None:
            rows = np.arange(len(data)) if data.indices is None else data.indices
            originals = data.originals.pixels(rows)
            while some := list(islice(originals, size)):
                images = [self._resized(torch.from_numpy(pixels)[None].to(self.device) / 127.5 - 1) for _, pixels in some]
                yield [position for position, _ in some], torch.cat(images)
            return
        for start in range(0, len(data), size):
            images = data.batch(slice(start, start + size))[data.codec.spec.key].to(self.device, torch.float32)
            yield list(range(start, start + len(images))), self._resized(images)

    def _resized(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch 3 299 299"]:
        """Images in [-1, 1] of any size and channels, as the network takes them."""
        return RESIZINGS[self.resize](((with_channels(images, 3) + 1) * 127.5).round().clamp(0, 255))

    def features(self, data: Dataset) -> Float[Tensor, "batch 2048"]:
        return self.outputs(data)["features"]

    def logits(self, features: Float[Tensor, "batch 2048"]) -> Float[Tensor, "batch 1008"]:
        """The class logits of these features, without their bias as in the original of the Inception Score."""
        with torch.inference_mode():
            return features @ self.network.fc.weight.T


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_network(path: Path) -> InceptionV3:
    """The network with the weights in a file. Raises UserError if the file holds other things than these weights."""
    network = InceptionV3()
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        network.load_state_dict(
            {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}, strict=False
        )
        missing = set(network.state_dict()) - set(state)
        missing = {name for name in missing if not name.endswith("num_batches_tracked")}
        if missing:
            raise KeyError(min(missing))
    except (OSError, RuntimeError, KeyError, AttributeError, TypeError, EOFError, pickle.UnpicklingError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"{path} should hold the weights of Inception-v3 as pytorch-fid and torch-fidelity keep them ({FILE}), but it does not "
            f"({reason}): give that file, or remove this one to have it fetched."
        ) from error
    return network.requires_grad_(False).eval()
