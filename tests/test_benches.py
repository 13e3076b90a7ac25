"""Benches that need machines we do not always have run in small everywhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_bench_for_gpus_runs_in_small_on_a_cpu(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GANSMITH_CACHE": str(tmp_path), "OMP_NUM_THREADS": "1"}
    recorded = ROOT / "bench" / "results" / "gpu.json"
    before = recorded.read_bytes() if recorded.exists() else None
    command = [sys.executable, str(ROOT / "bench" / "gpu.py"), "--toy"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "r3gan cifar10, bfloat16" in said and "Inception features" in said and "seconds in all" in said
    assert (recorded.read_bytes() if recorded.exists() else None) == before


def test_no_bench_has_a_name_of_a_machine_of_its_own():
    """A record says what it was measured on, wherever it is measured again."""
    for path in (ROOT / "bench").glob("*.py"):
        assert not re.search(r"EPYC|Xeon|Ryzen|shared cores|platform\.machine\(\)", path.read_text(encoding="utf-8")), path.name
