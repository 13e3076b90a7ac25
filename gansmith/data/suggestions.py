"""Error texts that name what would have been right."""

from collections.abc import Sequence
from difflib import get_close_matches


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """` (did you mean "cat"?)`, or nothing if no known word is near."""
    by_case = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), list(by_case), n=1, cutoff=0.6)
    return f' (did you mean "{by_case[near[0]]}"?)' if near else ""


def listed(names: Sequence[str], at_most: int = 12) -> str:
    """`a, b, c and 4 more`."""
    rest = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {rest} more" if rest > 0 else "")
