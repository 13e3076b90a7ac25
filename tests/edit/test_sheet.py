import numpy as np
from PIL import Image

from gansmith.edit.sheet import LETTERS, WIDEST, Sheet

RED, BLUE = (250, 10, 10), (10, 10, 250)


def _plain(colour, size=(8, 8)):
    return Image.new("RGB", size, colour)


def test_every_column_and_row_has_its_name_and_its_pictures() -> None:
    bare = Sheet([_plain(RED), _plain(BLUE)], [""], ["", ""]).image()
    named = Sheet([_plain(RED), _plain(BLUE)], ["class 1"], ["a", "b"]).image()
    top, left = named.height - bare.height, named.width - bare.width
    assert top == 2 * LETTERS and left > 3 * LETTERS
    np.testing.assert_array_equal(np.asarray(named)[top:, left:], np.asarray(bare))
    margin = np.asarray(named.convert("L"))
    assert (
        margin[top:, :left].min() < 150
        and margin[:top, left : left + bare.width // 2].min() < 150
        and margin[:top, :left].min() > 240
    )


def test_pictures_grow_until_the_names_fit() -> None:
    sheet = Sheet([_plain(RED)], [""], ["the nearest random one"]).image()
    assert (np.asarray(sheet) == RED).all(2).sum(1).max() >= 100


def test_long_names_are_cut() -> None:
    sheet = Sheet([_plain(RED, (64, 64))], ["a very long name " * 20], [""]).image()
    assert sheet.width < 64 + WIDEST + 40
