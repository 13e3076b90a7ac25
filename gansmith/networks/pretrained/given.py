"""A network of the user's own as a feature space: a torch module, or any function of a batch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.networks.pretrained.traces import trace

BATCH = 64
MODES = ("bilinear", "bicubic")


class Given:
    """Any torch module or function as a feature space.

    It is called with batches of at most 64 examples in float32, as networks see them here: images [B, C, H, W] in [-1, 1] with the
    channels and the size of the data. It answers with features [B, d], or with maps [B, d, h, w], which are averaged over space.
    Attributes of its own can ask for other images: `input_size`, a side or (height, width), to which they are resized with
    antialiasing; `input_interpolation`, "bilinear" (if there is none) or "bicubic"; `input_channels`, 1 or 3 (see `with_channels`).

    A module is called in evaluation mode on the device that it is on, and left as it was; a function is called with tensors on
    `device`.
    """

    def __init__(self, network: Callable[..., Any], *, name: str = "", key: str = "", device: str | torch.device = "cpu") -> None:
        """`name` is that of the module's class or of the function if not given, `key` the hash of weights and code.

        Raises UserError where an attribute is not what it can be.
        """
        self.network = network
        self.name = name or getattr(network, "__name__", type(network).__name__).strip("<>")
        self.key = key or trace(network)
        parameter = next(network.parameters(), None) if isinstance(network, nn.Module) else None
        self.device = torch.device(device) if parameter is None else parameter.device
        self.size = _height_and_width(getattr(network, "input_size", None), self.name)
        self.channels = _one_of((None, 1, 3), getattr(network, "input_channels", None), "input_channels", self.name)
        self.mode = _one_of(MODES, getattr(network, "input_interpolation", "bilinear"), "input_interpolation", self.name)

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        """Raises UserError where the network fails on a batch, or answers with neither features nor maps."""
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=False), _evaluating(self.network):
            return torch.cat([self._of(batch) for batch in self._batches(data)])

    def _batches(self, data: Dataset) -> Iterator[Tensor]:
        for start in range(0, len(data), BATCH):
            batch = data.batch(slice(start, start + BATCH))[data.codec.spec.key].float()
            yield resized(with_channels(batch, self.channels), self.size, self.mode) if batch.dim() == 4 else batch

    def _answer(self, batch: Tensor) -> Any:
        return self.network(batch.to(self.device))

    def _of(self, batch: Tensor) -> Tensor:
        try:
            output = self._answer(batch)
        except Exception as error:  # whatever somebody else's network raises
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise UserError(
                f"{self.name} should take a float32 batch of shape {_shape(batch)}, but it fails on it ({reason}): change it, or say "
                "with its attributes input_size and input_channels what it takes."
            ) from error
        if not isinstance(output, Tensor) or output.dim() not in (2, 4) or len(output) != len(batch):
            came = _shape(output) if isinstance(output, Tensor) else f"a {type(output).__name__}"
            raise UserError(
                f"{self.name} should answer a batch of {len(batch)} with a tensor [{len(batch)}, features] or [{len(batch)}, features, "
                f"height, width], but {came} came: change what it returns."
            )
        output = output.float()
        return (output.mean((2, 3)) if output.dim() == 4 else output).cpu()


def with_channels(images: Float[Tensor, "batch _ height width"], channels: int | None) -> Float[Tensor, "batch _ height width"]:
    """Images in gray (1) or colour (3): gray repeated, colours averaged, transparent images laid on white; None leaves them.

    Of images with other numbers of channels the first three are taken for colours (of two, the first for gray); four are taken for
    colours with transparency.
    """
    if channels is None or images.shape[1] == channels:
        return images
    if images.shape[1] == 4:
        cover = (images[:, 3:] + 1) / 2
        images = images[:, :3] * cover + (1 - cover)
    if channels == 3 and images.shape[1] not in (1, 3):
        images = images[:, : 1 if images.shape[1] == 2 else 3]
    if images.shape[1] == 1:
        return images.expand(-1, channels, -1, -1)
    return images.mean(1, keepdim=True) if channels == 1 else images


def resized(
    images: Float[Tensor, "batch channels _ _"], size: tuple[int, int] | None, mode: str = "bilinear"
) -> Float[Tensor, "batch channels height width"]:
    """Images of this height and width, with antialiasing, and cut to [-1, 1], which cubic weights leave; None leaves them."""
    if size is None or images.shape[-2:] == size:
        return images
    return interpolate(images, size=size, mode=mode, antialias=True, align_corners=False).clamp(-1, 1)


@contextmanager
def _evaluating(network: Any) -> Iterator[None]:
    """Every part of a module in evaluation mode inside, and in its own mode again outside."""
    modules = list(network.modules()) if isinstance(network, nn.Module) else []
    training = [module for module in modules if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _height_and_width(size: Any, name: str) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list | tuple) else ()
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise UserError(f"input_size of {name} should be a side or (height, width) in pixels, but it is {size!r}: change it.")
    return sides


def _one_of(values: tuple[Any, ...], value: Any, attribute: str, name: str) -> Any:
    if value not in values:
        choices = " or ".join(repr(one) for one in values if one is not None)
        raise UserError(f"{attribute} of {name} should be {choices}, but it is {value!r}: change it.")
    return value


def _shape(tensor: Tensor) -> str:
    return f"[{', '.join(map(str, tensor.shape))}]"
