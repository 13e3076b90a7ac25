"""Freed memory is kept inside, and goes back after."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from pathlib import Path
from gansmith.training.allocator import kept_for_reuse

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

torch.ones(1)
start, usual = resident(), faults()
with kept_for_reuse():
    with kept_for_reuse():
        pass  # one inside another ends nothing
    faults(), faults(), faults()  # finds its places
    kept, held = faults(), resident() - start
print(usual, kept, held, resident() - start)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="is about glibc")
def test_inside_no_page_is_fetched_twice_and_after_it_all_goes_back():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    usual, kept, held, after = map(int, done.stdout.split())
    assert kept < usual / 2
    assert held > 2**25 > after
