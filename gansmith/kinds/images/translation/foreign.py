"""Weights of other programs: whatever restores or enlarges images and spandrel reads, as a model that translates.

    gansmith translate --weights RealESRGAN_x4plus.pth photo.jpg --out larger/

Files of ESRGAN, Real-ESRGAN, SwinIR, HAT, DAT, OmniSR, SPAN, SCUNet, DnCNN-like networks and some forty more are recognised by what is
in them; pickles are read by spandrel's restricted reader. Tiles, transparency and 16 bits are those of our own models.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from gansmith.data.paired import PairedCodec
from gansmith.data.spec import Spec
from gansmith.errors import UserError, missing_extra
from gansmith.game import Draw, Move
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.model import Model
from gansmith.tasks.translation import Translating

SIDE = 64
"""The side of an image that the codec names; any size goes in."""


class Restoring(nn.Module):
    """A network of values from 0 to 1 as one from -1 to 1, which pads images to the sides that it asks for and crops the result."""

    def __init__(self, network: nn.Module, *, scale: int, smallest: int, multiple: int, square: bool) -> None:
        super().__init__()
        self.network, self.scale, self.smallest, self.multiple, self.square = network, scale, smallest, multiple, square

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch made tall wide"]:
        height, width = x.shape[2:]
        sides = [max(side, self.smallest) for side in (height, width)]
        sides = [side + -side % self.multiple for side in (sides if not self.square else [max(sides)] * 2)]
        mode = "reflect" if all(new < 2 * old for new, old in zip(sides, (height, width), strict=True)) else "replicate"
        grown = pad(x, (0, sides[1] - width, 0, sides[0] - height), mode=mode)
        made = self.network((grown + 1) / 2) * 2 - 1
        return made[..., : height * self.scale, : width * self.scale]


class Foreign(Translating):
    """A network that was trained elsewhere."""

    def __init__(self, spec: Spec, network: Restoring) -> None:
        super().__init__(None, spec)
        self.network = network

    def maker(self, makes: str = "b") -> nn.Module:
        return self.network

    def play(self, draw: Draw) -> Iterator[Move]:
        raise UserError("weights of other programs are used, not trained: train --gan esrgan or real_esrgan.")


def foreign(path: Path, device: str = "cpu") -> Model:
    """A model of the file's weights. Raises UserError where spandrel is missing, or the file is none that it knows or that we can use."""
    if not path.is_file():
        raise UserError(f"there is no file {path}: --weights takes a .pth, .pt, .ckpt or .safetensors file.")
    try:
        import spandrel  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra(error.name or "spandrel", "foreign", "Using the weights of other programs") from error
    try:
        found: Any = spandrel.ModelLoader(device=device).load_from_file(path)
    except Exception as error:  # spandrel's own errors, and half a dozen kinds for what is no such file
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"{path} holds no weights that spandrel {spandrel.__version__} knows ({reason}): give another file."
        ) from error
    if not isinstance(found, spandrel.ImageModelDescriptor):
        raise UserError(
            f"{path} holds {found.architecture.name}, which needs a mask besides the image: train --degrade holes for that."
        )
    needs = found.size_requirements
    network = Restoring(
        found.model.eval().requires_grad_(False),
        scale=found.scale,
        smallest=needs.minimum,
        multiple=needs.multiple_of,
        square=needs.square,
    )
    given, made = (found.input_channels, SIDE, SIDE), (found.output_channels, SIDE * found.scale, SIDE * found.scale)
    sides = [ImageCodec(ImageSpec(shape=shape)) for shape in (given, made)]
    codec = PairedCodec.of(*sides, aligned=True)
    gan = Foreign(codec.spec, network).to(device).eval()
    return Model(gan, codec, {"gan": found.architecture.name, "data": path.name})
