"""What networks must know about texts."""

from dataclasses import dataclass

from gansmith.data.tokens import TokenSpec


@dataclass(frozen=True, kw_only=True)
class TextSpec(TokenSpec):
    """Tokens [length] of texts."""

    kind: str = "text"
    key: str = "text"
