"""Resampling on a CPU: the forms of StyleGAN2's filter [1, 3, 3, 1] and of the triangle filter, forward and backward.

    python bench/resampling.py

"usual" is a depthwise convolution on contiguous channels that computes every pixel, then keeps every second one. One thread, CPU time,
the fastest of several calls, memory kept for reuse; to bench/results/resampling.json and .md.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad

from gansmith.layers.resample import downsample, upsample
from gansmith.layers.smoothing import enlarge, smooth
from gansmith.planning.plan import cpu_model
from gansmith.training.allocator import kept_for_reuse

RESULTS = Path(__file__).parent / "results"
CALLS = 12
SHAPES = ((32, 32, 16), (32, 32, 32), (16, 32, 64))
"""Batch, channels, side."""


def depthwise(x: Tensor, taps: list[float], padding: int) -> Tensor:
    line = torch.tensor(taps)
    kernel = (line[:, None] * line).expand(x.shape[1], 1, -1, -1).contiguous()
    return conv2d(pad(x, (padding,) * 4), kernel, groups=x.shape[1])


def spread(x: Tensor) -> Tensor:
    zeros = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    zeros[:, :, ::2, ::2] = x
    return zeros


def means(x: Tensor) -> Tensor:
    """[1, 3, 3, 1] / 8 as three overlapping means of two, the last with stride two."""
    x = avg_pool2d(avg_pool2d(pad(x, (1, 1, 1, 1)), 2, stride=1), 2, stride=1)
    return avg_pool2d(x, 2)


QUARTERS = [0.125, 0.375, 0.375, 0.125]
FORMS: dict[str, dict[str, Callable[[Tensor], Tensor]]] = {
    "halve by [1, 3, 3, 1]": {
        "usual": lambda x: depthwise(x, QUARTERS, 1)[:, :, ::2, ::2],
        "smooth(stride=2)": lambda x: smooth(x, padding=1, stride=2),
        "means of two": means,
    },
    "smooth by [1, 3, 3, 1] after a transposed convolution": {
        "usual": lambda x: depthwise(x, [2 * tap for tap in QUARTERS], 1),
        "smooth": lambda x: smooth(x, padding=1, gain=4),
    },
    "enlarge images by [1, 3, 3, 1]": {
        "usual": lambda x: depthwise(pad(spread(x), (1, 0, 1, 0)), [2 * tap for tap in QUARTERS], 1),
        "enlarge": enlarge,
    },
    "halve by [1, 2, 1]": {
        "usual": lambda x: depthwise(x, [0.25, 0.5, 0.25], 1)[:, :, ::2, ::2],
        "downsample": downsample,
    },
    "double by [1, 2, 1]": {
        "usual": lambda x: depthwise(spread(x), [0.5, 1.0, 0.5], 1),
        "upsample": upsample,
    },
}


def milliseconds(form: Callable[[Tensor], Tensor], x: Tensor) -> float:
    times, gradient = [], torch.randn_like(form(x)).detach()
    for _ in range(CALLS):
        began = time.thread_time()
        torch.autograd.grad(form(x), x, gradient)
        times.append(time.thread_time() - began)
    return round(1000 * min(times), 3)


def main() -> None:
    torch.set_num_threads(1)
    with kept_for_reuse():
        compare()


def compare() -> None:
    results = []
    for task, forms in FORMS.items():
        for shape in SHAPES:
            batch, channels, side = shape if "images" not in task else (shape[0], 3, shape[2])
            plain = torch.randn(batch, channels, side, side)
            reference = forms["usual"](plain)
            for name, form in forms.items():
                for layout in (torch.contiguous_format, torch.channels_last) if name != "usual" else (torch.contiguous_format,):
                    x = plain.contiguous(memory_format=layout).requires_grad_()
                    difference = float((form(x) - reference).abs().max().detach())
                    last = layout == torch.channels_last
                    results.append(
                        {
                            "task": task,
                            "shape": [batch, channels, side, side],
                            "form": name,
                            "layout": "channels_last" if last else "contiguous",
                            "milliseconds": milliseconds(form, x),
                            "difference": difference,
                        }
                    )
    machine = {"cpu": cpu_model(), "torch": torch.__version__, "threads": 1}
    (RESULTS / "resampling.json").write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    usual = {(r["task"], tuple(r["shape"])): r["milliseconds"] for r in results if r["form"] == "usual"}
    lines = ["| task | shape | form | layout | ms | times as fast as usual |", "|---|---|---|---|---|---|"]
    for r in results:
        gain = usual[r["task"], tuple(r["shape"])] / r["milliseconds"]
        lines.append(f"| {r['task']} | {r['shape']} | {r['form']} | {r['layout']} | {r['milliseconds']} | {gain:.2f} |")
    (RESULTS / "resampling.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
