"""What networks must know about texts."""

from dataclasses import dataclass
from typing import ClassVar

from gansmith.data.spec import Spec


@dataclass(frozen=True, kw_only=True)
class TextSpec(Spec):
    """Tokens [length], int64 from 0 to `vocabulary` - 1. A text shorter than `length` has the token `end` behind it, then `pad`."""

    FIXED: ClassVar[tuple[str, ...]] = ("axes", "pad", "end", "unknown")

    kind: str = "text"
    key: str = "text"
    axes: tuple[str, ...] = ("position",)
    vocabulary: int = 0
    """How many tokens there are, the three below included."""
    frequencies: tuple[int, ...] = ()
    """How often each token occurs in the data; the end once in each text that is not cut, padding never."""
    pad: int = 0
    """Fills what lies behind the end."""
    end: int = 1
    """Ends a text."""
    unknown: int = 2
    """Stands for a character that the vocabulary lacks; never in the training data."""
