"""The processes that torchrun started: averages of gradients, equal starts, one voice.

Networks are not wrapped in DistributedDataParallel, which leaves lazy and second-order moves unsynchronised without a word.
After each backward pass the trainer averages the moving player's gradients with one all-reduce.
"""

import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gansmith.errors import UserError

Result = TypeVar("Result")


class LostError(UserError):
    """One of the processes of a training has ended before the others."""


def start() -> None:
    """Joins the group that torchrun's environment describes (gloo on CPUs, NCCL on GPUs); does nothing for a single process."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        return
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if gpu else "gloo", timeout=timedelta(minutes=30))


def stop() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def processes() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def leads() -> bool:
    """Whether this process is the one that writes and speaks."""
    return rank() == 0


def launch(devices: int, command: Sequence[str]) -> int:
    """Runs `python -m gansmith COMMAND` in that many processes through torchrun; returns the first failing one's exit status.

    Ctrl-C and SIGTERM are passed on, and the processes given time to save. Raises LostError for a process that was killed.
    """
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // devices)))
    logging.disable()  # every process speaks for itself
    try:
        torchrun.run(torchrun.parse_args(["--standalone", "--nproc-per-node", str(devices), "-m", "gansmith", *command]))
    except ChildFailedError as error:
        statuses = {rank: own.exitcode for rank, own in error.failures.items()}
        killed = {rank: -status for rank, status in statuses.items() if status < 0 and status != -signal.SIGTERM}
        if not killed and max(statuses.values()) > 0:  # torchrun sends SIGTERM to the others
            return min(status for status in statuses.values() if status > 0)
        rank, number = next(iter((killed or {rank: -status for rank, status in statuses.items()}).items()))
        raise LostError(
            f"process {rank} of {devices} was ended by {signal.Signals(number).name}{_usual_cause(number)}: continue from what was last "
            "saved with --resume."
        ) from None
    except (SignalException, KeyboardInterrupt):
        return 130
    finally:
        logging.disable(logging.NOTSET)
    return 0


def _usual_cause(number: int) -> str:
    return ", which is how a system ends what takes too much memory" if number == signal.SIGKILL else ""


@contextmanager
def _together() -> Iterator[None]:
    """Inside, processes talk to each other. Raises LostError if one of them is there no more."""
    try:
        yield
    except RuntimeError as error:
        raise LostError(
            f"process {rank()} of {processes()} could not go on, as it lost touch with another one "
            f"({str(error).partition(chr(10))[0][:120]}): continue from what was last saved with --resume."
        ) from error


def broadcast(module: nn.Module) -> None:
    """Gives every process the first one's parameters and buffers."""
    if processes() > 1:
        with _together():
            for tensor in module.state_dict().values():
                dist.broadcast(tensor, src=0)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replaces the gradients by their mean over all processes; parameters without a gradient are skipped.

    Raises UserError if some process has a gradient where another has none: their weights would drift apart.
    """
    if processes() == 1:
        return
    parameters = list(parameters)
    mask = torch.tensor([float(parameter.grad is not None) for parameter in parameters], device=parameters[0].device)
    pieces = [torch.zeros_like(p).view(-1) if p.grad is None else p.grad.reshape(-1) for p in parameters]
    flat = torch.cat([*pieces, mask])
    with _together():
        dist.all_reduce(flat)
    *means, counts = (flat / processes()).split([*(p.numel() for p in parameters), len(parameters)])
    odd = int(((counts > 0) & (counts < 1)).sum())
    if odd:
        raise UserError(
            f"Every process must give gradients to the same parameters of a player, but {odd} of {len(parameters)} got one in some "
            "processes only: let `play` take the same branches in every process (ask the clock, not the data)."
        )
    for parameter, mean in zip(parameters, means, strict=True):
        if parameter.grad is not None:
            parameter.grad.copy_(mean.view_as(parameter))


def average(tensor: Tensor) -> Tensor:
    """The mean of a tensor over all processes, without gradient."""
    if processes() == 1:
        return tensor
    mean = tensor.detach().clone()
    with _together():
        dist.all_reduce(mean)
    return mean / processes()


def greatest(value: float) -> float:
    """The greatest of all processes' values: a request that one of them has, all of them follow."""
    if processes() == 1:
        return value
    held = torch.tensor([value], device="cuda" if dist.get_backend() == "nccl" else "cpu")
    with _together():
        dist.all_reduce(held, op=dist.ReduceOp.MAX)
    return float(held.item())


def share(value: float) -> float:
    """The first process's value, given to all."""
    if processes() == 1:
        return value
    held = torch.tensor([value], dtype=torch.float64, device="cuda" if dist.get_backend() == "nccl" else "cpu")
    with _together():
        dist.broadcast(held, src=0)
    return float(held.item())


def share_text(text: str) -> str:
    """The first process's text, given to all."""
    if processes() == 1:
        return text
    held = [text]
    with _together():
        dist.broadcast_object_list(held, src=0)
    return held[0]


def in_first(action: Callable[[], Result]) -> Result | None:
    """What the action returns in the first process, None in the others, which wait for it. Its UserError is raised in all."""
    if processes() == 1:
        return action()
    result, mistake = None, ""
    if leads():
        try:
            result = action()
        except UserError as error:
            mistake = str(error)
    mistake = share_text(mistake)
    if mistake:
        raise UserError(mistake)
    return result


def wait() -> None:
    """Returns when every process has come here."""
    if processes() > 1:
        with _together():
            dist.barrier()
