"""Memory that was freed goes back to the system."""

import ctypes
import sys


def give_back() -> None:
    """Has the C library return freed memory, which glibc otherwise keeps for the process; does nothing elsewhere."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # musl has none
            trim(0)
