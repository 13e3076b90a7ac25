import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.edit.interpolation import interpolate, linear, spherical, walk
from gansmith.edit.seeding import Seeded
from gansmith.errors import UserError


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_sphere_is_walked_at_even_speed_and_keeps_the_length(seed: int, share: float) -> None:
    a, b = torch.randn(2, 50, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    b = b * a.norm() / b.norm()
    point = spherical(a, b, share)
    torch.testing.assert_close(point.norm(), a.norm())
    angle = torch.arccos(a @ b / a.norm() ** 2)
    torch.testing.assert_close(torch.arccos((a @ point / a.norm() ** 2).clamp(-1, 1)), share * angle, atol=1e-5, rtol=1e-4)


def test_ends_are_met_and_equal_or_opposite_rows_are_no_trouble() -> None:
    a, b = torch.randn(2, 9, generator=torch.Generator().manual_seed(0))
    for between in (linear, spherical):
        torch.testing.assert_close(between(a, b, 0.0), a)
        torch.testing.assert_close(between(a, b, 1.0), b)
        torch.testing.assert_close(between(a, a, 0.3), a)
        assert between(a, -a, 0.3).isfinite().all()


def test_a_walk_meets_every_key_and_a_loop_comes_back() -> None:
    keys = torch.eye(3)
    way = walk(keys, 9, "linear", loop=True)
    torch.testing.assert_close(way[[0, 3, 6]], keys)
    torch.testing.assert_close(way[-1], torch.tensor([2 / 3, 0.0, 1 / 3]))
    torch.testing.assert_close(walk(keys, 5, "linear")[[0, 2, 4]], keys)
    with pytest.raises(UserError, match="spherical or linear, not 'cubic'"):
        walk(keys, 5, "cubic")
    with pytest.raises(UserError, match="two seeds and two frames"):
        walk(keys[:1], 5)


def test_frames_begin_with_the_picture_of_the_seed(labelled) -> None:
    frames = interpolate(labelled, [4, 5], frames=6, **{"class": "1"})
    assert len(frames) == 6
    (first,) = Seeded(labelled, [4]).generate(1, **{"class": "1"})
    np.testing.assert_array_equal(np.asarray(frames[0]), np.asarray(first.image))
    assert not np.array_equal(np.asarray(frames[0]), np.asarray(frames[3]))


def test_equal_seeds_that_follow_each_other_are_refused_and_a_way_back_is_not(labelled) -> None:
    for seeds in ([2, 2], [1, 1, 3], [1, 3, 1]):
        with pytest.raises(UserError, match=f"seed {seeds[0]} follows itself"):
            interpolate(labelled, seeds, frames=6)
    assert len(interpolate(labelled, [1, 3, 1], frames=6, loop=False)) == 6


def test_a_seed_makes_the_same_picture_whatever_the_others_are(labelled) -> None:
    three, one = Seeded(labelled, [7, 8, 9]).sample(3), Seeded(labelled, [9]).sample(1)
    torch.testing.assert_close(three["image"][2:], one["image"])
    assert three["label"][2] == one["label"][0]


def test_points_are_no_images(points) -> None:
    with pytest.raises(UserError, match="but this run makes points by"):
        interpolate(points, [1, 2])
