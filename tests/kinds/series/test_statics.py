"""The attributes of generated series: distributed as those of the data, of which no row is kept."""

import json
from typing import Any

import numpy as np
import pytest
import torch

import gansmith
from gansmith.data.dataset import Dataset
from gansmith.kinds import load_codec
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.series import Series
from gansmith.kinds.series.source import Sequences
from gansmith.kinds.series.statics import StaticLaw
from gansmith.kinds.series.windows import build_series


def farms(count: int, seed: int = 0) -> Sequences:
    """Series with attributes that depend on each other: the larger, the further north and the more often public."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(3, 1, count)).round(2)
    region = np.where(size > 35, "north", np.where(rng.random(count) < 0.6, "south", "east"))
    owner = np.where((size > 15) ^ (rng.random(count) < 0.1), "public", "private")
    cows = rng.integers(1, 6, count)
    series = [
        Series(
            rng.normal(size=(12, 1)).cumsum(0),
            {"size": float(size[i]), "cows": float(cows[i]), "region": str(region[i]), "owner": str(owner[i])},
        )
        for i in range(count)
    ]
    return Sequences(name="farms", series=series, columns=("milk",))


def attributes(data: Dataset, labels: np.ndarray) -> dict[str, np.ndarray]:
    rows = [data.codec._static(row) for row in labels]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def both() -> tuple[Dataset, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The data, and the attributes of its training series and of as many drawn ones."""
    data = build_series(farms(3000), Options())
    drawn = data.codec.conditions(4000, torch.Generator().manual_seed(0))["label"].numpy()
    return data, attributes(data, data.packed(slice(None))["label"]), attributes(data, drawn)


def test_each_attribute_is_distributed_as_in_the_data(both):
    _, real, made = both
    for name in ("region", "owner", "cows"):
        for value in np.unique(real[name]):
            assert (made[name] == value).mean() == pytest.approx((real[name] == value).mean(), abs=0.03), (name, value)
        assert set(made[name]) == set(real[name])
    ranks = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(np.quantile(made["size"], ranks), np.quantile(real["size"], ranks), rtol=0.12)
    assert real["size"].min() <= made["size"].min() and made["size"].max() <= real["size"].max()


def test_attributes_depend_on_each_other_as_in_the_data(both):
    _, real, made = both

    def signs(found: dict[str, np.ndarray]) -> np.ndarray:
        order = found["size"].argsort().argsort() / len(found["size"])
        return np.stack([order, found["region"] == "north", found["owner"] == "public", found["cows"]]).astype(float)

    np.testing.assert_allclose(np.corrcoef(signs(made)), np.corrcoef(signs(real)), atol=0.1)
    assert np.corrcoef(signs(made))[0, 1] > 0.6


def numbers_in(facts: Any) -> list[float]:
    """All numbers of a JSON value, in order."""
    if isinstance(facts, dict):
        return [number for value in facts.values() for number in numbers_in(value)]
    if isinstance(facts, list):
        return [number for value in facts for number in numbers_in(value)]
    return [float(facts)] if isinstance(facts, int | float) and not isinstance(facts, bool) else []


@pytest.mark.parametrize("cut", [False, True])
def test_no_row_of_attributes_is_in_a_model(tmp_path, cut):
    found = farms(120)
    data = build_series(found, Options(window=8 if cut else None))
    run = gansmith.train(data, gan="rcgan", samples=16, out=tmp_path / "run", evaluate=False, device="cpu", options={"width": 8})
    kept = json.loads((run.model_folder / "model.json").read_text("utf-8"))
    every = np.round(numbers_in(kept), 6)
    for raw in found.series:
        encoded = np.round(data.codec.label_of(raw.static).astype(float), 6)
        for row in (encoded, np.array([raw.static["size"], raw.static["cows"]]), encoded[:2]):
            windows = np.lib.stride_tricks.sliding_window_view(every, len(row))
            assert not (windows == row).all(1).any()
    standardised = [data.codec.label_of(raw.static)[0] for raw in found.series]
    assert not set(np.round(standardised, 6)) & set(every)  # nor the size of any, which is one's own


def test_where_generated_prices_begin_is_no_price_of_the_data(tmp_path):
    prices = np.exp(np.random.default_rng(0).normal(0, 0.1, (600, 2)).cumsum(0))
    data = build_series(Sequences(name="prices", series=[Series(prices)], columns=("a", "b")), Options(window=32, returns=True))
    first = data.codec.decode(data.batch(slice(0, 1)))[0].values[0]
    np.testing.assert_allclose(first, np.median(prices[:480], axis=0), rtol=0.3)
    assert not np.isin(np.round(first, 6), np.round(prices, 6)).any()
    assert not set(np.round(numbers_in(json.loads(json.dumps(data.codec.to_json()))), 6)) & set(np.round(prices, 6).ravel())


def test_a_model_that_holds_rows_is_loaded_and_keeps_their_distribution_alone():
    data = build_series(farms(400), Options())
    rows = data.packed(np.arange(300))["label"]
    facts = {**json.loads(json.dumps(data.codec.to_json())), "statics": rows.tolist()}  # as version 0.1 wrote it
    codec = load_codec(facts)
    assert isinstance(codec.statics, StaticLaw) and load_codec(json.loads(json.dumps(codec.to_json()))) == codec
    drawn = codec.conditions(2000, torch.Generator().manual_seed(0))["label"].numpy()
    np.testing.assert_allclose(drawn.mean(0), rows.mean(0), atol=0.1)
    written = np.round(numbers_in(json.loads(json.dumps(codec.to_json()))), 6)
    assert not set(np.round(rows[:, 0].astype(float), 6)) & set(written)


def changed(facts: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied = dict(facts) if isinstance(facts, dict) else list(facts)
    copied[path[0]] = changed(facts[path[0]], path[1:], value)
    return copied


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("statics",), None, "knows no distribution"),
        (("statics", "places", 0), 7, "a distribution of others"),
        (("statics", "sizes", 0), 2, "a distribution of others"),
        (("statics", "attributes"), [], "a distribution of others"),
        (("statics", "attributes", 0, "parent"), 2, "depends on one behind it"),
        (("statics", "attributes", 1, "parent"), 1, "depends on one behind it"),
        (("statics", "attributes", 1, "shares"), [[1.0]], "shares of 1 values of another"),
        (("statics", "attributes", 1, "shares", 0), [1.0], "of different number"),
        (("statics", "attributes", 0, "values"), [], "of different number"),
        (("words", "owner"), ["a"], "attributes, which its numbers and words do not make"),
    ],
)
def test_what_does_not_fit_in_a_distribution_is_named(both, path, value, words):
    facts = json.loads(json.dumps(both[0].codec.to_json()))
    assert load_codec(facts).fault() is None
    assert words in load_codec(changed(facts, path, value)).fault()


def test_more_conditions_begin_with_the_same_ones(both):
    codec = both[0].codec
    many = codec.conditions(50, torch.Generator().manual_seed(3))["label"]
    for count in (1, 7, 17, 33):
        assert torch.equal(codec.conditions(count, torch.Generator().manual_seed(3))["label"], many[:count])


@pytest.mark.parametrize("count", [2, 9, 12])
def test_few_series_have_attributes_about_theirs(count):
    rows = np.random.default_rng(0).normal(5, 2, (count, 1))
    law = StaticLaw.of(np.concatenate([rows, np.eye(2)[np.arange(count) % 2]], 1), np.ones(count, int), 1, [2])
    drawn = law.draw(2000, torch.Generator().manual_seed(0))
    assert abs(drawn[:, 0].mean() - rows.mean()) < 0.5 * rows.std() and 0.4 * rows.std() < drawn[:, 0].std() < 1.3 * rows.std()
    assert (drawn[:, 1:].sum(1) == 1).all() and 0.4 < drawn[:, 1].mean() < 0.6
    assert not set(np.round(rows[:, 0], 5)) & set(np.round(law.attributes[law.places.index(0)].values, 5))


def test_it_is_not_told_which_combination_a_single_series_has():
    both = np.concatenate([np.tile([1, 0, 1, 0], (100, 1)), np.tile([0, 1, 0, 1], (100, 1)), [[1, 0, 0, 1]]]).astype(float)
    law = StaticLaw.of(both, np.ones(201, int), 0, [2, 2])
    (_, second) = law.attributes
    assert second.parent == 0
    joint = np.array(second.shares) * np.array(law.attributes[0].shares[0])[:, None]
    assert joint[0, 1] == pytest.approx(joint[1, 0], rel=0.05) and joint.sum() == pytest.approx(1, abs=1e-5)
    drawn = law.draw(5000, torch.Generator().manual_seed(0))
    assert 0 < (drawn[:, 0] != drawn[:, 2]).mean() < 0.02


def test_series_with_more_windows_count_for_more():
    rows = np.concatenate([np.repeat([[0.0], [1.0]], 10, axis=0), np.repeat(np.eye(2), 10, axis=0)], axis=1)
    law = StaticLaw.of(rows, np.repeat([1, 3], 10), 1, [2])
    drawn = law.draw(4000, torch.Generator().manual_seed(0))
    assert drawn[:, 0].mean() == pytest.approx(0.75, abs=0.03) and drawn[:, 2].mean() == pytest.approx(0.75, abs=0.03)
    assert (drawn[:, 0] == drawn[:, 2]).mean() > 0.9


def test_words_that_no_training_series_has_are_never_drawn_and_one_value_alone_always_is():
    rows = np.concatenate([np.ones((8, 1)), np.tile([0.0, 1.0, 0.0], (8, 1))], axis=1)
    law = StaticLaw.of(rows, np.ones(8, int), 1, [3])
    drawn = law.draw(100, torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(drawn, rows[:1].repeat(100, 0))
