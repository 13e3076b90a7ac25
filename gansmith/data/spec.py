"""What networks must know about the data they learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, Self

Task = Literal["generation", "pairs", "domains", "replies"]
"""What a game is about: examples from noise (and labels), examples from their given partner, examples of one class in the look of
another, or replies to what is given as a condition."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The facts of a codec that networks need; saved in every checkpoint and model. Every kind of data has a subclass."""

    FIXED: ClassVar[tuple[str, ...]] = ("axes",)
    """Fields that follow from the class and are not saved."""

    ALWAYS: ClassVar[tuple[str, ...]] = ("kind", "key")
    """Fields that are saved even if they have their usual values."""

    kind: str
    """The kind of data: the name of its folder in `gansmith.kinds`."""
    key: str
    """The key under which a batch holds the examples: "image", "point"."""
    shape: tuple[int, ...]
    """The shape of one example without the batch: (channels, height, width) or (dimensions,)."""
    axes: tuple[str, ...] = ()
    """What each dimension of `shape` is: ("channel", "height", "width"), ("step", "channel"), ("dimension",)."""
    classes: tuple[str, ...] = ()
    """The names of the classes, in the order of the integers under the key "label"; empty if the data has no classes."""
    attributes: tuple[str, ...] = ()
    """The names of the numbers under the key "label" [B, K], if conditions are several or continuous; never beside classes."""
    steps: tuple[int, ...] = ()
    """Into how many steps the range of each attribute is divided for networks, which see it on knots between; 1 where it has two values. ()
    in models of before, whose networks see each attribute as one number."""
    source: Spec | None = None
    """What an example is made from (pairs: the given side); None where it is made from noise."""
    aligned: bool = True
    """Whether source and example belong together (pairs of one scene), or merely come from two domains."""

    @property
    def task(self) -> Task:
        """Generation without a source; with one, "domains" where examples have classes between which they move, else "pairs"."""
        return "generation" if self.source is None else "domains" if self.classes else "pairs"

    @property
    def source_shape(self) -> tuple[int, ...]:
        """The shape of what an example is made from; () where it is made from noise."""
        return self.source.shape if self.source else ()

    @property
    def conditions(self) -> int:
        """How many numbers a condition is: one per class (one-hot) or one per attribute; 0 without labels."""
        return len(self.classes) or len(self.attributes)

    @property
    def label_width(self) -> int:
        """How many numbers networks take a condition as: one per class, or one per attribute and one per knot of its steps."""
        return self.conditions + sum(count + 1 for own in self.steps for count in levels_of(own))

    def to_json(self) -> dict[str, Any]:
        """Flat facts; what equals its default is left out, and so is what follows from the class."""
        facts = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in self.FIXED or (value == field.default and field.name not in self.ALWAYS):
                continue
            facts[field.name] = value.to_json() if isinstance(value, Spec) else list(value) if isinstance(value, tuple) else value
        return facts

    def identity(self) -> dict[str, Any]:
        """The facts that fingerprints of data hold: those of version 0.1 for kinds that it had, so that its runs can be resumed."""
        return self.to_json()

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        """The spec that `to_json` described; specs of earlier versions, which held facts of all kinds, too."""
        known = {field.name for field in fields(cls)}
        own = {key: _tuples(value) for key, value in facts.items() if key in known and key not in cls.FIXED}
        if isinstance(facts.get("source"), dict):
            from gansmith.kinds import load_spec

            own["source"] = load_spec(facts["source"])
        return cls(**own)


def levels_of(steps: int) -> tuple[int, ...]:
    """Numbers of steps that networks see an attribute of so many in: all, a quarter and a sixteenth; none of a single one."""
    return tuple(count for count in (steps, steps // 4, steps // 16) if count > 1)


def identity_of_0_1(spec: Spec, kind: str | None = None, **own: Any) -> dict[str, Any]:
    """The facts of a spec as version 0.1 wrote them, in its order: facts of all kinds side by side, empty where they did not apply."""
    facts = {
        "kind": kind or spec.kind,
        "key": spec.key,
        "shape": spec.shape,
        "classes": spec.classes,
        "attributes": spec.attributes,
        "given": spec.source_shape,
        "aligned": spec.aligned,
        **{name: own[name] for name in ("holes",) if own.get(name)},
        "columns": own.get("columns", ()),
        **{name: own[name] for name in ("target",) if own.get("columns")},
        "means": own.get("means", ()),
        "spectrum": own.get("spectrum", ()),
        **{name: own[name] for name in ("quantiles",) if own.get(name)},
    }
    return {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}


def _tuples(value: Any) -> Any:
    """JSON's lists, nested ones too, as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def in_words(axes: Sequence[str]) -> str:
    """Examples with these axes, of whatever kind of data: "anything of tokens", and "graphs of atoms" of an axis that comes twice."""
    different = [f"{axis}s" for axis in dict.fromkeys(axes)]
    return f"{'graphs' if len(different) < len(axes) else 'anything'} of {' and '.join(different)}"
