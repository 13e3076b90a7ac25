"""What networks must know about sequences of tokens, whatever the tokens stand for."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from gansmith.data.spec import Spec, Task


@dataclass(frozen=True, kw_only=True)
class TokenSpec(Spec):
    """Tokens [length], int64 from 0 to `vocabulary` - 1. An example shorter than `length` has the token `end` behind it, then `pad`."""

    FIXED: ClassVar[tuple[str, ...]] = ("axes", "pad", "end", "unknown")

    axes: tuple[str, ...] = ("token",)
    vocabulary: int = 0
    """How many tokens there are, the three below included."""
    frequencies: tuple[int, ...] = ()
    """How often each token occurs in the data; the end once in each example that is not cut, padding never."""
    context: int = 0
    """Tokens of what each example answers, under the key "context", with padding before shorter ones; 0 where they answer nothing."""
    pad: int = 0
    """Fills what lies behind the end."""
    end: int = 1
    """Ends an example."""
    unknown: int = 2
    """Stands for what the vocabulary lacks; never in the training data."""

    def parts(self, tokens: Int[np.ndarray, "examples length"]) -> Int[np.ndarray, "examples parts"] | None:
        """Positive numbers of what examples consist of besides runs of tokens, 0 behind the last one; None where nothing is known."""
        return None

    @property
    def task(self) -> Task:
        """Replies where examples answer something; else generation."""
        return "replies" if self.context else super().task


def smallest_dtype(size: int) -> np.dtype:
    """The smallest unsigned integers (int32 above 65,536) that hold the numbers below `size`."""
    return np.dtype(np.uint8 if size <= 2**8 else np.uint16 if size <= 2**16 else np.int32)


def padded(tokens: list[int], length: int, dtype: np.dtype) -> Int[np.ndarray, " length"]:
    """Tokens with the end and padding behind them; cut at `length`."""
    row = np.full(length, TokenSpec.pad, dtype)
    kept = tokens[:length]
    row[: len(kept)] = kept
    if len(kept) < length:
        row[len(kept)] = TokenSpec.end
    return row


def counted(rows: list[list[int]], length: int, vocabulary: int) -> tuple[int, ...]:
    """How often each token occurs in rows that are cut at `length`, and the end in those that are shorter."""
    counts = np.bincount(np.fromiter((token for row in rows for token in row[:length]), np.int64), minlength=vocabulary)
    counts[TokenSpec.end] = sum(len(row) < length for row in rows)
    return tuple(counts.tolist())
