"""FID, sFID and FID-infinity: from features to scores."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.kinds.images.features.inception import Inception
from gansmith.kinds.images.metrics.frechet_infinity import enough, extrapolated
from gansmith.metrics.frechet import Moments, distance_with_interval, frechet_distance, frechet_with_influences
from gansmith.metrics.registry import NotApplicableError


@dataclass(frozen=True, eq=False, kw_only=True)
class Projection(Inception):
    """Stands for Inception-v3: random projections of the pixels."""

    network: Any = None
    weights: str = "random"
    seen: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "projection-fast" if self.fast else "projection"

    @property
    def exact(self) -> "Projection":
        return replace(self, fast=False)

    def outputs(self, data: Dataset) -> dict[str, torch.Tensor]:
        self.seen.append(len(data))
        pixels = data.batch(slice(None))["image"].flatten(1)
        found = {}
        for seed, name in enumerate(("features", "spatial")):
            weight = torch.randn(pixels.shape[1], 12, generator=torch.Generator().manual_seed(seed)) / 8
            found[name] = pixels @ weight * (1.01 if self.fast else 1.0)
        return {name: found[name] for name in self.wanted}

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        return features


def features_of(data: Dataset, output: str = "features") -> Moments:
    return Moments.of(Projection(folder=Path(), wanted=(output,)).outputs(data)[output])


@pytest.fixture
def projected(monkeypatch: pytest.MonkeyPatch) -> list[Projection]:
    opened: list[Projection] = []

    def made(folder: Path, **options: Any) -> Projection:
        opened.append(Projection(folder=folder, wanted=options["wanted"], fast=options["fast"]))
        return opened[-1]

    monkeypatch.setattr("gansmith.kinds.images.features.inception.Inception.open", made)
    return opened


def test_fid_compares_all_generated_with_all_real_examples(
    striped: tuple[Dataset, Dataset, Dataset], projected: list[Projection], tmp_path: Path
) -> None:
    train, held_out, fresh = striped
    found = judge(fresh, train, held_out, metrics=["fid", "sfid", "kid", "is"], cache=tmp_path)
    for score, output in (("fid", "features"), ("sfid", "spatial")):
        expected = frechet_distance(features_of(fresh, output), features_of(train, output))
        assert found[score].value == pytest.approx(expected, rel=1e-6)
        assert found[score].name == f"{score}[projection]"
        assert (found[score].samples, found[score].reference_samples) == (150, 400)
        assert found[score].low <= found[score].value <= found[score].high
        assert found[score].ceiling is not None
        assert found[score].baseline is not None
    held = frechet_distance(features_of(held_out), features_of(train))
    assert found["fid"].ceiling == pytest.approx(held)  # as many held-out examples as generated ones: nothing to scale
    assert projected[0].wanted == ("features", "spatial")


def test_the_ceiling_is_scaled_to_the_numbers_of_examples(
    striped: tuple[Dataset, Dataset, Dataset], projected: list[Projection], tmp_path: Path
) -> None:
    train, held_out, fresh = striped
    few = judge(fresh, train, held_out, metrics=["fid"], samples=50, cache=tmp_path)
    many = judge(fresh, train, held_out, metrics=["fid"], cache=tmp_path)
    assert few["fid"].samples == 50
    assert few["fid"].ceiling == pytest.approx(many["fid"].ceiling * (1 / 50 + 1 / 400) / (1 / 150 + 1 / 400), rel=1e-6)


def test_real_features_are_computed_once(
    striped: tuple[Dataset, Dataset, Dataset], projected: list[Projection], tmp_path: Path
) -> None:
    train, held_out, fresh = striped
    judge(fresh, train, held_out, metrics=["fid"], cache=tmp_path)
    judge(fresh, train, held_out, metrics=["fid"], cache=tmp_path)
    assert sum(projected[0].seen) > len(fresh) == sum(projected[1].seen)


def test_the_fast_mode_says_how_far_it_is_off(
    striped: tuple[Dataset, Dataset, Dataset], projected: list[Projection], tmp_path: Path
) -> None:
    train, held_out, fresh = striped
    found = judge(fresh, train, held_out, metrics=["fid", "kid", "is"], fast=True, cache=tmp_path)
    assert "features are 1.0% off" in found["fid"].note
    assert "this metric +0.00144 (+1.9% of this score)" in found["fid"].note
    assert all("fast mode: on 128 images" in found[metric].note for metric in ("kid", "is"))
    exact = judge(fresh, train, held_out, metrics=["fid", "kid", "is"], cache=tmp_path)
    assert not any("fast mode" in score.note for score in exact.scores)
    assert found["fid"].name == "fid[projection-fast]"


def test_points_have_no_inception_distance(on_ring: tuple[Dataset, Dataset, Dataset], tmp_path: Path) -> None:
    train, held_out, fresh = on_ring
    found = judge(fresh, train, held_out, metrics=["fid", "kid", "is", "recall"], cache=tmp_path)
    assert [score.metric for score in found.scores] == ["recall"]
    assert set(found.skipped) == {"fid", "kid", "is"}


def test_extrapolation_finds_the_distance_without_bias() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(60_000, 40))
    fake = torch.from_numpy(rng.normal(size=(6000, 40)) * 1.05)
    reference = Moments.of(real)
    true = 40 * 0.05**2
    biased = frechet_distance(Moments.of(fake), reference)
    value, low, high = extrapolated(fake, reference, seed=0, fewest=600)
    assert abs(value - true) < 0.35 * abs(biased - true)
    assert low < value < high


def test_too_few_examples_are_not_extrapolated() -> None:
    with pytest.raises(NotApplicableError, match="at least 10,000 generated ones, but there are 9,999"):
        enough(9_999)
    enough(10_000)


@pytest.mark.parametrize(("count", "size"), [(400, 5), (60, 100)])
def test_influences_are_what_leaving_an_example_out_changes(count: int, size: int) -> None:
    rng = np.random.default_rng(0)
    features, reference = rng.normal(0.1, 1.2, (count, size)), Moments.of(rng.normal(size=(500, size)))
    distance, influences = frechet_with_influences(features, Moments.of(features), reference)
    assert distance == pytest.approx(frechet_distance(Moments.of(features), reference), rel=1e-9)
    assert influences.mean() == pytest.approx(0, abs=1e-9)
    without = [frechet_distance(Moments.of(np.delete(features, i, 0)), reference) for i in range(25)]
    changes = (distance - np.array(without)) * (count - 1)
    assert np.corrcoef(changes, influences[:25])[0, 1] > 0.9


def test_the_interval_is_the_spread_over_fresh_samples() -> None:
    rng = np.random.default_rng(0)
    reference = Moments.of(rng.normal(size=(20_000, 8)))
    found = [distance_with_interval(torch.from_numpy(rng.normal(0.2, 1.1, (500, 8))), reference) for _ in range(60)]
    distances = np.array([value for value, _, _ in found])
    widths = np.mean([(high - low) / 2 for _, low, high in found])
    assert widths == pytest.approx(1.96 * distances.std(), rel=0.3)


@pytest.fixture(autouse=True)
def cheap_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansmith.kinds.images.features.classifier.MINIMUM", 640)


def test_the_classifier_can_be_asked_for_and_other_spaces_are_found(
    striped: tuple[Dataset, Dataset, Dataset], tmp_path: Path
) -> None:
    def means(batch: torch.Tensor) -> torch.Tensor:
        return batch.mean((1, 2))

    train, held_out, fresh = striped
    ours: Callable[..., Any] = judge
    assert ours(fresh, train, held_out, metrics=["frechet"], features=means, cache=tmp_path)["frechet"].name == "frechet[means]"
    assert ours(fresh, train, held_out, metrics=["frechet"], features="classifier", cache=tmp_path)["frechet"].name == (
        "frechet[stripes-cnn]"
    )


def test_where_inception_is_the_space_nothing_is_computed_twice(
    striped: tuple[Dataset, Dataset, Dataset], projected: list[Projection], tmp_path: Path
) -> None:
    train, held_out, fresh = striped
    alone = judge(fresh, train, held_out, metrics=["fid"], cache=tmp_path)
    assert sum(projected[0].seen) == 1000 + 700 + 150  # the baseline, all real images, all generated ones
    asked = judge(fresh, train, held_out, metrics=["frechet", "fid"], features="inception", samples=100, cache=tmp_path)
    assert asked["frechet"].name == "frechet[projection]"
    assert asked["frechet"].value == pytest.approx(asked["fid"].value, rel=1e-6)
    assert projected[1].seen == [100, 100]  # what was generated, and a baseline as large; the rest is remembered
    spaces = Projection(folder=Path(), wanted=("features",))
    shown, near = alone.neighbours.generated[0], alone.neighbours.nearest[0, 0]
    made, real = (spaces.outputs(data.subset(np.array([row])))["features"] for data, row in ((fresh, shown), (train, near)))
    assert alone.neighbours.distances[0, 0] == pytest.approx(float((made - real).norm()), rel=1e-4)
