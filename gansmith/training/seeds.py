"""Random numbers that are the same for one process and for many.

Every process draws the numbers of the whole batch from the same stream and keeps its own rows, so two processes see exactly
what one process with the same total batch would have seen.
"""

import torch
from torch import Tensor

from gansmith.training import distributed


def seed_everything(seed: int) -> None:
    """Seeds torch's generators, equally in every process: networks start equal, and rows are drawn from one stream."""
    torch.manual_seed(seed)


def normal_rows(n: int, *shape: int, device: torch.device | str | None = None) -> Tensor:
    """This process's n rows [n, *shape] of standard normal noise for the whole batch."""
    return _own_rows(torch.randn(n * distributed.processes(), *shape, device=device), n)


def uniform_rows(n: int, *shape: int, device: torch.device | str | None = None) -> Tensor:
    """This process's n rows [n, *shape] of numbers uniform in [0, 1) for the whole batch."""
    return _own_rows(torch.rand(n * distributed.processes(), *shape, device=device), n)


def _own_rows(rows: Tensor, n: int) -> Tensor:
    rank = distributed.rank()
    return rows[rank * n : (rank + 1) * n]


def random_state() -> dict[str, Tensor]:
    """The state of torch's generators, as uint8 tensors by device."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore_random_state(state: dict[str, Tensor]) -> None:
    torch.set_rng_state(state["cpu"].cpu())
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"].cpu())
