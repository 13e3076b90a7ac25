"""What the report shows of the judged examples: spreads, classes, the nearness of copies."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.evaluation.distributions import spread
from gansmith.evaluation.judge import judge
from gansmith.evaluation.overview import Overview, overview, principal_directions
from tests.metrics.plain_sides import generated, real_side

Three = tuple[Dataset, Dataset, Dataset]


@pytest.fixture(autouse=True)
def small_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansmith.evaluation.overview.MAXIMUM", 20)


def of(fake: Dataset, three: Three, folder: Path) -> Overview:
    return overview(generated(fake, real_side(three[0], three[1], folder)), np.arange(len(fake)))


def total_difference(shares: dict[str, list[float]], a: str, b: str) -> float:
    return float(np.abs(np.subtract(shares[a], shares[b])).sum() / 2)


def test_fresh_examples_are_spread_as_held_out_ones_and_copies_are_a_heap_at_zero(striped: Three, tmp_path: Path) -> None:
    fresh, copies = of(striped[2], striped, tmp_path), of(striped[0].subset(np.arange(100)), striped, tmp_path)
    assert total_difference(fresh.distances.shares, "generated", "held-out") < 0.35
    assert fresh.nearer < 0.1
    assert copies.distances.shares["generated"][0] == 1 and copies.distances.low == 0
    assert copies.nearer == 1
    assert copies.ranking.best_distances[0] == 0
    assert all(sum(shares) > 0.97 for component in fresh.components for shares in component.shares.values())


def test_a_missing_class_is_seen_by_nearest_real_examples_even_without_labels(striped: Three, tmp_path: Path) -> None:
    kept = striped[2].subset(np.flatnonzero(striped[2].labels() != 1))
    classes = of(Dataset(**{**vars(kept), "arrays": {"image": kept.arrays["image"]}}), striped, tmp_path).classes
    assert classes is not None and classes.names == ["flat", "steep", "slanted"]
    assert classes.shares["generated"][1] < 0.05 < 0.25 < classes.shares["training"][1]
    assert all(sum(shares) == pytest.approx(1) for shares in classes.shares.values())


def test_points_have_components_and_a_map_but_no_classes(on_ring: Three, tmp_path: Path) -> None:
    found = judge(on_ring[2], *on_ring[:2], metrics=["coverage"], cache=tmp_path, overview=True).overview
    assert found is not None and found.classes is None and found.space == "raw"
    assert len(found.components) == 2 and found.map is not None and found.map.method == "PCA"
    assert "50% of the variance" in found.components[0].name or "51%" in found.components[0].name


def test_a_warm_cache_gives_the_same_portrait_and_only_those_who_ask_get_one(striped: Three, remembered: Path) -> None:
    def judged(**wish: bool) -> Overview | None:
        return judge(striped[2], *striped[:2], metrics=["precision"], cache=remembered, **wish).overview

    cold, warm = judged(overview=True), judged(overview=True)
    assert cold is not None and cold == warm
    assert json.loads(json.dumps(cold.to_json()))["ranking"]["best"] == cold.ranking.best
    assert judged() is None


@pytest.mark.parametrize("shape", [(60, 7), (5, 9)])
def test_principal_directions_equal_those_of_numpy(shape: tuple[int, int]) -> None:
    features = torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * torch.arange(
        1, shape[1] + 1
    )
    directions, shares = principal_directions(features, 3)
    _, singular, rows = np.linalg.svd(features.numpy() - features.numpy().mean(0), full_matrices=False)
    assert shares.numpy() == pytest.approx((singular**2 / (singular**2).sum())[:3])
    assert np.abs(directions.numpy().T @ rows[:3].T) == pytest.approx(np.eye(3), abs=1e-8)
    assert all(column[column.abs().argmax()] > 0 for column in directions.T)


def test_a_spread_counts_each_example_once_and_tells_medians() -> None:
    values = {"generated": np.linspace(0, 1, 400), "held-out": np.linspace(1, 2, 100)}
    found = spread("x", values)
    assert (found.low, found.high) == (pytest.approx(0.005), pytest.approx(1.995))
    assert found.medians == {"generated": 0.5, "held-out": 1.5}
    assert len(found.shares["generated"]) == len(found.shares["held-out"]) == 10
    assert sum(found.shares["generated"]) == pytest.approx(0.995)


@pytest.mark.parametrize("value", [0.0, 3.0, -1e8])
def test_examples_that_are_all_alike_fill_one_bin(value: float) -> None:
    found = spread("x", {"generated": np.full(50, value)})
    assert max(found.shares["generated"]) == 1 and found.low < found.high
