"""Bare weights of super-resolution under their published names, for chaiNNer, spandrel and programs like them.

    gansmith export RUN --to weights

Real-ESRGAN's layout: what `esrgan` and `real_esrgan` (RRDB) make, and the compact network (SRVGGNetCompact) of `srgan` and
`real_esrgan`, for images from 0 to 1.
"""

from pathlib import Path

from gansmith.data.tensors import write_tensors
from gansmith.errors import UserError
from gansmith.layers.enlarging import Compact, RRDBNet
from gansmith.model import Model
from gansmith.tasks.translation import Translating

FILE = "weights.safetensors"


def write(model: Model, path: Path) -> str:
    """Writes the averaged generator's weights. Raises UserError for networks that have no published layout."""
    network = model.gan.maker() if isinstance(model.gan, Translating) else None
    if not isinstance(network, RRDBNet | Compact) or network.scale == 8:
        raise UserError(
            f"{model.card['gan']} makes no network whose weights other programs know: export esrgan or real_esrgan of x1, x2 or x4, srgan "
            "with --gan.compact true, or --to onnx."
        )
    if isinstance(network, RRDBNet) and (growth := network.conv_growth) != 32:
        raise UserError(
            f"other programs know residual dense blocks of growth 32, but these have {growth}: train with --gan.growth 32, or --to onnx."
        )
    if isinstance(network, Compact) and network.body[0].in_channels != network.body[-1].out_channels // network.scale**2:  # pyright: ignore
        raise UserError(
            "the compact network of other programs keeps the channels: train with as many on both sides, or --to onnx."
        )
    write_tensors(path, {name: tensor.cpu() for name, tensor in network.state_dict().items()}, {})
    return f"{len(network.state_dict())} tensors under the names of Real-ESRGAN, of the averaged generator."
