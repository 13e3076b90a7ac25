"""Scores of time series: TimeGAN's, fair ones, stylised facts, and the rivals that are no GANs."""

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.series.metrics import fair_series, timegan_scores
from gansmith.kinds.series.metrics.stylised_facts import Facts
from gansmith.kinds.series.rivals import block_bootstrap, fit_garch, garch_paths
from tests import toys


def sines(count, seed, noise=0.0):
    rng = np.random.default_rng(seed)
    time = np.arange(12)[None] * 0.5 + rng.uniform(0, 6, (count, 1))
    values = np.stack([np.sin(time), np.cos(time)], axis=2) + noise * rng.standard_normal((count, 12, 2))
    return torch.from_numpy((values + 1) / 2).float()


def test_timegans_classifier_tells_low_waves_from_high_ones_but_not_waves_from_waves():
    real, same, other = sines(600, 0), sines(600, 1), 0.1 * sines(600, 2)
    assert timegan_scores.discriminative_score(real, same, 0, steps=300) < 0.1
    assert timegan_scores.discriminative_score(real, other, 0, steps=600) > 0.2


def test_timegans_predictor_is_misled_by_low_waves():
    real = sines(400, 0)
    taught = timegan_scores.predictive_score(real, sines(400, 1), 0, steps=500)
    misled = timegan_scores.predictive_score(real, 0.05 * sines(400, 1), 0, steps=500)
    assert taught < 0.8 * misled


def test_the_area_is_that_of_the_rank_sum():
    rng = np.random.default_rng(0)
    real, fake = rng.integers(0, 9, 40) + 1.0, rng.integers(0, 9, 60) * 1.0
    expected = mannwhitneyu(real, fake).statistic / (40 * 60)
    assert fair_series.area(torch.tensor(real), torch.tensor(fake)) == pytest.approx(expected)


def test_stretches_that_are_tested_overlap_with_none_that_are_learnt_from():
    learnt, tested = fair_series.stretches(1800, 10)
    assert len(tested) > 300 and not set(learnt.tolist()) & set(tested.tolist())
    nearest = (tested[:, None] - learnt[None]).abs().min()
    assert int(nearest) >= 10


def test_the_curves_of_facts_are_those_of_a_naive_loop():
    rng = np.random.default_rng(0)
    moves = rng.standard_t(4, (30, 40, 2))
    facts = Facts(moves, moves, np.ones(2))
    centred = moves - moves.mean((0, 1))
    size = np.abs(centred) - np.abs(centred).mean((0, 1))
    for lag in (1, 7):
        for column in range(2):
            for name, first, second in (("acf", centred, centred), ("clustering", size, size)):
                a, b = first[:, : 40 - lag, column], second[:, lag:, column]
                expected = np.mean([np.mean(a[i] * b[i]) for i in range(30)]) / np.mean(first[:, :, column] ** 2)
                assert facts.curve(name)[lag - 1, column] == pytest.approx(expected)
    np.testing.assert_allclose(facts.correlations(), np.corrcoef(moves.reshape(-1, 2).T), atol=1e-10)


def test_garch_finds_its_own_parameters_again_and_its_paths_cluster():
    path = garch_paths((0.0, 0.05, 0.1, 0.85), 1, 8000, seed=0)[0, :, 0]
    mean, omega, alpha, beta = fit_garch(path)
    assert alpha == pytest.approx(0.1, abs=0.03) and beta == pytest.approx(0.85, abs=0.05) and abs(mean) < 0.05 and omega > 0
    clustering = Facts(path[None, :, None], path[None, :, None], np.ones(1)).curve("clustering")[:, 0]
    assert clustering[:5].min() > 0.05


def test_the_bootstrap_is_made_of_runs_of_the_data():
    moves = np.arange(500.0)[:, None]
    made = block_bootstrap(moves, 50, 100, seed=0, block=20)[:, :, 0]
    steps = np.diff(made, axis=1)
    assert np.isin(made, moves).all() and 0.92 < ((steps == 1) | (steps == -499)).mean() < 0.98


def test_judging_series_says_which_samples_are_good(monkeypatch):
    monkeypatch.setattr(fair_series, "CLASSIFIER_STEPS", 60)
    monkeypatch.setattr(fair_series, "FORECASTER_STEPS", 5)
    data = toys.series(400)
    train, held_out = data.split(0.3)
    metrics = [
        "frechet",
        "tails",
        "acf",
        "clustering",
        "leverage",
        "correlation",
        "coverage",
        "memorisation",
        "fair_discriminative",
    ]
    noise = {"series": torch.randn(120, 12, 2, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)}
    good = judge(held_out, train, held_out, metrics=metrics, samples=120)
    bad = judge(Dataset.of(noise, data.codec, "noise"), train, held_out, metrics=metrics, samples=120)
    assert not good.skipped and not bad.skipped
    for name in ("frechet", "acf", "fair_discriminative"):
        assert good[name].value < bad[name].value, name
    assert bad["fair_discriminative"].value > 0.85 and good["correlation"].value < 0.1
    assert bad["frechet"].ceiling < bad["frechet"].value


def test_metrics_of_series_skip_other_data():
    points = toys.points()
    train, held_out = points.split(0.3)
    judgement = judge(held_out, train, held_out, metrics=["acf", "discriminative", "fair_predictive"])
    assert not judgement.scores and "of series, and clusters holds points" in judgement.skipped["acf"]


def test_the_forecast_of_a_network_taught_on_the_data_beats_saying_that_nothing_changes(monkeypatch):
    monkeypatch.setattr(fair_series, "CLASSIFIER_STEPS", 2)
    monkeypatch.setattr(fair_series, "FORECASTER_STEPS", 150)
    data = open_dataset(np.sin(np.arange(1500) / 3.0), kind="series", window=16)
    train, held_out = data.split(0.2)
    judgement = judge(held_out, train, held_out, metrics=["fair_predictive"], samples=100)
    assert judgement["fair_predictive"].ceiling < 0.5
