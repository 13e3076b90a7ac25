"""Memory that a training frees is kept for its next step: fetching it from the system anew costs a tenth of a step on a CPU.

glibc hands large blocks back to the system as soon as they are freed; each comes back as pages that the system first fills with zeros.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
"""mallopt's names (malloc.h)."""
KEEPING = {MMAP_MAX: 0, TRIM_THRESHOLD: 2**31 - 1}
USUAL = {MMAP_MAX: 65536, TRIM_THRESHOLD: 2**26, MMAP_THRESHOLD: 2**25}
"""Where glibc's own thresholds arrive, which move up as large blocks are freed."""


_inside = 0
"""How many times over memory is kept now."""


@contextmanager
def kept_for_reuse() -> Iterator[None]:
    """Inside, freed memory stays with this process; after the outermost, it goes back to the system.

    Without glibc nothing is changed.
    """
    global _inside
    library = _glibc()
    if library is None:
        yield
        return
    _inside += 1
    for name, value in KEEPING.items():
        library.mallopt(name, value)
    try:
        yield
    finally:
        _inside -= 1
        if not _inside:
            for name, value in USUAL.items():
                library.mallopt(name, value)
            library.malloc_trim(0)


def give_back() -> None:
    """Freed memory goes back to the system now, where glibc would keep what lies between blocks in use."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library, where it is one that can be told what to keep."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
