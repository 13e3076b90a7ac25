"""Which names of two folders belong together: equal ones, or names that differ only in what people and programs vary."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from gansmith.data.suggestions import listed
from gansmith.errors import UserError

_WORDS = (
    *("a", "b", "lr", "hr", "lq", "hq", "gt", "sr", "input", "output", "target", "source", "in", "out", "real", "fake"),
    *("mask", "label", "labels", "noisy", "clean", "blur", "blurred", "sharp", "rain", "norain", "low", "high", "ref"),
)
_SCALE = re.compile(r"(?<=.)[_-]?x\d(?:\.\d+)?[dmw]?\d?$")
"""How BasicSR and DIV2K mark smaller copies: 0801x4, 0801_x4, 0801x4d."""
_BEFORE = re.compile(rf"^(?:{'|'.join(_WORDS)})[ _.-]+(?=.)")
_AFTER = re.compile(rf"(?<=.)[ _.-]+(?:{'|'.join(_WORDS)})$")
_NAMED = 3
"""How many files an error names."""


@dataclass(frozen=True)
class Partners:
    """What belongs together among names of files, paths relative to two folders."""

    pairs: tuple[tuple[str, str], ...]
    alone: tuple[tuple[str, ...], tuple[str, ...]]
    """Names without a partner on either side."""
    unclear: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """Groups of names of which any might be the partner of any."""
    how: str = ""
    """What partners may differ in, if it is more than their suffix."""

    @property
    def share(self) -> tuple[int, int]:
        """Greater for more pairs, and for fewer names that are alone."""
        return len(self.pairs), -len(self.alone[0]) - len(self.alone[1])

    @property
    def whole(self) -> bool:
        return not (self.alone[0] or self.alone[1] or self.unclear)

    def refuse_unclear(self, sides: tuple[str, str]) -> None:
        """Raises UserError for names that might have several partners."""
        for groups in self.unclear:
            several = 0 if len(groups[0]) > 1 else 1
            raise UserError(
                f"{listed(groups[several], _NAMED)} in {sides[several]} might each be the partner of {groups[1 - several][0]} in "
                f"{sides[1 - several]}: rename or remove all but one."
            )


def partners(a: Sequence[str], b: Sequence[str], *, zeros: bool = True) -> Partners:
    """The names of one folder with their partners in another, as strictly as all find one: by whole names, else without their suffixes,
    in any case, without marks of the side or scale, or (if `zeros`) whatever zeros stand before numbers. If all find one in no way, in the
    way by which most do."""
    best = None
    for how, key in _KEYS if zeros else _KEYS[:-1]:
        found = _by(key, how, a, b)
        if found.whole:
            return found
        if best is None or found.share > best.share:
            best = found
    assert best is not None
    return best


def _by(key: Callable[[str], str], how: str, a: Sequence[str], b: Sequence[str]) -> Partners:
    sides: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    for known, names in zip(sides, (a, b), strict=True):
        for name in names:
            known.setdefault(key(name), []).append(name)
    both = [(sides[0][own], sides[1][own]) for own in sides[0] if own in sides[1]]
    return Partners(
        pairs=tuple((ours[0], theirs[0]) for ours, theirs in both if len(ours) == len(theirs) == 1),
        alone=(
            tuple(name for own, names in sides[0].items() if own not in sides[1] for name in names),
            tuple(name for own, names in sides[1].items() if own not in sides[0] for name in names),
        ),
        unclear=tuple((tuple(ours), tuple(theirs)) for ours, theirs in both if max(len(ours), len(theirs)) > 1),
        how=how,
    )


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _unmarked(name: str) -> str:
    path = PurePosixPath(_stem(name).casefold())
    bare = path.name
    for mark in (_SCALE, _AFTER, _SCALE, _BEFORE):
        bare = mark.sub("", bare)
    return str(path.with_name(bare))


def _unpadded(name: str) -> str:
    return re.sub(r"\d+", lambda digits: str(int(digits[0])), _unmarked(name))


_KEYS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("", str),
    ("", _stem),
    ("upper and lower case", lambda name: _stem(name).casefold()),
    ("case and marks of the side or scale", _unmarked),
    ("case, marks of the side or scale, and zeros before numbers", _unpadded),
)
