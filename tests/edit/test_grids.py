import numpy as np
import pytest

from gansmith.edit.grids import attribute_grid, class_grid, style_grid
from gansmith.edit.seeding import Seeded
from gansmith.errors import UserError


def test_a_grid_of_classes_has_a_row_for_each(labelled, plain) -> None:
    pictures, columns = class_grid(labelled, [3, 4])
    assert len(pictures) == 6 and columns == 2
    for row, name in enumerate(labelled.codec.spec.classes):
        expected = Seeded(labelled, [3, 4]).generate(2, **{"class": name})
        for column in range(2):
            np.testing.assert_array_equal(np.asarray(pictures[2 * row + column]), np.asarray(expected[column].image))
    assert len(class_grid(plain, [1, 2, 3])[0]) == 3


def test_an_attribute_goes_through_its_range(attributed) -> None:
    pictures, columns = attribute_grid(attributed, [1, 2], "age", count=4)
    assert columns == 4 and len(pictures) == 8
    (expected,) = Seeded(attributed, [1]).generate(1, age="20", bright="0")
    low, _ = attribute_grid(attributed, [1], "age", count=2, bright="0")
    np.testing.assert_allclose(np.asarray(low[0], float), np.asarray(expected.image, float), atol=1)
    with pytest.raises(UserError, match='no attribute "agee" to vary: this model has bright, age'):
        attribute_grid(attributed, [1], "agee")


def test_mixed_styles_have_the_left_half_of_the_row_and_the_right_half_of_the_column(styled) -> None:
    pictures, columns = style_grid(styled, [1, 2], [3, 4, 5], layers=1)
    assert columns == 3 and len(pictures) == 6
    rows, others = Seeded(styled, [1, 2]).generate(2), Seeded(styled, [3, 4, 5]).generate(3)
    for place, picture in enumerate(pictures):
        np.testing.assert_array_equal(np.asarray(picture)[:, :4], np.asarray(rows[place // 3].image)[:, :4])
        np.testing.assert_array_equal(np.asarray(picture)[:, 4:], np.asarray(others[place % 3].image)[:, 4:])
    with pytest.raises(UserError, match="--layers must be from 1 to 1 in this generator, but it is 2"):
        style_grid(styled, [1], [2], layers=2)


def test_mixing_needs_styles(labelled) -> None:
    with pytest.raises(UserError, match="needs a generator with a style for each layer, which dcgan has not"):
        style_grid(labelled, [1], [2])
