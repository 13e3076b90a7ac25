"""ONNX with a dynamic batch, for onnxruntime, browsers and other languages.

    gansmith export RUN --to onnx

The file's metadata say what goes in and what comes out, and hold the classes and the codec.
"""

from pathlib import Path

import torch
from torch import Tensor

from gansmith.errors import missing_extra
from gansmith.export import properties
from gansmith.export._network import compared, dynamic, quiet, resting
from gansmith.model import Model

FILE = "model.onnx"


def write(model: Model, path: Path) -> str:
    """Writes the file, runs it in onnxruntime and holds it against the model. Raises RuntimeError if they differ.

    Raises UserError if the extra [onnx] is not installed.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401, what torch.onnx writes with
    except ImportError as error:
        raise missing_extra(error.name or "onnx", "onnx", "Exporting to ONNX") from error
    network, inputs = resting(model)
    key = "output" if "input" in inputs else model.codec.spec.key
    sizes = dynamic(network, inputs)
    with quiet():
        program = torch.onnx.export(
            network,
            (),
            kwargs=inputs,
            input_names=list(inputs),
            output_names=[key],
            dynamic_shapes=sizes,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        proto = program.model_proto
        onnx.helper.set_model_props(proto, properties(model, inputs))
        onnx.save(proto, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(given: dict[str, Tensor]) -> Tensor:
        (output,) = session.run([key], {name: tensor.numpy() for name, tensor in given.items()})
        return torch.from_numpy(output)

    return compared(network, inputs, run)
