"""The built-in data, and what is measured of them in any clip."""

import numpy as np

from gansmith.kinds.opening import open_dataset
from gansmith.kinds.video.shapes import NAMES, moving_shapes, tracked


def test_what_is_tracked_is_what_was_drawn():
    made = moving_shapes(60, steps=10)
    seen = tracked(made.frames)
    assert (seen.shapes == made.label[:, None]).all() and set(made.label) == {0, 1, 2}
    np.testing.assert_allclose(seen.centres, made.centres, atol=0.25)
    np.testing.assert_allclose(seen.colours.mean(1), made.colours, atol=45)  # edges are mixed with the ground
    assert seen.colours.std(1).max() < 6 and (seen.areas.std(1) / seen.areas.mean(1)).max() < 0.05


def test_shapes_move_straight_on_between_walls_and_never_leave():
    made = moving_shapes(80, steps=24)
    bends = np.linalg.norm(np.diff(made.centres, 2, axis=1), axis=2)
    assert np.median(bends) < 1e-9 and 0 < (bends > 1e-6).mean() < 0.25
    assert made.centres.min() > 3 and made.centres.max() < 28
    steps = np.linalg.norm(np.diff(made.centres, axis=1), axis=2)
    assert 0.4 < np.median(steps) < 2 and np.ptp(np.median(steps, 1)) > 0.5


def test_a_frame_without_a_shape_has_none():
    empty = np.full((1, 2, 3, 32, 32), 26, np.uint8)
    seen = tracked(empty)
    assert (seen.shapes == -1).all() and np.isnan(seen.centres).all()


def test_they_are_built_in_with_classes_and_held_out_by_video():
    data = open_dataset("shapes")
    assert data.codec.spec.shape == (16, 3, 32, 32) and data.codec.spec.classes == NAMES and len(data) == 2400
    train, held = data.split(0.2)
    assert len(held) == 480
    assert not {*np.asarray(data.groups[train.indices])} & {*np.asarray(data.groups[held.indices])}
