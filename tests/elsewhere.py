"""A device that is not the CPU, played by the CPU: what would wait for it, and what would mix its tensors with the CPU's."""

import traceback
from collections.abc import Callable, Iterable
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal")
"""Operations that make the host wait: reading a number, or a shape that depends on numbers."""
MIXING = ("copy_", "_to_copy", "index", "index_put_", "_index_put_impl_", "index_put", "set_", "_unsafe_index")
"""What PyTorch does with tensors of two devices: copies, and indices that lie on the CPU."""
MAKING = (
    "tensor",
    "empty",
    "zeros",
    "ones",
    "full",
    "arange",
    "randn",
    "rand",
    "randint",
    "randperm",
    "linspace",
    "eye",
    "as_tensor",
)


class Elsewhere(TorchDispatchMode):
    """Inside, what is made with a device or sent to one is there, and so is all that is computed from it; the rest is here, on the CPU.

    `waits` names the operations that would make the host wait, `mixed` those that would fail, each with the line that asked for it.
    Tensors of one number may come from the CPU, as in PyTorch. Tensors from before, and those that PyTorch itself makes, are taken for
    whatever fits. All are kept until the end, so that no memory is given out twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []
        self.mixed: list[str] = []
        self._there: dict[int, Any] = {}
        self._here: dict[int, Any] = {}
        self._patches = [
            patch("gansmith.layers.sequence.on_the_host", lambda tokens: False),
            patch("gansmith.gans.speech.on_the_host", lambda tokens: False),
            patch.object(Tensor, "new_tensor", self._placing(Tensor.new_tensor, lambda args, kwargs: True)),
            patch.object(Tensor, "to", self._placing(Tensor.to, _names_a_device)),
            *(patch.object(torch, name, self._placing(getattr(torch, name), _given_a_device)) for name in MAKING),
        ]

    def __enter__(self) -> "Elsewhere":
        for own in self._patches:
            own.start()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for own in self._patches:
            own.stop()

    def put(self, tensors: Iterable[Tensor]) -> None:
        """These are there."""
        for tensor in tensors:
            self._here.pop(_address(tensor), None)
            self._keep(self._there, tensor)

    def _placing(self, function: Callable[..., Tensor], there: Callable[..., bool | None]) -> Callable[..., Tensor]:
        """The function, whose results are then where `there` says; None: wherever they were."""

        def placing(*args: Any, **kwargs: Any) -> Tensor:
            made, goes = function(*args, **kwargs), there(args, kwargs)
            if goes is None:
                return made
            own = made.clone()  # the CPU has nothing to send: the original would go too
            self.put([own]) if goes else self._keep(self._here, own)
            return own

        return placing

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = any(_address(tensor) in self._there or not tensor.numel() for tensor in given)
        if there and name in WAITING:
            self.waits.append(f"{name}: {_line()}")
        if there and name not in MIXING and any(_address(tensor) in self._here and tensor.dim() for tensor in given):
            self.mixed.append(f"{name}: {_line()}")
        made = func(*args, **kwargs)
        source = given[:1] if name in MIXING else given
        places = [place for place in (self._there, self._here) if any(_address(tensor) in place for tensor in source)]
        for tensor in tree_leaves(made):
            if places and isinstance(tensor, Tensor) and not any(tensor is own for own in given):
                self._keep(places[0], tensor)
        return made

    def _keep(self, place: dict[int, Any], tensor: Tensor) -> None:
        address = _address(tensor)
        if tensor.numel() and address not in self._here and address not in self._there:
            place[address] = tensor.untyped_storage()


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _names_a_device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | None:
    return any(isinstance(own, torch.device) for own in (*args[1:], *kwargs.values())) or None


def _given_a_device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return kwargs.get("device") is not None


def _line() -> str:
    ours = [frame for frame in traceback.extract_stack() if "/gansmith/" in frame.filename]
    return f"{ours[-1].filename.rpartition('/gansmith/')[2]}:{ours[-1].lineno} {ours[-1].line}" if ours else "a backward pass"
