"""What is said to be verified is what the benches recorded."""

import json
from pathlib import Path

from gansmith import gans
from gansmith.verified import digest, recorded, sentence

RESULTS = Path(__file__).parent.parent / "bench" / "results"


def test_the_packaged_digest_is_that_of_the_recorded_benches() -> None:
    """After a new recording: python bench/verified.py"""
    names = ("handwriting.json", "synthesis.json")
    benches = [json.loads((RESULTS / name).read_text()) for name in names if (RESULTS / name).exists()]
    assert recorded() == digest(benches)


def test_only_gans_that_are_there_are_verified() -> None:
    assert set(recorded()) <= set(gans.names())


def test_the_best_result_of_each_data_set_is_told() -> None:
    score = {"low": 0.1, "high": 0.3, "baseline": 9.0, "ceiling": 0.05, "name": "frechet[cnn]"}
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
    found = digest([{"results": results}])
    assert [own["seed"] for own in found["x"]] == [1, 0]
    assert sentence(found["x"]) == "faces: frechet 0.2 in 1,200 CPU s (baseline 9, ceiling 0.05)"
    assert sentence([]) == "not verified here"
