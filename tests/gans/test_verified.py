"""What is said to be verified is what the benches recorded."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from gansmith import gans
from gansmith.gans._verified import recorded, sentence

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_verified", BENCH / "verified.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_packaged_digest_is_that_of_the_recorded_benches(bench) -> None:
    """After a new recording: python bench/verified.py"""
    assert recorded() == bench.digest()


def test_only_gans_that_are_there_are_verified() -> None:
    assert set(recorded()) <= set(gans.names())


def test_every_kind_of_data_has_a_verified_gan_with_a_baseline() -> None:
    found = recorded()
    for gan in ("r3gan", "rowgan", "seriesgan", "cyclegan"):
        assert found[gan] and all(own["baseline"] is not None for own in found[gan])


def test_the_best_result_of_each_data_set_is_told(bench, tmp_path) -> None:
    score = {"low": 0.1, "high": 0.3, "baseline": 9.0, "ceiling": 0.05, "name": "frechet[cnn]", "better": "lower"}
    results = [
        {
            "gan": "x",
            "data": "faces",
            "seed": seed,
            "cpu_seconds": 1200,
            "samples": 5,
            "scores": {"frechet": {**score, "value": value}},
        }
        for seed, value in enumerate((0.4, 0.2))
    ]
    (tmp_path / "synthesis.json").write_text(json.dumps({"results": results}))
    found = bench.digest(tmp_path)
    assert [own["seed"] for own in found["x"]] == [1, 0]
    assert sentence(found["x"]) == "faces: frechet 0.2 in 1,200 CPU s (baseline 9, ceiling 0.05)"
    assert sentence([]) == "not verified here"


def test_the_baseline_of_tables_is_the_better_rival_and_other_peoples_code_is_left_out(bench, tmp_path) -> None:
    models = {"independent columns": 0.7, "Gaussian copula": 0.8, "real rows": 0.99, "rowgan": 0.9, "ctgan 0.12.1, 5 epochs": 0.6}
    records = [{"table": "t", "model": name, "quality": value, "cpu_seconds": 9.6} for name, value in models.items()]
    (tmp_path / "tables.json").write_text(json.dumps(records))
    found = bench.digest(tmp_path)
    assert list(found) == ["rowgan"] and found["rowgan"][0]["baseline_name"] == "Gaussian copula"
    assert sentence(found["rowgan"]) == "t: quality 0.9 in 10 CPU s (baseline 0.8, ceiling 0.99)"


def test_the_best_seed_of_a_translation_stands_beside_what_needs_no_learning(bench, tmp_path) -> None:
    seeds = [{"psnr": 19.0, "pairs": 8}, {"psnr": 21.0, "pairs": 8}]
    trivial = {"mean image": {"psnr": 15.0}, "input": {"psnr": 17.0}}
    rest = {"seconds": 40.0, "small": {"recipe": "small=pix2pix:small", "seeds": seeds}, "peer": {"seeds": seeds}}
    (tmp_path / "translation.json").write_text(json.dumps(trivial | rest))
    found = bench.digest(tmp_path)
    assert list(found) == ["pix2pix"] and [own["seed"] for own in found["pix2pix"]] == [1, 0]
    assert sentence(found["pix2pix"]) == "translation: psnr 21 in 40 CPU s (baseline 17)"
