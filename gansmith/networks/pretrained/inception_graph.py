"""Inception-v3 as an ONNX graph, written down while the network runs once: seconds sooner than a general exporter."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

OPSET = 18


class Scribe(TorchFunctionMode):
    """Writes a node for every function of torch that the network calls."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.names = {id(images): "images"}
        self.kept: list[Tensor] = [images]
        """Tensors whose identity stands for a name stay alive."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name, options = getattr(func, "__name__", ""), kwargs or {}
        if name == "conv2d":
            x, weight, bias, stride, padding = args[:5]
            numbers = [self.constant(weight), self.constant(bias)]
            self.node("Conv", [x, *numbers], result, strides=_pair(stride), pads=_pair(padding) * 2)
        elif name == "relu":
            self.node("Relu", [args[0]], result)
        elif name in ("max_pool2d", "_max_pool2d"):
            self.node("MaxPool", [args[0]], result, **_window(args, options))
        elif name == "avg_pool2d":
            self.node("AveragePool", [args[0]], result, count_include_pad=0, **_window(args, options))
        elif name == "cat":
            self.node("Concat", list(args[0]), result, axis=1)
        elif name == "__getitem__":
            channels = args[1][1]
            limits = [self.constant(torch.tensor([value])) for value in (0, channels.stop, 1)]
            self.node("Slice", [args[0], *limits], result)
        elif name == "permute":
            self.node("Transpose", [args[0]], result, perm=list(args[1:]))
        elif name == "flatten":
            self.node("Flatten", [args[0]], result, axis=1)
        elif name == "mean":
            self.node("ReduceMean", [args[0], self.constant(torch.tensor(args[1]))], result, keepdims=0)
        return result

    def constant(self, value: Tensor) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value.detach().numpy(), name))
        return name

    def node(self, kind: str, inputs: Sequence[Tensor | str], result: Tensor, **attributes: Any) -> None:
        from onnx import helper

        name = f"{kind}{len(self.nodes)}"
        given = [value if isinstance(value, str) else self.names[id(value)] for value in inputs]
        self.nodes.append(helper.make_node(kind, given, [name], **attributes))
        self.names[id(result)] = name
        self.kept.append(result)


def _pair(value: int | Sequence[int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


def _window(args: Sequence[Any], options: Mapping[str, Any]) -> dict[str, list[int]]:
    size = args[1]
    stride = options.get("stride") or (args[2] if len(args) > 2 else None) or size
    padding = options.get("padding") or (args[3] if len(args) > 3 else 0)
    return {"kernel_shape": _pair(size), "strides": _pair(stride), "pads": _pair(padding) * 2}


def graph(network: nn.Module) -> bytes:
    """The network, whose batch normalisation is folded, as an ONNX model of images to features and spatial features."""
    from onnx import TensorProto, checker, helper

    images = torch.zeros(1, 3, 299, 299)
    with torch.inference_mode(), Scribe(images) as scribe:
        features, spatial = network(images)
    outputs = {"features": (features, 2048), "spatial": (spatial, 2023)}
    ends = [helper.make_node("Identity", [scribe.names[id(tensor)]], [name]) for name, (tensor, _) in outputs.items()]
    made = helper.make_graph(
        [*scribe.nodes, *ends],
        "inception-v3",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 299, 299])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size]) for name, (_, size) in outputs.items()],
        scribe.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    checker.check_model(model)
    return model.SerializeToString()
