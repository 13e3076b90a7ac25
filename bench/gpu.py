"""What a GPU makes of it, in under eight minutes: speed, share of the hardware's peak, and quality of a short training.

    python bench/gpu.py
    python bench/gpu.py --toy            # seconds, on a CPU, nothing recorded

Steps: R3GAN's CIFAR-10 preset, and StyleGAN2's for 256x256 where there is that GAN, in float32 (the textbook form of the same
networks and objective), in bfloat16, and in bfloat16 with torch.compile where the settings know it. Features: Inception-v3 from a
memory-mapped set, end to end; its speed does not depend on its weights, so they are random. Quality: a training on CIFAR-10 (digits
where that cannot be had), judged in the space of the features at hand.
"""

import argparse
import dataclasses
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gansmith
from gansmith import gans
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.features.inception import Inception
from gansmith.kinds.images.spec import ImageSpec
from gansmith.networks.pretrained.inception_network import InceptionV3
from gansmith.planning import profile as profiling
from gansmith.planning.plan import Plan, plan
from gansmith.planning.profile import profile
from gansmith.training.trainer import Settings

RESULTS = Path(__file__).parent / "results" / "gpu.json"


def noise(folder: Path, count: int, side: int) -> Dataset:
    """Memory-mapped images of noise [count, 3, side, side]."""
    array = np.lib.format.open_memmap(folder / f"noise-{side}.npy", "w+", np.uint8, (count, 3, side, side))
    rng = np.random.default_rng(0)
    for start in range(0, count, 1000):
        array[start : start + 1000] = rng.integers(0, 256, array[start : start + 1000].shape, np.uint8)
    spec = ImageSpec(shape=(3, side, side))
    return Dataset(name="noise", codec=ImageCodec(spec=spec), arrays={"image": array}, fingerprint=f"noise {count} {side}")


def forms(planned: Plan) -> dict[str, Plan]:
    """The same game in the forms that are compared."""
    bfloat16 = replace(planned, settings=replace(planned.settings, precision="bfloat16"))
    found = {"float32": replace(planned, settings=replace(planned.settings, precision="float32")), "bfloat16": bfloat16}
    if planned.settings.device != "cpu" and "compile" in {field.name for field in dataclasses.fields(Settings)}:
        compiled: dict[str, Any] = {"compile": True}
        found["bfloat16 compiled"] = replace(bfloat16, settings=replace(bfloat16.settings, **compiled))
    return found


def steps(gan: str, preset: str, data: Dataset, device: str, seconds: float, **options: Any) -> dict[str, Any]:
    """Examples a second, share of the peak and where the time goes, in every form."""
    planned = plan(data, gan=gan, preset=preset, device=device, samples=10**9, **options)
    found: dict[str, Any] = {}
    for name, form in forms(planned).items():
        began = time.monotonic()
        try:
            profiled = profile(form, data, seconds)
        except torch.cuda.OutOfMemoryError as error:
            found[name] = {"failed": str(error).split("\n")[0]}
            continue
        found[name] = profiled.to_json() | {"seconds_with_warm_up": round(time.monotonic() - began, 1)}
        base = found["float32"].get("examples_per_second")
        print(
            f"{gan} {preset}, {name}: {profiled.examples_per_second:,.0f} examples a second"
            f"{f' ({profiled.examples_per_second / base:.2f}x float32)' if base else ''}, "
            f"{profiled.fraction_of_peak:.0%} of {profiled.peak_flops_per_second / 1e12:.1f} TFLOP/s",
            flush=True,
        )
    return found


def features(data: Dataset, device: str, folder: Path, toy: bool) -> dict[str, Any]:
    """Inception features a second, from uint8 on disk to float32 in memory, after a first batch."""
    found = {}
    for name, fast in (("exact", False), ("fast", True))[: 1 if toy else 2]:
        extractor = Inception(
            network=InceptionV3().eval(), weights="random", fast=fast, device=torch.device(device), folder=folder
        )
        extractor.features(data.subset(np.arange(min(len(data), 256) // 2)))
        began = time.monotonic()
        extractor.features(data)
        found[name] = round(len(data) / (time.monotonic() - began), 1)
        print(f"Inception features, {name}: {found[name]:,.0f} images a second", flush=True)
    return found


def quality(folder: Path, minutes: float, device: str, toy: bool) -> dict[str, Any]:
    """The scores of a training of so many minutes."""
    options: dict[str, Any] = {"device": device, "out": folder / "run"}
    if toy:
        options |= {"gan": "gan", "options": {"width": 16}, "batch": 16, "samples": 800, "evaluate": False}
    else:
        options |= {"gan": "r3gan", "preset": "cifar10", "options": {"schedule": None, "half_life": 50_000}, "minutes": minutes}
    source = "digits"
    try:
        if not toy:
            gansmith.open_dataset("cifar10")
            source = "cifar10"
    except UserError as error:
        print(f"No CIFAR-10 ({error})", flush=True)
    run = gansmith.train(source, **options)
    judgement = run.judgement
    scores = {score.name: score.to_json() for score in judgement.scores} if judgement else {}
    for name, score in scores.items():
        print(f"{source}, {minutes} minutes: {name} {score['value']:.4g}", flush=True)
    return {"data": source, "minutes": minutes, "scores": scores}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--toy", action="store_true", help="tiny, and nothing recorded")
    parser.add_argument("--minutes", type=float, default=4.0, help="of training for quality; all else takes under four")
    options = parser.parse_args()
    if not options.toy and not torch.cuda.is_available():
        raise SystemExit("There is no GPU here: run with --toy to see that everything works.")
    device, seconds = ("cpu", 0.01) if options.toy else ("cuda:0", 5.0)
    profiling.CYCLE = 1 if options.toy else profiling.CYCLE
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = (noise(folder, *size) for size in (((64, 32), (16, 64)) if options.toy else ((50_000, 32), (10_000, 256))))
        tiny = {"options": {"widths": (8, 8, 8, 8), "blocks": 1, "group_width": 8, "noise": 8}, "batch": 4} if options.toy else {}
        results: dict[str, Any] = {"r3gan 32": steps("r3gan", "cifar10", small, device, seconds, **tiny)}
        if "stylegan2" in gans.names():
            preset = "small" if options.toy else "ffhq256"
            narrow = {"options": {"width": 8, "widest": 16, "style": 16, "noise": 16}, "batch": 4} if options.toy else {}
            results["stylegan2 256"] = steps("stylegan2", preset, large, device, seconds, **narrow)
        results["inception"] = features(small.subset(np.arange(2)) if options.toy else small, device, folder, options.toy)
        results["quality"] = quality(folder, options.minutes, device, options.toy)
    results |= {
        "device": torch.cuda.get_device_name() if device != "cpu" else "cpu",
        "torch": torch.__version__,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(f"{results['seconds']} seconds in all")
    if not options.toy:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
