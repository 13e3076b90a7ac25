"""Which numbers to compute with."""

import torch

from gansmith import kinds
from gansmith.data.spec import Spec
from gansmith.errors import UserError


def choose_precision(precision: str, device: str, spec: Spec, half: bool | None = None) -> str:
    """The precision that was asked for; for "auto" the one of the kind of data, bfloat16 only where the hardware computes in it. `half`
    says for a GAN whether it trains in bfloat16, whatever the kind.

    Raises UserError for an unknown precision.
    """
    if precision not in ("auto", "float32", "bfloat16"):
        raise UserError(f"--precision must be auto, float32 or bfloat16, but it is {precision!r}.")
    if precision != "auto":
        return precision
    usual = kinds.find(spec.kind).precision(spec) if half is None else "bfloat16" if half else "float32"
    return usual if computes_bfloat16(device) else "float32"


def computes_bfloat16(device: str) -> bool:
    """Whether a device has instructions for bfloat16."""
    return torch.cuda.is_bf16_supported() if device.startswith("cuda") else device == "cpu" and _cpu_computes_bfloat16()


def _cpu_computes_bfloat16() -> bool:
    """Whether the CPU has instructions for it; oneDNN also imitates them on CPUs without, slower than float32."""
    tests = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return torch.backends.mkldnn.is_available() and any(test() for test in tests if test is not None)
