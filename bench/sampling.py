"""Generating: examples a second of a loaded model against the plain loop, and of its ONNX export against torch.

    python bench/sampling.py

The plain loop is what a script does: the averaged network of PyTorch's layers in evaluation mode, batches of 64, float32, no
folding. Blocks alternate
within one process; figures are medians of the ratios of neighbouring blocks in CPU time of one thread (ONNX: wall time, one thread).
The networks have their initial weights, and batch norm the statistics of a few passes.
"""

import argparse
import copy
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from machine import machine

from gansmith.gans import find
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.layers.halving import Doubling
from gansmith.model import Model

RESULTS = Path(__file__).parent / "results" / "sampling.json"
BLOCKS, SECONDS = 3, 0.4
CASES: dict[str, tuple[str, int, str, int]] = {
    "r3gan 32x32, small": ("r3gan", 32, "small", 2048),
    "dcgan 64x64, small": ("dcgan", 64, "small", 1024),
    "dcgan 64x64, paper": ("dcgan", 64, "paper", 512),
}
"""A GAN, the side of its images, a preset, and how many examples are asked for at once."""


def pace(make: Callable[[], int], clock: Callable[[], float]) -> float:
    began, made = clock(), 0
    while clock() - began < SECONDS:
        made += make()
    return made / (clock() - began)


def compared(plain: Callable[[], int], other: Callable[[], int], clock: Callable[[], float]) -> float:
    """How many times faster the other is: the median of neighbouring blocks."""
    for make in (plain, other):
        make()
    return round(statistics.median(1 / (pace(plain, clock) / pace(other, clock)) for _ in range(BLOCKS)), 2)


def measured(name: str, side: int, preset: str, count: int, folder: Path) -> dict[str, Any]:
    made = find(name)
    codec = ImageCodec(spec=ImageSpec(shape=(3, side, side)))
    torch.manual_seed(0)
    gan = made(made.Config(**made.presets[preset].config), codec.spec)
    network = gan.players["generator"].averaged
    network.train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.randn(64, gan.config.noise))
    network.eval()
    plain_network = copy.deepcopy(network)
    for layer in plain_network.modules():
        if isinstance(layer, Doubling):
            layer.__class__ = torch.nn.ConvTranspose2d
    Model(gan, codec, {"gan": name, "data": "none", "examples": 0, "samples": 0}).save(folder)
    models = {precision: Model.load(folder, precision=precision) for precision in ("float32", "bfloat16")}
    rng = torch.Generator().manual_seed(0)
    plain_players = sys.modules[type(network).__module__]

    @torch.inference_mode()
    def plain() -> int:
        with patch.object(plain_players, "bounded", lambda x: x.float().tanh()):
            plain_network(torch.randn(64, gan.config.noise, generator=rng))
        return 64

    def loaded(model: Model) -> Callable[[], int]:
        def make() -> int:
            return sum(len(batch["image"]) for batch in model.batches(count))

        return make

    found: dict[str, Any] = {}
    for precision, model in models.items():
        found[precision] = {
            "times_plain": compared(plain, loaded(model), time.thread_time),
            "mean_deviation": round(model.optimized.deviation, 6),
        }
    found["plain_a_second"] = round(pace(plain, time.thread_time), 1)
    found["onnx_times_eager"] = onnx_against_eager(models["float32"], network, gan.config.noise, folder)
    return found


def onnx_against_eager(model: Model, network: torch.nn.Module, noise: int, folder: Path) -> float:
    import onnxruntime

    path = model.export("onnx", folder / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = torch.randn(64, noise)

    @torch.inference_mode()
    def eager() -> int:
        return len(network(given))

    def exported() -> int:
        return len(session.run(["image"], {"noise": given.numpy()})[0])  # pyright: ignore[reportArgumentType]

    return compared(eager, exported, time.perf_counter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose title contains this; the results of others stay")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = json.loads(RESULTS.read_text())["results"] if RESULTS.exists() else {}
    for title, case in CASES.items():
        if arguments.only in title:
            with tempfile.TemporaryDirectory() as folder:
                results[title] = measured(*case, Path(folder))
            print(title, results[title], flush=True)
    facts = {"machine": machine(), "torch": torch.__version__, "blocks": BLOCKS, "results": results}
    RESULTS.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
