"""The metrics in this folder, found without importing them."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from gansmith.evaluation.score import Measured

if TYPE_CHECKING:
    from gansmith.data.dataset import Dataset

_HERE = Path(__file__).parent

Better = Literal["lower", "higher"]
Subject = Literal["both", "quality", "diversity", "memorisation", "other"]
"""What a metric tells of; "both" is quality and diversity in one. A module says it in a literal SAYS, "other" is not said."""


@runtime_checkable
class Family(Protocol):
    """What a module of this folder, or of a kind's folder metrics/, offers to be a metric or a family of metrics.

    It may also say, each in a name of its module: SAYS, what its metrics tell of (see `Subject`); INCEPTION, the outputs of
    Inception-v3 that it needs ("features", "spatial"), which makes it a metric of all examples; BASELINE, what its baseline is if
    not the usual one; MINIMUM, the fewest examples that it can judge if not 20, as it looks at each alone; and `key(real) -> str`, what
    its baseline and ceiling depend on besides the data and the space.
    """

    METRICS: dict[str, tuple[Better, str]]
    """Its metrics by name: which direction is better, and what it says, in one line. A literal: it is read without importing."""

    def measure(self, side: Any) -> dict[str, Measured]:
        """Its metrics of one `sides.Side`, without those that find nothing to measure; raises NotApplicableError where none has a
        meaning."""
        ...


class NotApplicableError(Exception):
    """This metric has no meaning for this data; the message is the sentence that says why."""


@cache
def families() -> dict[str, dict[str, tuple[Better, str]]]:
    """The families' METRICS by the name of their module."""
    return _literals("METRICS")


@cache
def subjects() -> dict[str, Subject]:
    """What every metric tells of, by its name: the SAYS of its module, which holds for all its metrics or names each."""
    said, found = _literals("SAYS"), {}
    for module, metrics in families().items():
        of_module = said.get(module, "other")
        found |= of_module if isinstance(of_module, dict) else dict.fromkeys(metrics, of_module)
    return found


def _literals(name: str) -> dict[str, Any]:
    """The literals assigned to this name in the modules of this folder, by module."""
    found = {}
    for path in _modules():
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == [name]:
                found[_module_name(path)] = ast.literal_eval(statement.value)
    return found


def _modules() -> list[Path]:
    """The files of this folder and of every kind's own metrics."""
    return [*sorted(_HERE.glob("*.py")), *sorted(_HERE.parent.glob("kinds/*/metrics/*.py"))]


def _module_name(path: Path) -> str:
    return ".".join(("gansmith", *path.relative_to(_HERE.parent).with_suffix("").parts))


def metric_names() -> dict[str, str]:
    """Every metric with one line on what it says; imports no metric and no torch."""
    return {name: f"{line} ({better} is better)" for metrics in families().values() for name, (better, line) in metrics.items()}


def family_of(metric: str) -> str:
    """The name of the module that measures this metric."""
    return next(module for module, metrics in families().items() if metric in metrics)


def kinds_of(module: str) -> tuple[str, ...]:
    """The kinds of data that a family measures: the one in whose folder it lies; () for any."""
    parts = module.split(".")
    return (parts[2],) if parts[1] == "kinds" else ()


def check_kind(module: str, train: Dataset) -> None:
    """Raises NotApplicableError for data of a kind that a family does not measure."""
    theirs, kind = kinds_of(module), train.codec.spec.kind
    if theirs and kind not in theirs:
        names = list(families()[module])
        verb = "is a metric" if len(names) == 1 else "are metrics"
        raise NotApplicableError(f"{' and '.join(names)} {verb} of {' and '.join(theirs)}, and {train.name} holds {kind}.")


def load_family(module: str) -> Family:
    return importlib.import_module(module)  # pyright: ignore[reportReturnType]
