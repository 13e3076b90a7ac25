"""ONNX with a dynamic batch, for onnxruntime, browsers and other languages.

    gansmith export RUN --to onnx

The file's metadata say what goes in and what comes out, and hold the classes and the codec.
"""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gansmith.errors import missing_extra
from gansmith.export import properties
from gansmith.export._network import compared, dynamic, fixed_batch, network_of, quiet
from gansmith.model import Model

FILE = "model.onnx"
HALF_TOLERANCE = 0.05
"""The largest difference to torch that passes for rounding in float16: about six brightnesses of 256, at single pixels."""


def write(model: Model, path: Path) -> str:
    """Writes the file, runs it in onnxruntime and holds it against the model. Raises RuntimeError if they differ.

    Raises UserError if the extra [onnx] is not installed.
    """
    return written(model, path, half=False)


def written(model: Model, path: Path, half: bool) -> str:
    """The same, with weights, numbers that go in and numbers that come out in float16 if `half`."""
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401, what torch.onnx writes with
    except ImportError as error:
        raise missing_extra(error.name or "onnx", "onnx", "Exporting to ONNX") from error
    network, inputs = network_of(model)
    key = "output" if "input" in inputs else model.codec.spec.key
    sizes = dynamic(network, inputs)
    with quiet():
        program = torch.onnx.export(
            copy.deepcopy(network).half() if half else network,
            (),
            kwargs={name: lowered(tensor) if half else tensor for name, tensor in inputs.items()},
            input_names=list(inputs),
            output_names=[key],
            dynamic_shapes=sizes,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        proto = program.model_proto
        _refuse_fixed_batch(proto, str(model.card.get("gan")))
        if model.codec.spec.classes and "label" in inputs:
            _refuse_other_labels(proto, len(model.codec.spec.classes))
        if half:
            _lower_output(proto)
        onnx.helper.set_model_props(proto, properties(model, inputs))
        onnx.save(proto, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(given: dict[str, Tensor]) -> Tensor:
        as_given = {name: (lowered(tensor) if half else tensor).numpy() for name, tensor in given.items()}
        (output,) = session.run([key], as_given)
        return torch.from_numpy(output).float()

    return compared(network, inputs, run, HALF_TOLERANCE if half else None)


def lowered(tensor: Tensor) -> Tensor:
    """Numbers in float16; integers stay."""
    return tensor.half() if tensor.is_floating_point() else tensor


def _refuse_fixed_batch(proto: Any, name: str) -> None:
    """Raises UserError for a graph that takes batches of one size, which torch.onnx writes without a word."""
    for given in proto.graph.input:
        if given.type.tensor_type.shape.dim[0].dim_value:
            raise fixed_batch(name)


def _refuse_other_labels(proto: Any, count: int) -> None:
    """Lets every label pass through a table of the classes: one that is negative or too large stops the run instead of being taken for
    another class, or for none."""
    from onnx import TensorProto, helper

    for node in proto.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = "known_label" if name == "label" else name
    values = {"no_label": [0], "beyond_labels": [count], "all_labels": list(range(count))}
    proto.graph.initializer.extend(
        helper.make_tensor(name, TensorProto.INT64, [len(numbers)] if name == "all_labels" else [], numbers)
        for name, numbers in values.items()
    )
    checks = (
        helper.make_node("Less", ["label", "no_label"], ["is_negative"], name="is_negative"),
        helper.make_node("Where", ["is_negative", "beyond_labels", "label"], ["counted_label"], name="counted_label"),
        helper.make_node("Gather", ["all_labels", "counted_label"], ["known_label"], name="known_label"),
    )
    for place, node in enumerate(checks):
        proto.graph.node.insert(place, node)


def _lower_output(proto: Any) -> None:
    """Lets a graph whose network ends in float32 end in float16."""
    from onnx import TensorProto, helper

    output = proto.graph.output[0]
    if output.type.tensor_type.elem_type != TensorProto.FLOAT:
        return
    for node in proto.graph.node:
        for place, name in enumerate(node.output):
            node.output[place] = f"{name}_float32" if name == output.name else name
    proto.graph.node.append(
        helper.make_node("Cast", [f"{output.name}_float32"], [output.name], name="to_float16", to=TensorProto.FLOAT16)
    )
    output.type.tensor_type.elem_type = TensorProto.FLOAT16
