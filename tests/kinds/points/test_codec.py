from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gansmith.errors import UserError
from gansmith.kinds import load_codec
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.points.codec import PointCodec

numbers = st.floats(-1000, 1000, width=32)


@settings(deadline=None, max_examples=30)
@given(arrays(np.float32, st.tuples(st.integers(2, 9), st.integers(1, 4)), elements=numbers))
def test_points_survive_encoding_and_decoding(points: np.ndarray) -> None:
    codec = PointCodec.fit(points, [f"x{i}" for i in range(points.shape[1])])
    batch = codec.unpack({"point": points})
    assert batch["point"].dtype == torch.float32
    span = np.abs(points).max() + 1
    np.testing.assert_allclose(np.stack(codec.decode(batch)), points, atol=1e-5 * span)
    assert torch.equal(codec.encode(points[0])["point"], batch["point"][:1])
    assert torch.equal(codec.sketch(batch), batch["point"])


def test_unpacked_points_have_mean_zero_and_deviation_one() -> None:
    points = np.random.default_rng(0).normal([50, -3], [9, 0.1], (4000, 2))
    unpacked = PointCodec.fit(points, "xy").unpack({"point": points.astype(np.float32)})["point"]
    torch.testing.assert_close(unpacked.mean(0), torch.zeros(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(unpacked.std(0), torch.ones(2), atol=1e-3, rtol=0)


def test_a_constant_coordinate_stays_finite() -> None:
    codec = PointCodec.fit(np.array([[1.0, 5.0], [2.0, 5.0]]), "xy")
    assert codec.unpack({"point": np.array([[1.0, 5.0]], np.float32)})["point"].isfinite().all()
    assert codec.preview([np.array([1.0, 5.0])]).size == (640, 640)


def test_a_codec_survives_json() -> None:
    codec = PointCodec.fit(np.random.default_rng(0).normal(size=(10, 3)), ["a", "b", "c"])
    assert load_codec(codec.to_json()) == codec


def test_points_have_no_conditions() -> None:
    codec = PointCodec.fit(np.eye(2), "xy")
    assert codec.conditions(4, torch.Generator()) == {}
    with pytest.raises(UserError, match="points have no classes: remove class=7"):
        codec.conditions(4, torch.Generator(), **{"class": "7"})


def test_saved_points_are_read_back_exactly_and_never_overwritten(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    codec = PointCodec.fit(points, ["width", "height"])
    paths = codec.save(list(points), tmp_path / "out")
    more = codec.save(list(points), tmp_path / "out")
    assert [path.name for path in [*paths, *more]] == ["points.csv", "points.npy", "points-1.csv", "points-1.npy"]
    assert paths[0].read_text().startswith("width,height\n")
    for path in paths:
        np.testing.assert_array_equal(open_dataset(path).arrays["point"], points)
    np.testing.assert_array_equal(open_dataset(tmp_path / "out").arrays["point"], np.concatenate([points, points]))


def test_a_plot_shows_each_point_at_its_place_on_axes_that_the_data_fixed() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 1.0]])
    codec = PointCodec.fit(corners, "xy")
    empty = np.asarray(codec.preview([np.array([99.0, 99.0])])).astype(int)
    plot = np.asarray(codec.preview([np.array([0.9, 0.1])])).astype(int)
    rows, columns = np.nonzero((plot != empty).any(-1))
    share = (np.array([0.9, 0.1]) - codec.low) / (np.array(codec.high) - codec.low)
    expected = 44 + share * (640 - 88)
    assert abs(columns.mean() - expected[0]) < 2 and abs(640 - rows.mean() - expected[1]) < 2


def test_points_of_one_and_of_three_dimensions_are_plotted_too() -> None:
    for dimensions in (1, 3):
        points = np.random.default_rng(0).normal(size=(50, dimensions))
        assert np.asarray(PointCodec.fit(points, ["x"] * dimensions).preview(list(points))).std() > 0


@pytest.mark.parametrize(("name", "modes", "sigma"), [("ring", 8, 0.01), ("grid", 25, 0.05)])
def test_the_built_in_mixtures_lie_on_their_modes(name: str, modes: int, sigma: float) -> None:
    dataset = open_dataset(name)
    points, centres = dataset.arrays["point"], dataset.facts["modes"]
    assert points.shape == (100_000, 2) and centres.shape == (modes, 2) and dataset.facts["sigma"] == sigma
    distance = np.linalg.norm(points[:, None] - centres[None], axis=-1)
    assert np.bincount(distance.argmin(1), minlength=modes).min() > 0.9 * 100_000 / modes
    assert abs(distance.min(1).mean() / (sigma * np.sqrt(np.pi / 2)) - 1) < 0.01  # the mean of a Rayleigh distribution
    assert dataset.fingerprint == open_dataset(name).fingerprint
