"""Where networks compute."""

from typing import Any

import torch

from gansmith.errors import UserError


def choose_device(device: Any) -> str:
    """The named device, or the best one there is ("auto"); one GPU per process where torchrun started several.

    `device` is auto, cpu, cuda, cuda:N, mps, or a torch.device. Raises UserError for anything else, and for what is not there.
    """
    name = str(device) if isinstance(device, torch.device) else device
    kind, colon, number = name.partition(":") if isinstance(name, str) else ("", "", "")
    available = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if name == "auto":
        kind = name = next(other for other in ("cuda", "mps", "cpu") if available[other])
    there = available.get(kind, 0)
    if not there or (colon and not (number.isascii() and number.isdigit() and len(number) < 5 and int(number) < there)):
        here = ", ".join(other for other, count in available.items() if count)
        raise UserError(f"--device {device!s:.80} is not available here: choose auto or one of {here}.")
    return f"cuda:{torch.cuda.current_device()}" if name == "cuda" else name
