"""The benches run at toy size."""

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent / "bench"


def test_the_textbook_steps_compute_what_ours_do_and_run():
    done = subprocess.run([sys.executable, BENCH / "step.py", "--toy"], capture_output=True, text=True, check=True, timeout=300)
    assert len(done.stdout.splitlines()) == 5
