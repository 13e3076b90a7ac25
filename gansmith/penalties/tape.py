"""A record of what a critic computes from its input, for critics that are piecewise linear and judge each example alone.

While a critic runs under a `Tape`, every operation on its input or on something made from it is written down. Between two kinks
such a critic is affine in its input, so the record can be replayed on other numbers with the kinks where they were. Anything that
the table of operations does not know makes the record incomplete, and nobody uses it: never a wrong number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge
from torch.overrides import TorchFunctionMode

from gansmith.penalties.operations import FACTS, OPERATIONS, Call, Operation


@dataclass(frozen=True)
class Step:
    """An operation of the record: what it reads (numbers of earlier results, 0 the input), and what it made."""

    operation: Operation
    sources: tuple[int, ...]
    output: Tensor


class Tape(TorchFunctionMode):
    """Writes down the operations between `x` and what is made of it, while it is entered.

    `obstacle` names what made the record incomplete, and is None for one that may be replayed.
    """

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self.x = x
        self.steps: list[Step] = []
        self.obstacle: str | None = None
        self._numbers = {id(x): 0}  # the steps keep the tensors alive, so that no number is given twice

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        output = function(*args, **kwargs)
        if self.obstacle is None and function not in FACTS:
            sources = [tensor for tensor in _tensors((args, kwargs)) if id(tensor) in self._numbers]
            if sources:
                self._write(Call(function, args, kwargs, self._is_source, output), sources)
        return output

    def _is_source(self, value: Any) -> bool:
        return isinstance(value, Tensor) and id(value) in self._numbers

    def _write(self, call: Call, sources: list[Tensor]) -> None:
        understand = OPERATIONS.get(call.function)
        output = call.output
        operation = understand(call) if understand and isinstance(output, Tensor) and len(output) == len(self.x) else None
        if operation is None:
            self.obstacle = getattr(call.function, "__name__", str(call.function))
            return
        self.steps.append(Step(operation, tuple(self._numbers[id(source)] for source in sources), output))
        self._numbers[id(output)] = len(self.steps)

    def close(self, logits: Tensor) -> None:
        """Checks the whole: the logits [B] are the last word, and no weight was made from the input behind the tape's back."""
        if self.obstacle is None and (logits.dim() != 1 or self._numbers.get(id(logits)) != len(self.steps) or not self.steps):
            self.obstacle = "the logits"
        if self.obstacle is None and _reaches(get_gradient_edge(self.x).node, self.weights):
            self.obstacle = "a weight that depends on the input"

    @property
    def weights(self) -> list[Tensor]:
        """The tensors with gradients that the operations used besides the input, in order; one as often as it was used."""
        return [weight for step in self.steps for weight in step.operation.weights]


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))


def _reaches(target: Node, tensors: list[Tensor]) -> bool:
    """Whether the history of any of the tensors contains this node."""
    waiting: list[Node | None] = [get_gradient_edge(tensor).node for tensor in tensors if not tensor.is_leaf]
    seen: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node is target:
            return True
        if node is not None and node not in seen:
            seen.add(node)
            waiting.extend(following for following, _ in node.next_functions)
    return False


def record(critic: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tape]:
    """The critic's logits for x, with their history, and the tape."""
    tape = Tape(x)
    with tape:
        logits = critic(x)
    tape.close(logits)
    return logits, tape
