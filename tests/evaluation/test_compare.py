"""Runs beside each other: planted scores against closed forms, and real runs that are judged anew."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

import gansmith
from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.evaluation.compare import LUCK
from gansmith.evaluation.score import STUDENT_T
from tests import toys

SCORE = {
    "name": "coverage[raw]",
    "baseline": 0.1,
    "baseline_name": "Gaussian",
    "ceiling": 0.95,
    "better": "higher",
    "samples": 500,
    "reference_samples": 500,
    "seed": 0,
    "seconds": 0.1,
    "note": "",
    "asked": 500,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A tiny run, to be copied under other scores."""
    folder = tmp_path_factory.mktemp("trained")
    np.save(folder / "clusters.npy", toys.points(400).arrays["point"])
    options = {"gan": "gan", "options": {"width": 16, "noise": 8}, "samples": 640, "evaluate": False}
    gansmith.train(folder / "clusters.npy", out=folder / "run", **options)
    return folder / "run"


@pytest.fixture
def plant(trained, tmp_path, monkeypatch):
    """Makes a run with these coverages: (value, standard error) of single scores, changed in some of their facts."""
    monkeypatch.chdir(tmp_path)

    def planted(folder_name: str, value: float, error: float = 0.01, trained_with: int = 0, width: int = 16, **changes) -> str:
        folder = tmp_path / folder_name
        shutil.copytree(trained, folder)
        run = gansmith.Run(folder)
        run.facts["settings"]["seed"], run.facts["config"]["width"] = trained_with, width
        run.write_facts()
        reach = STUDENT_T * error
        known = {"held_out": run.facts["held_out"], "samples_seen": run.model().card["samples"]}
        run.append("evaluations.jsonl", [SCORE | known | {"value": value, "low": value - reach, "high": value + reach} | changes])
        return folder_name

    return planted


def test_single_runs_are_told_apart_by_their_intervals_with_holms_correction(plant):
    found = gansmith.compare([plant("a", 0.80), plant("b", 0.83, 0.02, width=8), plant("c", 0.90, width=4)])
    row = found["coverage"]
    p_values = {(one.a, one.b): one.p for one in row.differences}
    assert p_values[("a", "b")] == pytest.approx(2 * stats.norm.sf(0.03 / np.hypot(0.01, 0.02)))
    assert p_values[("a", "c")] == pytest.approx(2 * stats.norm.sf(0.10 / np.hypot(0.01, 0.01)))
    corrected = {(one.a, one.b): one.corrected for one in row.differences}
    assert corrected[("b", "c")] == pytest.approx(2 * p_values[("b", "c")])
    assert corrected[("a", "b")] == pytest.approx(p_values[("a", "b")])
    said = "coverage[raw]: c is better than a (p < .001), c is better than b (p = .003); between the others no difference is certain."
    assert row.sentence() == said
    assert LUCK in found.remarks
    assert (row.baseline, row.ceiling) == (0.1, 0.95)


def test_runs_that_differ_in_their_seed_alone_are_one_column_with_the_spread_of_trainings(plant):
    first = [plant(f"a{seed}", value, trained_with=seed) for seed, value in enumerate((0.80, 0.82, 0.84))]
    second = [plant(f"b{seed}", value, trained_with=seed, width=8) for seed, value in enumerate((0.81, 0.85))]
    found = gansmith.compare([*first, *second])
    assert found.columns == {"a0 (3 seeds)": ["a0", "a1", "a2"], "b0 (2 seeds)": ["b0", "b1"]}
    (difference,) = found["coverage"].differences
    assert difference.test == "welch"
    assert difference.p == pytest.approx(stats.ttest_ind([0.80, 0.82, 0.84], [0.81, 0.85], equal_var=False).pvalue)
    assert found["coverage"].sentence() == "coverage[raw]: no difference is certain."
    assert LUCK not in found.remarks


def test_studies_are_called_by_their_folders(plant):
    for study, width, values in (("deep", 16, (0.80, 0.82)), ("wide", 8, (0.81, 0.85))):
        for seed, value in enumerate(values, 1):
            plant(f"{study}/seed-{seed}", value, trained_with=seed, width=width)
    found = gansmith.compare(["deep", "wide"])
    assert found.columns == {f"{study} (2 seeds)": [f"{study}/seed-{seed}" for seed in (1, 2)] for study in ("deep", "wide")}


def test_the_same_training_twice_is_no_replicate(plant):
    assert set(gansmith.compare([plant("a", 0.80), plant("b", 0.80)]).columns) == {"a", "b"}


def test_lower_is_better_where_the_metric_says_so(plant):
    lower = {"name": "frechet[raw]", "better": "lower"}
    found = gansmith.compare([plant("a", 0.80, **lower), plant("b", 0.90, width=8, **lower)])
    assert found["frechet"].differences[0].better == "a"


def test_scores_of_unequal_conditions_are_taken_anew(plant):
    said = []
    found = gansmith.compare([plant("a", 0.80, samples=300, asked=300), plant("b", 0.80, trained_with=1)], say=said.append)
    assert said == ["Judging a by coverage ...", "Judging b by coverage ..."]
    assert found["coverage"].samples == 80


@pytest.mark.parametrize("change", [{"samples_seen": 320}, {"held_out": "others"}, {"seed": 7}])
def test_scores_of_an_older_model_other_examples_or_another_seed_do_not_count(plant, change):
    said = []
    runs = [plant("a", 0.80, **change), plant("b", 0.80, trained_with=1)]
    found = gansmith.compare(runs, metrics=["coverage"], say=said.append)
    assert said[0] == "Judging a by coverage ..."
    assert found["coverage"].samples == 80


def test_two_real_runs_are_judged_by_what_suits_them_once(plant, trained, tmp_path):
    runs = [tmp_path / name for name in ("one", "two")]
    for run in runs:
        shutil.copytree(trained, run)
    said = []
    first = gansmith.compare(runs, say=said.append)
    assert said == ["Judging one by what suits its data ...", "Judging two by what suits its data ..."]
    again = gansmith.compare(runs, say=said.append)
    assert len(said) == 2
    assert {row.name for row in first.rows} >= {"frechet[raw]", "coverage[raw]", "memorisation[raw]"}
    assert again.to_json()["metrics"] == first.to_json()["metrics"]
    assert all(difference.p == 1 for row in first.rows for difference in row.differences)
    shutil.copytree(trained, tmp_path / "three")
    gansmith.compare([*runs, tmp_path / "three"], metrics=["coverage", "recall"], say=said.append)
    assert said[2:] == ["Judging three by coverage, recall ..."]


def test_runs_of_different_data_need_data_to_be_judged_by(trained, tmp_path):
    np.save(tmp_path / "others.npy", toys.points(300).arrays["point"] * 2)
    options = {"gan": "gan", "options": {"width": 16, "noise": 8}, "samples": 640, "evaluate": False}
    other = gansmith.train(tmp_path / "others.npy", out=tmp_path / "other", **options)
    with pytest.raises(UserError, match="run on clusters, other on others.*--data"):
        gansmith.compare([trained, other])
    found = gansmith.compare([trained, other], data=tmp_path / "others.npy", metrics=["frechet"])
    assert found["frechet"].reference_samples == 240
    assert any("trained on different data" in remark for remark in found.remarks)
    assert not (trained / "evaluations.jsonl").exists()


def test_one_run_or_the_same_twice_is_refused(plant):
    a = plant("a", 0.8)
    for runs in ([], [a], [a, Path(a).resolve()]):
        with pytest.raises(UserError, match="two or more runs"):
            gansmith.compare(runs)


def test_what_cannot_be_measured_is_said(plant):
    a, b = plant("a", 0.80), plant("b", 0.80, width=8)
    shutil.copytree("a", "c")
    found = gansmith.compare([a, "c"], metrics=["coverage", "modes"])
    assert "modes is left out: The true modes of clusters are not known." in found.remarks
    with pytest.raises(UserError, match="no score in common"):
        gansmith.compare([a, b], metrics=["modes"])


def test_the_command_shows_a_table_and_sentences_or_json(plant, capsys):
    plant("a", 0.80)
    plant("b", 0.90, width=8)
    assert main(["compare", "a", "b"]) == 0
    said = capsys.readouterr().out
    assert "coverage[raw] ↑" in said
    assert "0.779 to 0.821" in said
    assert "coverage[raw]: b is better than a (p < .001)." in said
    assert main(["compare", "a", "b", "--metrics", "coverage", "--json"]) == 0
    (metric,) = json.loads(capsys.readouterr().out)["metrics"]
    assert metric["estimates"]["a"]["value"] == 0.80
    assert metric["differences"][0]["better"] == "b"
    assert main(["compare", "a"]) == 2
    assert "two or more runs" in capsys.readouterr().err


def test_names_that_look_like_markup_are_shown_as_they_are(plant):
    console = Console(width=120)
    with console.capture() as captured:
        console.print(gansmith.compare([plant("a[bold]", 0.8), plant("b", 0.9, width=8)]).table())
    assert "a[bold]" in captured.get()
