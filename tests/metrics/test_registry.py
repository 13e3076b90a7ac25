"""Metrics are found by listing the folder."""

import subprocess
import sys
from typing import get_args

import pytest

from gansmith.metrics.registry import Subject, families, family_of, load_family, metric_names, subjects


def test_metric_names_are_listed_without_importing_torch() -> None:
    script = (
        "import sys; from gansmith.metrics.registry import metric_names; assert metric_names(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("module", families())
def test_every_family_measures_what_it_lists(module: str) -> None:
    family = load_family(module)
    assert families()[module] == family.METRICS
    assert callable(family.measure)


def test_every_metric_says_which_direction_is_better() -> None:
    assert {"frechet", "precision", "recall", "density", "coverage", "memorisation", "cas", "modes"} <= set(metric_names())
    assert family_of("coverage") == "gansmith.metrics.manifold"
    assert all(line.endswith(("(lower is better)", "(higher is better)")) for line in metric_names().values())


def test_every_metric_says_what_it_tells_of_or_is_among_the_others() -> None:
    assert subjects().keys() == set(metric_names())
    assert set(subjects().values()) <= set(get_args(Subject))
    assert {name: subjects()[name] for name in ("precision", "recall", "fid", "memorisation")} == {
        "precision": "quality",
        "recall": "diversity",
        "fid": "both",
        "memorisation": "memorisation",
    }
