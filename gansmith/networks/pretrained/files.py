"""A network in a file of the user's own as a feature space, by what the name of the file says."""

import re
from collections.abc import Callable
from pathlib import Path

import torch

from gansmith.networks.pretrained.given import Given
from gansmith.networks.pretrained.onnx import from_onnx
from gansmith.networks.pretrained.stored import from_function, from_program, from_script

FILES: dict[str, Callable[..., Given]] = {
    ".onnx": from_onnx,
    ".pt2": from_program,
    ".pt": from_script,
    ".pth": from_script,
    ".ts": from_script,
}


def from_file(requested: str, device: str | torch.device = "cpu") -> Given | None:
    """The network of FILE.onnx, FILE.pt (TorchScript), FILE.pt2 (torch.export) or FILE.py:FUNCTION; None for any other text.

    Raises UserError if the file is missing, holds no network, or may not run.
    """
    if python := re.fullmatch(r"(.+\.py):(\w+)", requested):
        return from_function(Path(python[1]).expanduser(), python[2], device)
    path = Path(requested).expanduser()
    return FILES[path.suffix](path, device) if path.suffix in FILES else None
