"""What networks must know about images."""

from dataclasses import dataclass, replace
from typing import Any, Self

from gansmith.data.spec import Spec, identity_of_0_1


@dataclass(frozen=True, kw_only=True)
class ImageSpec(Spec):
    """Images [channels, height, width]."""

    kind: str = "images"
    key: str = "image"
    axes: tuple[str, ...] = ("channel", "height", "width")
    holes: bool = False
    """Whether the last channel says what is known: 1 there means that the other channels show it, -1 that it is hidden."""

    def identity(self) -> dict[str, Any]:
        holes = isinstance(self.source, ImageSpec) and self.source.holes
        return identity_of_0_1(self, None if self.task == "generation" else self.task, holes=holes)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        """Models of earlier versions had the kinds "pairs" and "domains" and the shape of what was `given`."""
        spec = super().from_json({**facts, "kind": "images", "holes": False} if "given" in facts else facts)
        if not facts.get("given"):
            return spec
        return replace(spec, source=cls(shape=tuple(facts["given"]), holes=bool(facts.get("holes"))))
