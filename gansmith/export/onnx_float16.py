"""ONNX in float16, half as large: weights, what goes in and what comes out.

    gansmith export RUN --to onnx_float16

As ONNX in float32, with a dynamic batch, and of images that are translated with dynamic sides. It is held against torch in float32.
"""

from pathlib import Path

from gansmith.export.onnx import written
from gansmith.model import Model

FILE = "model-float16.onnx"


def write(model: Model, path: Path) -> str:
    """Writes the file, runs it in onnxruntime and holds it against the model. Raises RuntimeError if they differ by more than 0.05.

    Raises UserError if the extra [onnx] is not installed.
    """
    return written(model, path, half=True)
