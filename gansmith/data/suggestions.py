"""Error texts that name what would have been right."""

from collections.abc import Sequence
from difflib import get_close_matches

SHOWN = 400
"""Characters of a name in a list; longer ones are cut."""
COMPARED, MANY = 100, 5000
"""Words of more characters are compared with nothing, and others with no more names: it takes time by the square of the length."""


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """` (did you mean "cat"?)`, or nothing if no known word is near."""
    if len(word) > COMPARED:
        return ""
    by_case = {name.casefold(): name for name in known[:MANY]}
    near = get_close_matches(word.casefold(), list(by_case), n=1, cutoff=0.6)
    return f' (did you mean "{by_case[near[0]]}"?)' if near else ""


def listed(names: Sequence[str], at_most: int = 12) -> str:
    """`a, b, c and 4 more`."""
    rest = len(names) - at_most
    shown = [name if len(name) <= SHOWN else f"{name[:SHOWN]}..." for name in names[:at_most]]
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
