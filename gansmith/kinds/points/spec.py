"""What networks must know about points."""

from dataclasses import dataclass
from typing import Any

from gansmith.data.spec import Spec, identity_of_0_1


@dataclass(frozen=True, kw_only=True)
class PointSpec(Spec):
    """Points [dimensions]."""

    kind: str = "points"
    key: str = "point"
    axes: tuple[str, ...] = ("dimension",)

    def identity(self) -> dict[str, Any]:
        return identity_of_0_1(self)
