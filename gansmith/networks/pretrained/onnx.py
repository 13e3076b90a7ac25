"""A network in an ONNX file as a feature space, run by onnxruntime."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansmith.errors import UserError, missing_extra
from gansmith.networks.pretrained.given import Given
from gansmith.networks.pretrained.stored import existing
from gansmith.networks.pretrained.traces import file_trace


def from_onnx(path: Path, device: str | torch.device = "cpu") -> Given:
    """The network in an ONNX file: one float32 input, and features or maps (averaged over space) as its first output.

    Images are given as [B, C, H, W] in [-1, 1], or as [B, H, W, C] where only the last side of its input can be channels; they are
    resized with antialiasing and made gray or coloured where the input's size and channels are fixed. A fixed batch is filled up.

    Raises UserError if onnxruntime (the extra [onnx]) is not installed, or if the file holds no such network.
    """
    network = OnnxNetwork(existing(path), torch.device(device))
    beside = path.with_name(path.name + ".data")  # the weights of large networks
    return Given(network, name=path.stem, key=file_trace(path) + (file_trace(beside) if beside.is_file() else ""))


class OnnxNetwork:
    """An ONNX file as a function of torch tensors on the CPU."""

    def __init__(self, path: Path, device: torch.device) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise missing_extra("onnxruntime", "onnx", "Judging with the features of an ONNX file") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors
        known = onnxruntime.get_available_providers()
        wanted = ["CUDAExecutionProvider"] if device.type == "cuda" else []
        providers = [*(name for name in wanted if name in known), "CPUExecutionProvider"]
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # onnxruntime's errors have no common class
            raise UserError(f"{path} should hold a network in ONNX, but onnxruntime cannot read it: export it again.") from error
        inputs = self.session.get_inputs()
        if [one.type for one in inputs] != ["tensor(float)"]:
            came = ", ".join(f"{one.name} {one.type}" for one in inputs)
            raise UserError(
                f"{path} should have one float32 input, but it has {came}: export it with images in [-1, 1] alone as input."
            )
        self.input, self.output = inputs[0].name, self.session.get_outputs()[0].name
        batch, *sides = [side if isinstance(side, int) and side > 0 else None for side in inputs[0].shape or [None]]
        self.batch: int | None = batch
        self.channels_last = len(sides) == 3 and sides[0] not in (1, 3, 4) and sides[2] in (1, 3, 4)
        channels, *size = (sides[2], *sides[:2]) if self.channels_last else sides or [None]
        self.input_channels = channels if channels in (1, 3) and len(sides) == 3 else None
        self.input_size: Any = tuple(size) if len(size) == 2 and None not in size else None

    def __call__(self, batch: Tensor) -> Tensor:
        array = (batch.permute(0, 2, 3, 1) if self.channels_last else batch).contiguous().cpu().numpy()
        at_once = self.batch or len(array)
        filled = np.concatenate([array, array[:1].repeat(-len(array) % at_once, 0)])
        parts = [self._run(filled[start : start + at_once]) for start in range(0, len(filled), at_once)]
        output = torch.from_numpy(np.concatenate(parts)[: len(array)])
        return output.permute(0, 3, 1, 2) if self.channels_last and output.dim() == 4 else output

    def _run(self, array: np.ndarray) -> np.ndarray:
        (output,) = self.session.run([self.output], {self.input: array})
        return np.asarray(output)
