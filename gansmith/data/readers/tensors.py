"""Tensors from Python as NumPy arrays."""

import numpy as np
import torch

from gansmith.errors import UserError


def array_of(tensor: torch.Tensor, what: str) -> np.ndarray:
    """The numbers of a dense tensor on any device; types that NumPy lacks, such as bfloat16, become float32 without loss.

    Raises UserError for sparse, quantised and nested tensors and those without content.
    """
    strange = "nested" if tensor.is_nested else "quantised" if tensor.is_quantized else "meta" if tensor.is_meta else None
    strange = strange or (None if tensor.layout == torch.strided else "sparse")
    if strange:
        advice = {"sparse": "call to_dense()", "quantised": "call dequantize()"}.get(strange, "make a dense one of it")
        raise UserError(f"{what} is a {strange} tensor, where a dense one is expected: {advice}.")
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    try:
        return tensor.numpy()
    except TypeError:
        return tensor.float().numpy()


def holds_fractions(array: np.ndarray | torch.Tensor) -> bool:
    """Whether the numbers are of a floating point type, whatever a tensor is made like."""
    return array.is_floating_point() if isinstance(array, torch.Tensor) else array.dtype.kind == "f"
