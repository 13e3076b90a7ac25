"""Halving and doubling convolutions of 4x4 on a CPU, where gansmith computes them otherwise than PyTorch does.

    python bench/halving.py

Each layer's slow part: the gradient with respect to the image for a critic's first layer, the values of a generator's last layer, the
gradient of the weights at 4x4 pixels. bfloat16, channels-last, batches of 64, one thread, CPU time, the fastest of several calls in
turn, memory kept for reuse; to bench/results/halving.json.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from machine import machine
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

from gansmith.layers.halving import double, halve
from gansmith.training.allocator import kept_for_reuse

RESULTS = Path(__file__).parent / "results" / "halving.json"
CALLS = 6
LAYERS = (("image", 64, 3, 64), ("image", 32, 1, 28), ("values", 64, 3, 32), ("weights", 512, 256, 8), ("weights", 256, 128, 8))
"""What is asked for, features, channels of the larger image, and the side of the input."""


def plain_halve(x: Tensor, weight: Tensor) -> Tensor:
    return conv2d(x, weight, None, 2, 1)


def asked(what: str, halves: Callable, doubles: Callable, given: tuple[Tensor, Tensor]) -> Callable[[], object]:
    x, weight = given
    if what == "values":
        return lambda: doubles(x, weight)
    y = halves(x if what == "image" else x.detach(), weight)
    gradient = torch.randn_like(y).detach()
    wanted = x if what == "image" else weight
    return lambda: torch.autograd.grad(y, wanted, gradient, retain_graph=True)


def main() -> None:
    torch.set_num_threads(1)
    results = []
    for what, features, channels, side in LAYERS:
        seen = features if what == "values" else channels
        x = torch.randn(64, seen, side, side).bfloat16().contiguous(memory_format=torch.channels_last).requires_grad_()
        weight = torch.randn(features, channels, 4, 4).bfloat16().requires_grad_()
        forms = {
            "PyTorch": asked(what, plain_halve, lambda x, w: conv_transpose2d(x, w, None, 2, 1), (x, weight)),
            "gansmith": asked(what, lambda x, w: halve(x, w, None), lambda x, w: double(x, w, None), (x, weight)),
        }
        best = dict.fromkeys(forms, float("inf"))
        for _ in range(CALLS):
            for name, form in forms.items():
                began = time.thread_time()
                form()
                best[name] = min(best[name], time.thread_time() - began)
        milliseconds = {name: round(1000 * seconds, 2) for name, seconds in best.items()}
        results.append({"asked": what, "features": features, "channels": channels, "side": side, "milliseconds": milliseconds})
        print(results[-1], flush=True)
    RESULTS.write_text(json.dumps({"machine": machine(), "torch": torch.__version__, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    with kept_for_reuse():
        main()
