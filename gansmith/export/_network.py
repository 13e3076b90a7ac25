"""The network that is exported, alone and at rest, and what it answers before and after."""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.errors import UserError
from gansmith.model import Model

TOLERANCE = 1e-4
"""The largest difference to torch, in outputs of the order of 1, that passes for rounding; a network whose iterations magnify rounding says
another in its attribute `tolerance`."""
_LEAST = 8
"""Multiples that a wave has at least."""
BATCHES = (1, 5)
"""Batch sizes at which an export is checked, neither being the one that it was traced with."""


def network_of(model: Model) -> tuple[nn.Module, dict[str, Tensor]]:
    """A copy of the generating network on the CPU, in evaluation mode and without gradients, and example inputs by name."""
    network, inputs = model.gan.exportable()
    network = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    return network, {name: tensor.cpu() for name, tensor in inputs.items()}


def dynamic(network: nn.Module, inputs: dict[str, Tensor]) -> dict[str, dict[int, Any]]:
    """Which sizes of the inputs may change: the batch, and of what is translated the sides of images or the length of waves and spectra, in
    the network's multiples; clips keep their sides and their number of frames."""
    sizes: dict[str, dict[int, Any]] = {name: {0: torch.export.Dim("batch")} for name in inputs}
    if "input" in sizes:
        multiple = int(getattr(network, "multiple", 1))
        if inputs["input"].dim() > 4:
            return sizes
        if (last := inputs["input"].dim() - 1) < 3:
            sizes["input"][last] = (
                multiple * torch.export.Dim("length", min=_LEAST) if multiple > 1 else torch.export.Dim("length")
            )
            return sizes
        rows, columns = (torch.export.Dim(name, min=2) for name in ("rows", "columns"))
        sizes["input"] |= {2: multiple * rows, 3: multiple * columns} if multiple > 1 else {2: rows, 3: columns}
    return sizes


def fixed_batch(gan: str) -> UserError:
    """What is said of a network that cannot take batches of other sizes than the one that it was traced with."""
    return UserError(
        f"{gan} cannot be exported, since its network takes batches of one size alone: its code must use tensor.shape[0], not len(tensor)."
    )


def compared(
    network: nn.Module,
    inputs: dict[str, Tensor],
    exported: Callable[[dict[str, Tensor]], Tensor],
    tolerance: float | None = None,
) -> str:
    """In words, how far the exported network is from torch. Raises RuntimeError if that is more than the tolerance, or rounding."""
    allowed = getattr(network, "tolerance", TOLERANCE) if tolerance is None else tolerance
    rng = torch.Generator().manual_seed(0)
    differences = []
    for n in BATCHES:
        given = {name: _resized(_grown(network, name, tensor, n), n, rng) for name, tensor in inputs.items()}
        with torch.inference_mode():
            differences.append((network(**given) - exported(given)).abs().max())
    worst = float(torch.stack(differences).max())  # which is nan if any of them is
    if not worst <= allowed:
        raise RuntimeError(f"the exported network differs from torch by {worst:.2g}, which is more than {allowed:g}")
    return f"equal to torch to {worst:.1g} at batches of {' and '.join(map(str, BATCHES))}."


def _grown(network: nn.Module, name: str, example: Tensor, n: int) -> Tensor:
    """Images to be translated, in sizes that go with the batch; waves and spectra in lengths that do."""
    if name != "input" or example.dim() > 4:
        return example
    multiple = int(getattr(network, "multiple", 1))
    if example.dim() < 4:
        return example.new_zeros(*example.shape[:-1], multiple * (n + 2 * _LEAST))
    return example.new_zeros(len(example), example.shape[1], multiple * (n + 2), multiple * (n + 1))


def _resized(example: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Fresh normal numbers, or the example's integers over and over."""
    if example.is_floating_point():
        return torch.randn(n, *example.shape[1:], generator=rng)
    return example[torch.arange(n) % len(example)]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps back what exporters print, log and warn of; what matters is checked afterwards."""
    disabled = logging.root.manager.disable
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(disabled)
