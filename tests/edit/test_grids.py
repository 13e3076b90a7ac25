import numpy as np
import pytest

from gansmith.edit.grids import attribute_grid, class_grid, style_grid
from gansmith.edit.seeding import Seeded
from gansmith.errors import UserError


def test_a_grid_of_classes_has_a_row_for_each(labelled, plain) -> None:
    sheet = class_grid(labelled, [3, 4])
    pictures = sheet.pictures
    assert len(pictures) == 6 and sheet.columns == ["seed 3", "seed 4"] and sheet.rows == labelled.codec.spec.classes
    for row, name in enumerate(labelled.codec.spec.classes):
        expected = Seeded(labelled, [3, 4]).generate(2, **{"class": name})
        for column in range(2):
            np.testing.assert_array_equal(np.asarray(pictures[2 * row + column]), np.asarray(expected[column].image))
    assert len(class_grid(plain, [1, 2, 3]).pictures) == 3


def test_a_requested_class_has_one_row(labelled) -> None:
    name = labelled.codec.spec.classes[1]
    sheet = class_grid(labelled, [3, 4], **{"class": name})
    assert sheet.rows == [f"class={name}"]
    for own, expected in zip(sheet.pictures, class_grid(labelled, [3, 4]).pictures[2:4], strict=True):
        np.testing.assert_array_equal(np.asarray(own), np.asarray(expected))


def test_a_seed_in_a_grid_is_what_generate_makes_of_it_with_attributes_too(attributed) -> None:
    expected = Seeded(attributed, [5, 6]).generate(2, bright="1")
    for own, picture in zip(class_grid(attributed, [5, 6], bright="1").pictures, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(own), np.asarray(picture.image))


def test_an_attribute_goes_through_its_range(attributed) -> None:
    sheet = attribute_grid(attributed, [1, 2], "age", count=4)
    assert len(sheet.pictures) == 8 and sheet.rows == ["seed 1", "seed 2"] and sheet.columns[0] == "20" and sheet.corner == "age"
    (expected,) = Seeded(attributed, [1]).generate(1, age="20", bright="0")
    low = attribute_grid(attributed, [1], "age", count=2, bright="0").pictures
    np.testing.assert_allclose(np.asarray(low[0], float), np.asarray(expected.image, float), atol=1)
    with pytest.raises(UserError, match='no attribute "agee" .did you mean "age".. to vary: this model has bright, age'):
        attribute_grid(attributed, [1], "agee")


def test_mixed_styles_have_the_left_half_of_the_row_and_the_right_half_of_the_column(styled) -> None:
    sheet = style_grid(styled, [1, 2], [3, 4, 5], layers=1)
    assert sheet.rows == ["layers 2-2", "seed 1", "seed 2"] and sheet.columns == ["layers 1-1", "seed 3", "seed 4", "seed 5"]
    pictures = [sheet.pictures[4 * row + column] for row in (1, 2) for column in (1, 2, 3)]
    rows, others = Seeded(styled, [1, 2]).generate(2), Seeded(styled, [3, 4, 5]).generate(3)
    for place, picture in enumerate(pictures):
        np.testing.assert_array_equal(np.asarray(picture)[:, :4], np.asarray(rows[place // 3].image)[:, :4])
        np.testing.assert_array_equal(np.asarray(picture)[:, 4:], np.asarray(others[place % 3].image)[:, 4:])
    alone = [*others, *rows]
    for own, picture in zip([*sheet.pictures[1:4], sheet.pictures[4], sheet.pictures[8]], alone, strict=True):
        np.testing.assert_array_equal(np.asarray(own), np.asarray(picture.image))
    with pytest.raises(UserError, match="--layers must be from 1 to 1 in this generator, but it is 2"):
        style_grid(styled, [1], [2], layers=2)


def test_mixing_needs_styles(labelled) -> None:
    with pytest.raises(UserError, match="needs a generator with a style for each layer, which dcgan lacks"):
        style_grid(labelled, [1], [2])
