from collections import Counter

import pytest

from gansmith.errors import UserError
from gansmith.kinds.images.survey import Survey, Wanted, parse_resolution, resolve


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, None),
        (64, (64, 64)),
        ("64", (64, 64)),
        ("64x48", (64, 48)),
        (" 64 X 48 ", (64, 48)),
        ((3, 5), (3, 5)),
        ((7,), (7, 7)),
    ],
)
def test_a_resolution_is_a_side_or_height_by_width(given: object, meant: tuple[int, int] | None) -> None:
    assert parse_resolution(given) == meant  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["", "big", "64x", "64x48x3", "-4", 0, (1, 2, 3), "0x5"])
def test_other_resolutions_are_refused(given: object) -> None:
    with pytest.raises(UserError, match="the resolution must be a side such as 64"):
        parse_resolution(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sizes", "resolution"),
    [
        ({(28, 28): 5}, (28, 28)),
        ({(48, 256): 5}, (48, 256)),
        ({(300, 300): 5}, (64, 64)),
        ({(480, 640): 5, (640, 480): 5}, (64, 64)),
        ({(480, 640): 99, (3, 3): 1}, (64, 64)),
        ({(480, 640): 5, (40, 50): 5}, (32, 32)),
        ({(3, 3): 5, (4, 4): 5}, (8, 8)),
    ],
)
def test_the_resolution_follows_from_the_sizes(sizes: dict[tuple[int, int], int], resolution: tuple[int, int]) -> None:
    assert resolve(Survey(sizes=Counter(sizes)), Wanted()) == resolution
    assert resolve(Survey(sizes=Counter(sizes)), Wanted(resolution=(5, 6))) == (5, 6)


def test_options_are_checked_before_anything_is_read() -> None:
    with pytest.raises(UserError, match=r'not "centre" \(did you mean "center"\?\)'):
        Wanted(crop="centre")
    with pytest.raises(UserError, match="channels must be 1"):
        Wanted(channels=0)
