"""The feature space that the user asks for."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from gansmith.data.suggestions import did_you_mean
from gansmith.errors import UserError
from gansmith.evaluation.extractors import Extractor
from gansmith.networks.pretrained.files import from_file
from gansmith.networks.pretrained.given import Given
from gansmith.networks.pretrained.pretrained import KNOWN, from_known, from_timm, from_torchvision

NAMES = ("classifier", "inception", *KNOWN)
FORMS = (
    *NAMES,
    "torchvision:NAME",
    "timm:NAME",
    "FILE.onnx",
    "FILE.pt (TorchScript)",
    "FILE.pt2 (torch.export)",
    "FILE.py:FUNCTION",
)


def find_extractor(requested: Any, device: str | torch.device = "cpu") -> Extractor:
    """The feature space that is asked for: a name or file (see `FORMS`, of which "classifier" and "inception" need the data and are made
    elsewhere), a torch module, a function of a batch, or an extractor, which is returned as it is.

    Networks that are loaded here are put on `device`; a given module stays on its own. Raises UserError for anything else.
    """
    if isinstance(requested, str | Path):
        return _named(str(requested), device)
    if isinstance(requested, Extractor) and not isinstance(requested, nn.Module):
        return requested
    if callable(requested):
        return Given(requested, device=device)
    raise UserError(
        f"features should be a name, a file, a torch module or a function, but what came is of type {type(requested).__name__}: change it."
    )


def _named(requested: str, device: str | torch.device) -> Extractor:
    package, _, name = requested.partition(":")
    if package == "torchvision" and name:
        return from_torchvision(name, device)
    if package == "timm" and name:
        return from_timm(name, device)
    if requested in KNOWN:
        return from_known(requested, device)
    if (found := from_file(requested, device)) is not None:
        return found
    if Path(requested).suffix == ".py":
        raise UserError(f"{requested} should say which function makes the network: give {requested}:FUNCTION.")
    raise UserError(f'there are no features "{requested}"{did_you_mean(requested, NAMES)}: they can be {", ".join(FORMS)}.')
