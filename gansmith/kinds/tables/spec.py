"""What networks must know about tables."""

from dataclasses import dataclass
from typing import Any

from gansmith.data.spec import Spec, identity_of_0_1


@dataclass(frozen=True, kw_only=True)
class TableSpec(Spec):
    """Rows [width] of numbers and one-hot choices."""

    kind: str = "tables"
    key: str = "row"
    axes: tuple[str, ...] = ("position",)
    columns: tuple[tuple[int, ...], ...] = ()
    """For every column that a row holds, the sizes of its groups in order: 1 is a number, more are a one-hot choice. A number behind a
    choice counts only where the last option is chosen, and is 0 elsewhere."""
    target: int = -1
    """Index of the target among these columns."""

    def identity(self) -> dict[str, Any]:
        return identity_of_0_1(self, columns=self.columns, target=self.target)
