"""Players that users bring: PyTorch modules and Keras models, whatever the layout, range and last layer they have.

What a network expects is found by a probe with a batch of two: the size of its noise, whether images have their channels first or last or
are flat rows, whether it takes labels, and whether it ends in a sigmoid.
"""

from __future__ import annotations

import copy
import inspect
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansmith.data.programs import answer, python_module
from gansmith.data.spec import Spec
from gansmith.errors import UserError

USUAL_NOISE = (100, 128, 64, 256, 512, 32, 16, 10, 2)
"""Sizes of noise that are tried if neither an option nor the first layer says one."""
LABELS = ("label", "labels", "class_label", "class_labels", "classes", "y", "c", "cond", "condition")
"""Names of an input that may be left out under which labels are given; another one, such as truncation=1.0, keeps its value."""
SURE = 1e-6
"""How near to 0 and 1 the probabilities of a critic with a sigmoid are taken; beyond, its logits are cut."""


def from_file(named: str, option: str) -> tuple[Path, str]:
    """The file, as an absolute path, and the function of "FILE.py:FUNCTION". Raises UserError for anything else."""
    path, colon, function = named.rpartition(":")
    if not colon or not path.endswith(".py") or not function.isidentifier():
        came = repr(named) if named else "nothing"
        raise UserError(f"{option} should name a function in a Python file, FILE.py:FUNCTION, but {came} came: change it.")
    return Path(path).expanduser().resolve(), function


def made(named: str, option: str, spec: Spec) -> nn.Module:
    """The network that the function of "FILE.py:FUNCTION" returns.

    The function may take `shape` (that of an example, channels first), `classes` (how many) or nothing. Raises UserError if the file may
    not run, there is no such function, it fails, or it returns something else than a torch module or a Keras model.
    """
    path, function = from_file(named, option)
    os.environ.setdefault("KERAS_BACKEND", "torch")
    module = python_module(path, option, f"the function {function}")
    make = getattr(module, function, None)
    if not callable(make):
        raise UserError(f"{path} has no function {function}, which {option} names: write one that returns a network.")
    offered = {"shape": spec.shape, "classes": len(spec.classes)}
    taken = inspect.signature(make).parameters
    with _keras_seeded():
        network = answer(path, lambda: make(**{name: value for name, value in offered.items() if name in taken}))
    if _is_keras(network) and not isinstance(network, nn.Module):
        raise UserError(
            f"{named} returns a Keras model of another backend than torch: set the environment variable KERAS_BACKEND=torch."
        )
    if not isinstance(network, nn.Module):
        raise UserError(f"{named} should return a torch module or a Keras model, but a {type(network).__name__} came: change it.")
    return network


@contextmanager
def _keras_seeded() -> Iterator[None]:
    """Inside, Keras draws its initial weights from a seed that torch's generator decides; all other streams stay as they are."""
    keras = sys.modules.get("keras")
    if keras is None:
        yield
        return
    seed, python, numpy = int(torch.randint(2**31, ())), random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            keras.utils.set_random_seed(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


class Brought(nn.Module):
    """A network of the user's, called alike whoever made it.

    A Keras model holds each of its variables under several names, so it is kept aside, and its variables are registered here once.
    """

    def __init__(self, network: nn.Module, name: str, spec: Spec) -> None:
        super().__init__()
        self.name, self.shape, self.keras = name, tuple(spec.shape), _is_keras(network)
        self.takes_label = bool(spec.classes or spec.attributes) and _inputs(network, self.keras) >= 2
        if self.keras:
            self._keep(network)
        else:
            self.network = network

    def _keep(self, model: Any) -> None:
        self.aside = (model,)
        self.variables = nn.ParameterList(variable.value for variable in model.variables)

    def __deepcopy__(self, memo: dict[int, Any]) -> Brought:
        twin = type(self).__new__(type(self))
        nn.Module.__init__(twin)
        memo[id(self)] = twin
        own = {name: value for name, value in vars(self).items() if name not in {*vars(nn.Module()), "aside"}}
        vars(twin).update(copy.deepcopy(own, memo))
        twin.training = self.training
        if self.keras:
            model = copy.deepcopy(self.aside[0])
            twin._keep(model)
            with torch.no_grad():
                for new, old in zip(twin.variables, self.variables, strict=True):
                    new.copy_(old)
        else:
            twin.network = copy.deepcopy(self.network, memo)
        return twin

    def call(self, x: Tensor, label: Tensor | None) -> Tensor:
        inputs = [x, label] if self.takes_label and label is not None else [x]
        if self.keras:
            return self.aside[0](inputs if len(inputs) > 1 else x, training=self.training)  # Keras does not ask nn.Module
        return self.network(*inputs)

    @torch.no_grad()
    def tried(self, x: Tensor, label: Tensor | None) -> tuple[Tensor | None, str]:
        """What it answers in evaluation mode, or None and why it fails."""
        mode = self.training
        self.eval()
        try:
            with torch.random.fork_rng(devices=[]):
                found = self.call(x, label)
        except Exception as error:  # whatever the user's network raises
            return None, str(error).strip().partition("\n")[0] or type(error).__name__
        finally:
            self.train(mode)
        return (found, "") if isinstance(found, Tensor) else (None, f"it answers with a {type(found).__name__}")


class BroughtGenerator(Brought):
    """Noise [n, noise] and, if the network takes them, labels [n] to examples [n, *shape] in [-1, 1]."""

    def __init__(self, network: nn.Module, name: str, spec: Spec, noise: int = 0) -> None:
        """`noise` 0: its size is found. Raises UserError if no noise makes examples of this shape."""
        super().__init__(network, name, spec)
        label, reasons = _label(spec), []
        for size, maps in _noises(network, self.keras, noise):
            x = torch.randn(2, size, 1, 1) if maps else torch.randn(2, size)
            found, reason = self.tried(x, label)
            if found is not None and (layout := _layout(found, self.shape)):
                self.noise, self.maps, self.layout = size, maps, layout
                self.ends_in_sigmoid = _ends_in_sigmoid(self.call, x, label)
                return
            what = reason or f"it answers with {_shape(found)}"
            reasons.append(f"{_shape(x)}: {what}")
        height = self.shape[1:]
        last = f" or [n, {', '.join(map(str, (*height, self.shape[0])))}]" if height else ""
        raise UserError(
            f"{name} should make examples [n, {', '.join(map(str, self.shape))}]{last} of noise [n, size], but of noise "
            f"{'; of '.join(reasons[:2])}. Change its layers, or give the size with --gan.noise."
        )

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        found = self.call(noise[:, :, None, None] if self.maps else noise, label).float()
        if self.layout == "last":
            found = found.movedim(-1, 1)
        found = found.reshape(-1, *self.shape)
        return 2 * found - 1 if self.ends_in_sigmoid else found


class BroughtCritic(Brought):
    """Examples [n, *shape] and, if the network takes them, labels [n] to logits [n, ...]."""

    def __init__(self, network: nn.Module, name: str, spec: Spec) -> None:
        """Raises UserError if it takes examples of this shape in no layout."""
        super().__init__(network, name, spec)
        x, label, reasons = torch.randn(2, *self.shape), _label(spec), []
        for layout in ("first", "last", "flat") if len(self.shape) > 1 else ("flat",):
            found, reason = self.tried(_laid_out(x, layout), label)
            if found is not None and found.dim() and len(found) == 2:
                self.layout = layout
                self.ends_in_sigmoid = _ends_in_sigmoid(self.call, _laid_out(x, layout), label)
                return
            reasons.append(f"{_shape(_laid_out(x, layout))}: {reason or f'it answers with {_shape(found)}'}")
        raise UserError(
            f"{name} should judge examples [n, {', '.join(map(str, self.shape))}], channels first, last or flat, with a number each, "
            f"but of {'; of '.join(reasons)}. Change its layers."
        )

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        found = self.call(_laid_out(x, self.layout), label).float()
        found = found.flatten(1) if found.dim() > 1 else found[:, None]
        return torch.logit(found, SURE) if self.ends_in_sigmoid else found


def _is_keras(network: Any) -> bool:
    return any(base.__module__.partition(".")[0] == "keras" for base in type(network).__mro__)


def _inputs(network: Any, keras: bool) -> int:
    """How many inputs a network takes."""
    if keras:
        inputs = getattr(network, "inputs", None)
        return len(inputs) if inputs else 1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    taken = inspect.signature(network.forward).parameters.values()
    return sum(own.kind in positional and (own.default is own.empty or own.name.lower() in LABELS) for own in taken)


def _noises(network: Any, keras: bool, noise: int) -> Iterator[tuple[int, bool]]:
    """Sizes of noise to try, as rows [n, size] (False) and as maps [n, size, 1, 1]: the given or first layer's one, then usual ones."""
    sizes = [noise] if noise else []
    if not noise and keras:
        shapes = getattr(network, "input_shape", None)
        first = shapes[0] if isinstance(shapes, list) else shapes
        sizes += [prod(side for side in first[1:] if side)] if first and len(first) > 1 else []
    elif not noise:
        for layer in network.modules():
            size = getattr(layer, "in_features", None) or getattr(layer, "in_channels", None)
            if isinstance(size, int):
                sizes.append(size)
                break
    for size in dict.fromkeys([*sizes, *(USUAL_NOISE if not noise else ())]):
        yield size, False
        yield size, True


def _label(spec: Spec) -> Tensor | None:
    if spec.classes:
        return torch.tensor([0, len(spec.classes) - 1])
    return torch.zeros(2, len(spec.attributes)) if spec.attributes else None


def _layout(found: Tensor, shape: tuple[int, ...]) -> str | None:
    """How an answer lays out examples of this shape; None if it is something else."""
    got = tuple(found.shape[1:])
    if found.dim() == 0 or len(found) != 2:
        return None
    if got == shape:
        return "first"
    if len(shape) > 1 and got == (*shape[1:], shape[0]):
        return "last"
    alone = (*shape[1:],) if shape[0] == 1 else None
    return "flat" if got in ((prod(shape),), alone) else None


def _laid_out(x: Tensor, layout: str) -> Tensor:
    return x.movedim(1, -1).contiguous() if layout == "last" else x.flatten(1) if layout == "flat" else x


def _ends_in_sigmoid(call: Any, x: Tensor, label: Tensor | None) -> bool:
    """Whether the last operation on the way out, reshaping aside, is a sigmoid."""
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        step = call(x.clone().requires_grad_(), label).grad_fn
    while step is not None and type(step).__name__.removesuffix("0").removesuffix("Backward") in _RESHAPING:
        step = step.next_functions[0][0] if step.next_functions else None
    return step is not None and type(step).__name__.startswith("Sigmoid")


_RESHAPING = (
    "View",
    "UnsafeView",
    "Squeeze",
    "Unsqueeze",
    "Permute",
    "Transpose",
    "ReshapeAlias",
    "Clone",
    "ToCopy",
    "Alias",
    "Mean",
)


def _shape(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"[{', '.join(map(str, tensor.shape))}]"
