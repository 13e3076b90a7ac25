import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def tick(samples: int, **facts: Any) -> dict[str, Any]:
    return {
        "samples": samples,
        "seconds": samples / 100,
        "examples_per_second": 100.0,
        "terms": {"critic/relativistic": 0.7 - samples / 10_000, "critic/r1": 1 / samples, "generator/relativistic": 0.7},
        "gradient_norms": {"critic": 0.5, "generator": 0.2},
        "learning_rates": {"critic": 2e-4, "generator": 2e-4},
        "memory_mb": 512.0,
        "health": [],
    } | facts


def score(**facts: Any) -> dict[str, Any]:
    return {
        "samples_seen": 400,
        "name": "precision[digits-cnn]",
        "value": 0.8,
        "low": 0.75,
        "high": 0.85,
        "baseline": 0.1,
        "baseline_name": "pixel Gaussian",
        "ceiling": 0.9,
        "better": "higher",
        "samples": 1000,
        "seed": 0,
        "note": None,
    } | facts


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A whole run of four ticks, four previews and two evaluations."""
    folder = tmp_path / "digits-0001"
    (folder / "samples").mkdir(parents=True)
    run = {
        "name": "digits-0001",
        "gan": "r3gan",
        "config": {"width": 32, "gamma": {"start": 0.15}, "flips": False},
        "settings": {"batch": 64, "seed": 3, "samples": 1000, "minutes": None},
        "data": {"name": "digits", "examples": 5000, "classes": ["0", "1"], "shape": [1, 28, 28]},
        "environment": {"python": "3.11.8", "torch": "2.13.0", "gansmith": "0.1.0", "device": "cpu", "cpu": "Fast 9000"},
        "parameters": {"critic": 12345, "generator": 23456},
        "started": "2026-03-01T10:12:30+00:00",
    }
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "log.jsonl").write_text("".join(json.dumps(tick(samples)) + "\n" for samples in (100, 200, 300, 400)))
    scores = [score(samples_seen=200, value=0.4), score()]
    (folder / "evaluations.jsonl").write_text("".join(json.dumps(record) + "\n" for record in scores))
    pixels = np.random.Generator(np.random.Philox(key=0)).integers(0, 256, (56, 56), np.uint8)
    for name in ("000100", "000200", "000300", "000400", "latest", "real", "neighbours"):
        Image.fromarray(pixels).save(folder / "samples" / f"{name}.png")
    return folder
