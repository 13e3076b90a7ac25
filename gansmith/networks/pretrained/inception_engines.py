"""Ways to compute Inception-v3 that give the same features sooner: batch normalisation folded into the convolutions, then fused.

Measured ratios are in bench/results/inception.md.
"""

import copy
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gansmith.evaluation.cache import remember
from gansmith.networks.pretrained.inception_network import Convolution, InceptionV3

Outputs = tuple[Float[Tensor, "batch 2048"], Float[Tensor, "batch 2023"]]
Engine = Callable[[Float[Tensor, "batch 3 299 299"]], Outputs]
BATCH = 16
"""Images computed at a time on a CPU: maps of more leave its caches."""
GPU_BATCH = 256


class Folded(nn.Sequential):
    """Convolution and batch normalisation as one convolution, ReLU."""

    def __init__(self, layer: Convolution) -> None:
        super().__init__(fuse_conv_bn_eval(layer.conv, layer.bn), nn.ReLU(inplace=True))


class Fused(nn.Module):
    """The same as one call of oneDNN, with weights laid out for it beforehand."""

    def __init__(self, layer: Convolution, dtype: torch.dtype, size: list[int]) -> None:
        super().__init__()
        folded = fuse_conv_bn_eval(layer.conv, layer.bn)
        assert folded.bias is not None
        self.padding, self.stride = [int(p) for p in folded.padding], list(folded.stride)
        weight = folded.weight.detach().to(dtype).to_mkldnn()
        self.weight = torch.ops.aten.mkldnn_reorder_conv2d_weight(weight, self.padding, self.stride, [1, 1], 1, size)
        self.bias = folded.bias.detach().to(dtype)

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        return torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, self.padding, self.stride, [1, 1], 1, "relu", [], ""
        )


def replaced(network: InceptionV3, change: Callable[[Convolution], nn.Module]) -> InceptionV3:
    """A copy of the network with its convolutions changed."""
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, Convolution):
                setattr(module, name, change(child))
    return network


def fused(network: InceptionV3, dtype: torch.dtype) -> Engine:
    """oneDNN on the CPU, in float32 or bfloat16."""
    sizes: dict[nn.Module, list[int]] = {}
    layers = [layer for layer in network.modules() if isinstance(layer, Convolution)]
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs: sizes.__setitem__(layer, list(inputs[0].shape))) for layer in layers
    ]
    network(torch.zeros(1, 3, 299, 299))
    for hook in hooks:
        hook.remove()
    places = dict(zip(layers, (sizes[layer] for layer in layers), strict=True))
    originals = iter(layers)
    made = replaced(network, lambda layer: Fused(layer, dtype, [BATCH, *places[next(originals)][1:]]))

    def run(images: Tensor) -> Outputs:
        features, spatial = made(images.to(dtype).contiguous(memory_format=torch.channels_last))
        return features.float(), spatial.float()

    return run


def folded(network: InceptionV3, device: torch.device, dtype: torch.dtype) -> Engine:
    """For GPUs, and CPUs without oneDNN."""
    made = replaced(network, Folded).to(device=device, dtype=dtype).to(memory_format=torch.channels_last)  # pyright: ignore

    def run(images: Tensor) -> Outputs:
        features, spatial = made(images.to(device, dtype).contiguous(memory_format=torch.channels_last))
        return features.float().cpu(), spatial.float().cpu()

    return run


def onnx(network: InceptionV3, key: str, folder: Path) -> Engine:
    """onnxruntime on the CPU in float32, the fastest exact one; the graph is written once and kept in the cache."""
    import onnxruntime

    from gansmith.networks.pretrained.inception_graph import graph

    def write() -> dict[str, Tensor]:
        return {"graph": torch.frombuffer(bytearray(graph(replaced(network, Folded))), dtype=torch.uint8)}

    kept = remember(folder, "inception-graph", (key,), write)["graph"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(kept.numpy().tobytes(), options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Outputs:
        features, spatial = session.run(None, {"images": images.contiguous().numpy()})
        return torch.from_numpy(features), torch.from_numpy(spatial)

    return run


def choose(network: InceptionV3, key: str, folder: Path, device: torch.device, fast: bool) -> Engine:
    """The fastest way here: exact to about 1e-5 of a feature, or with `fast` in bfloat16."""
    if device.type != "cpu":
        return folded(network, device, torch.bfloat16 if fast else torch.float32)
    if not torch.backends.mkldnn.is_available():
        return folded(network, device, torch.float32)
    if fast:
        return fused(network, torch.bfloat16)
    if all(find_spec(package) for package in ("onnx", "onnxruntime")):
        return onnx(network, key, folder)
    return fused(network, torch.float32)
