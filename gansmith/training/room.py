"""What fits into memory, found out before it is taken: a machine that runs out of it ends processes without a word."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_buffer_registration_hook, register_module_parameter_registration_hook

from gansmith.data.spec import Spec
from gansmith.errors import UserError, is_out_of_memory

COPIES = 3
"""Tensors of its size that every parameter has at least while it is trained: itself, its gradient, and what an optimiser keeps."""
TENSORS = 20_000
"""Tensors of a game; building far more takes minutes."""


def memory_of(device: str) -> int:
    """Bytes of memory that the device has, in use or not; of a CPU those that this process may use."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_properties(device).total_memory
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")] if hasattr(os, "sysconf") else [2**50]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max", and other systems
            found.append(int(Path(path).read_text(encoding="ascii")))
    return min(found)


@contextmanager
def at_most(numbers: int, tensors: int, refusal: Callable[[], Exception]) -> Iterator[None]:
    """Inside, modules register no more than so many numbers in so many tensors: `refusal` is raised before memory is filled."""

    def counted(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal numbers, tensors
        numbers, tensors = numbers - (tensor.numel() if tensor is not None else 0), tensors - 1
        if numbers < 0 or tensors < 0:
            raise refusal()

    hooks = register_module_parameter_registration_hook(counted), register_module_buffer_registration_hook(counted)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def networks_that_fit(gan: str, device: str) -> Iterator[None]:
    """Inside, a game is built: it is refused with a UserError if it could not be trained on the device."""
    memory = memory_of(device)

    def refusal() -> UserError:
        return UserError(
            f"{gan} with these options has networks that cannot be trained in the {memory / 2**30:,.1f} GB of memory here, or more than "
            f"{TENSORS:,} tensors: give it smaller --gan options, or another --preset."
        )

    try:
        with at_most(memory // (4 * COPIES), TENSORS, refusal):
            yield
    except UserError:
        raise
    except (ArithmeticError, RuntimeError, ValueError, MemoryError) as error:
        if is_out_of_memory(error):
            raise refusal() from error
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UserError(f"{gan} cannot be built with these --gan options ({reason[:200]}): change one of them.") from error


def batch_that_fits(spec: Spec, count: int, device: str) -> None:
    """Raises UserError for a batch, or a part of it, whose real examples alone, `count` of them, fill the memory."""
    size = count * (4 * prod(spec.shape) + (4 * prod(spec.source.shape) if spec.source is not None else 0) + 16)
    if size > memory_of(device):
        raise UserError(
            f"--batch is {count:,} examples at a time, which alone take {size / 2**30:,.0f} GB, more than the memory here: give a smaller "
            "one."
        )
