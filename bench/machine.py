"""What a bench runs on, as it is: no bench has a name of a machine of its own."""

import os

import torch

from gansmith.planning.plan import cpu_model


def machine() -> str:
    """The processor, how many cores there are, and how many threads compute."""
    threads = torch.get_num_threads()
    return f"{cpu_model()}, {os.cpu_count()} cores, {threads} thread{'s' if threads > 1 else ''}"
