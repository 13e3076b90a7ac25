"""Metrics of tables against their definitions, closed forms and scikit-learn."""

from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from scipy.stats import ks_2samp, pearsonr, spearmanr
from scipy.stats.contingency import association

from gansmith.data.dataset import Dataset
from gansmith.evaluation.baseline import rivals
from gansmith.evaluation.judge import judge
from gansmith.kinds.tables.baseline import independent
from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.cells import Table, cells_of
from gansmith.kinds.tables.copula import copula
from gansmith.kinds.tables.metrics.table_shapes import (
    Against,
    column_shape,
    correlation_similarity,
    cramers_v,
    cut,
    total_variation,
)
from gansmith.kinds.tables.metrics.train_on_synthetic import common_classes
from gansmith.kinds.tables.views import View, target_of, view
from tests import toys

RNG = np.random.default_rng(0)


def test_the_shape_of_numbers_is_one_minus_kolmogorov_smirnov():
    real, fake = RNG.normal(size=300), np.append(RNG.normal(0.3, 1.2, 200), np.nan)
    assert column_shape(real, fake, False) == pytest.approx(1 - ks_2samp(real, fake[:-1]).statistic, abs=1e-12)


def test_the_shape_of_categories_is_one_minus_total_variation():
    real, fake = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 3])
    assert column_shape(real.astype(float), fake.astype(float), True) == pytest.approx(1 - (0.25 + 0.25 + 0.25 + 0.25) / 2)
    assert total_variation(real, real) == 0


def test_missing_cells_do_not_count_in_the_shape_of_a_category():
    codes = np.array([[0.0], [0.0], [1.0], [2.0]])
    real, fake = (View(("c",), values, np.ones(1, bool), (2,)) for values in (codes, codes[:3]))
    assert Against(real, fake).shapes(np.arange(3)) == {"c": 1.0}


def test_pairs_of_numbers_compare_correlations():
    real, fake = RNG.normal(size=(200, 2)), RNG.normal(size=(150, 2))
    fake[:, 1] += fake[:, 0]
    expected = 1 - abs(pearsonr(*real.T).statistic - pearsonr(*fake.T).statistic) / 2
    assert correlation_similarity(real, fake) == pytest.approx(expected, abs=1e-12)


def test_other_pairs_compare_contingency_tables_with_numbers_in_ten_bins():
    real = View(("n", "c"), np.stack([RNG.normal(size=400), RNG.integers(0, 3, 400)], 1), np.array([False, True]))
    real.values[:, 0] += real.values[:, 1]
    fake = View(("n", "c"), np.stack([RNG.normal(size=300), RNG.integers(0, 3, 300)], 1), np.array([False, True]))
    edges = np.histogram_bin_edges(real.values[:, 0], 10)
    edges[0], edges[-1] = -np.inf, np.inf
    tables = [
        pandas.crosstab(np.digitize(side.values[:, 0], edges), side.values[:, 1]).stack() / len(side.values)
        for side in (real, fake)
    ]
    expected = 1 - tables[0].sub(tables[1], fill_value=0).abs().sum() / 2
    assert Against(real, fake).trends(np.arange(300))["n", "c"] == pytest.approx(expected, abs=1e-12)


def test_missing_numbers_are_a_bin_of_their_own():
    bins, _ = cut(np.array([0.0, 5.0, 10.0, np.nan]), np.array([-3.0]))
    assert bins.tolist() == [0, 5, 9, 10] or bins[3] == 10 + np.digitize(np.nan, np.linspace(0, 10, 11)[1:-1])


def test_cramers_v_equals_scipy():
    a, b = RNG.integers(0, 4, 500), RNG.integers(0, 3, 500)
    b = np.where(RNG.random(500) < 0.4, a % 3, b)
    expected = association(pandas.crosstab(a, b).to_numpy(), method="cramer")
    assert cramers_v(a, b) == pytest.approx(expected, abs=1e-12)
    assert cramers_v(a, a) == pytest.approx(1) and cramers_v(a, np.zeros_like(a)) == 0


def test_only_pairs_that_depend_on_each_other_count():
    codes = RNG.integers(0, 3, 600)
    values = np.stack([codes, (codes + (RNG.random(600) < 0.1)) % 3, RNG.integers(0, 3, 600)], 1).astype(float)
    table = View(("a", "b", "c"), values, np.ones(3, bool))
    assert set(Against(table, table).trends(np.arange(600))) == {("a", "b")}


def parcels() -> tuple[Dataset, Dataset, Dataset]:
    data = toys.rows(900)
    return tuple(data.subset(np.arange(start, start + 300)) for start in (0, 300, 600))  # type: ignore[return-value]


METRICS = ("column_shapes", "pair_trends", "c2st", "tstr", "closer_to_training", "membership", "row_copies")


def test_fresh_real_rows_are_judged_real_and_independent_columns_are_exposed(tmp_path):
    train, held_out, fresh = parcels()
    real = judge(fresh, train, held_out, metrics=METRICS, cache=tmp_path)
    assert real["column_shapes"].value > 0.9 and real["c2st"].value < 0.6 and 0.4 < real["closer_to_training"].value < 0.6
    assert real["pair_trends"].ceiling is not None and real["c2st"].baseline_name == "independent columns"
    assert 0.35 < real["membership"].value < 0.65
    shuffled = judge(independent(train, 300, 0), train, held_out, metrics=METRICS, cache=tmp_path)
    assert shuffled["column_shapes"].value > 0.9
    assert shuffled["pair_trends"].value < real["pair_trends"].value - 0.05
    assert shuffled["c2st"].value > real["c2st"].value + 0.15


def test_copies_of_the_training_rows_are_exposed(tmp_path):
    train, held_out, _ = parcels()
    copies = judge(train, train, held_out, metrics=METRICS, cache=tmp_path)
    assert copies["row_copies"].value == 1 and copies["closer_to_training"].value > 0.9 and copies["membership"].value > 0.9


def test_the_target_is_the_last_column_even_if_a_category_stands_before_it():
    data = toys.rows()
    assert view(data).names[target_of(data)] == "letter"
    cells = {"region": ["north", "south"] * 100, "charges": [float(place % 97) + 0.5 for place in range(200)]}
    table = build_table(Table(name="charges", columns={name: cells_of(values) for name, values in cells.items()}))
    assert view(table).names[target_of(table)] == "charges"


def correlated(count: int) -> Dataset:
    """Two heavy-tailed numbers whose normal scores correlate by 0.8, one with a peak at 0 and missing cells."""
    drawn = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], count)
    spent = np.where(drawn[:, 1] < -0.5, 0.0, np.round(np.exp(drawn[:, 1] * 2), 3))
    columns = {
        "income": np.round(np.exp(drawn[:, 0] * 2), 3).tolist(),
        "spent": [None if place % 10 == 0 else value for place, value in enumerate(spent.tolist())],
    }
    return build_table(Table(name="money", columns={name: cells_of(values) for name, values in columns.items()}))


def test_the_copula_keeps_columns_and_the_correlation_of_their_ranks():
    data = correlated(4000)
    made = view(copula(data, 4000, 0))
    against = Against(view(data), made)
    assert min(against.shapes(np.arange(4000)).values()) > 0.97
    known = ~np.isnan(made.values).any(1)
    real = ~np.isnan(view(data).values).any(1)
    expected = spearmanr(view(data).values[real]).statistic
    assert spearmanr(made.values[known]).statistic == pytest.approx(expected, abs=0.05)
    assert known.mean() == pytest.approx(real.mean(), abs=0.02)
    assert set(made.values[known, 0]) <= set(view(data).values[:, 0])


def test_the_copula_stands_beside_the_scores_of_tables_alone(tmp_path):
    train, held_out, fresh = parcels()
    score = judge(fresh, train, held_out, metrics=["pair_trends"], cache=tmp_path)["pair_trends"]
    assert score.rival_name == "Gaussian copula" and score.rival is not None and score.baseline is not None
    assert score.baseline < score.rival <= 1
    assert not rivals(toys.points()) and rivals(train)


def test_the_portrait_of_a_table_shows_the_worst_column_first_and_both_kinds_of_dependence(tmp_path):
    train, held_out, fresh = parcels()
    judged = judge(fresh, train, held_out, metrics=["column_shapes"], cache=tmp_path, overview=True).overview
    assert judged is not None
    table = SimpleNamespace(
        **{**judged.own["table"], "columns": [SimpleNamespace(**each) for each in judged.own["table"]["columns"]]}
    )
    shapes = [column.shape for column in table.columns]
    assert shapes == sorted(shapes) and {column.name for column in table.columns} == set(table.names) == set(view(train).names)
    by_name = {column.name: column for column in table.columns}
    assert by_name["size"].classes is not None and set(by_name["size"].classes["names"]) == {"small", "medium", "large"}
    assert by_name["hours"].missing["training"] == pytest.approx(
        np.isnan(view(train).values[:, view(train).names.index("hours")]).mean()
    )
    assert by_name["weight"].spread is not None and set(by_name["weight"].spread["shares"]) == {
        "training",
        "held-out",
        "generated",
    }
    a, b = table.names.index("size"), table.names.index("letter")
    assert table.real[a][b] == table.real[b][a] == pytest.approx(1.0)


def test_classes_beyond_the_most_frequent_ones_count_as_one():
    everything = np.repeat(np.arange(40.0), np.arange(60, 20, -1))
    assert (common_classes(np.array([0.0, 29.0, 30.0, 39.0]), everything) == [0, 29, 40, 40]).all()
    assert (common_classes(np.array([3.0, 1.0]), np.array([1.0, 2.0, 3.0])) == [3, 1]).all()
