"""Inception metrics against torch-fidelity, pytorch-fid and clean-fid: equal in value, faster.

    python bench/inception.py cifar10.npz --part values --images 2000
    python bench/inception.py cifar10.npz --part speed

DATA is anything `gansmith evaluate` takes. All use one weight file: --weights, or random weights in the same layout, whose batch
normalisation is fitted to the data so that features are of the usual size. The peers import torchvision, whose compiled operators
may be missing where torch has no GPU: they are declared first, and never called. The fake side is the real one with noise.
Tables go to bench/results/inception-*.md.
"""

import argparse
import contextlib
import io
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

RESULTS = Path(__file__).parent / "results"


def declare_missing_operators() -> None:
    """So that torchvision can be imported beside a torch that it was not compiled for."""
    library = torch.library.Library("torchvision", "DEF")
    declare_missing_operators.library = library  # kept alive
    forward = ("nms", "qnms", "roi_align", "qroi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d")
    for name in (*forward, *(f"_{name}_backward" for name in forward)):
        library.define(f"{name}(Tensor x) -> Tensor")


declare_missing_operators()
warnings.filterwarnings("ignore")

import cleanfid.features
import cleanfid.fid
import cleanfid.resize
import torch_fidelity
from pytorch_fid import fid_score
from pytorch_fid import inception as pytorch_fid_inception
from scipy.linalg import sqrtm
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.images.features.inception import Inception
from gansmith.kinds.images.metrics.inception_score import inception_scores
from gansmith.kinds.images.metrics.kernel_inception_distance import kernel_inception_distance
from gansmith.kinds.opening import open_dataset
from gansmith.metrics.frechet import Moments, frechet_distance
from gansmith.networks.pretrained.inception_network import Convolution, InceptionV3
from gansmith.networks.pretrained.resizing import RESIZINGS

fid_score.linalg.sqrtm = lambda a, disp=False: (sqrtm(a), 0.0)  # scipy 1.18 has no disp any more
cleanfid.fid.linalg.sqrtm = fid_score.linalg.sqrtm


def random_weights(data: Dataset, path: Path) -> None:
    """Random convolutions, batch normalisation fitted to the data, in the layout of the usual file."""
    torch.manual_seed(0)
    network = InceptionV3()
    for module in network.modules():
        if isinstance(module, Convolution):
            nn.init.kaiming_normal_(module.conv.weight)
            nn.init.uniform_(module.bn.weight, 0.1, 0.5)
            nn.init.normal_(module.bn.bias, 0, 0.1)
            module.bn.momentum = None
    with torch.no_grad():
        network.train()(torch.nn.functional.interpolate(data.batch(slice(0, 32))["image"], (299, 299), mode="bilinear"))
    torch.save(network.state_dict(), path)


class FirstOutput(nn.Module):
    def __init__(self, network: InceptionV3) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)[0]


def peers(weights: Path, folder: Path) -> dict[str, Callable[[Path, Path], dict[str, float]]]:
    """Scores of two folders of PNG files by each package, with its own loader, resizing, network and arithmetic."""

    def by_torch_fidelity(real: Path, fake: Path) -> dict[str, float]:
        size = min(1000, len(list(fake.iterdir())))
        found = torch_fidelity.calculate_metrics(
            input1=str(fake),
            input2=str(real),
            cuda=False,
            isc=True,
            fid=True,
            kid=True,
            kid_subset_size=size,
            batch_size=BATCH,
            cache=False,
            verbose=False,
            feature_extractor_weights_path=str(weights),
        )
        names = {"fid": "frechet_inception_distance", "kid": "kernel_inception_distance_mean", "is": "inception_score_mean"}
        return {name: found[theirs] for name, theirs in names.items()}

    def by_pytorch_fid(real: Path, fake: Path) -> dict[str, float]:
        with contextlib.redirect_stderr(io.StringIO()):
            return {"fid": float(fid_score.calculate_fid_given_paths([str(real), str(fake)], BATCH, "cpu", 2048, 0))}

    def by_clean_fid(real: Path, fake: Path) -> dict[str, float]:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            value = cleanfid.fid.compute_fid(
                str(real),
                str(fake),
                mode="clean",
                num_workers=0,
                batch_size=BATCH,
                device=torch.device("cpu"),
                verbose=False,
                custom_feat_extractor=wrapper,
            )
        return {"fid": float(value)}

    pytorch_fid_inception.load_state_dict_from_url = lambda *_, **__: torch.load(weights)
    network = InceptionV3().eval()
    network.load_state_dict(torch.load(weights))
    with torch.no_grad():
        traced = torch.jit.trace(Layers(FirstOutput(network)).eval(), torch.zeros(2, 3, 299, 299))
    traced.save(str(folder / "inception-2015-12-05.pt"))
    wrapper = cleanfid.features.InceptionV3W(str(folder), download=False, resize_inside=False).eval()
    return {"torch-fidelity": by_torch_fidelity, "pytorch-fid": by_pytorch_fid, "clean-fid": by_clean_fid}


class Layers(nn.Module):
    """Under the name that clean-fid calls in its file of the network."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


BATCH = 16
OURS = {"torch-fidelity": "tensorflow", "pytorch-fid": "pytorch", "clean-fid": "clean"}


def as_folder(data: Dataset, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(data.packed(slice(None))["image"]):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / f"{i:06d}.png")
    return folder


def noisy(data: Dataset, strength: float) -> Dataset:
    rng = np.random.default_rng(1)
    pixels = data.packed(slice(None))["image"].astype(np.float32)
    pixels = np.clip(pixels + rng.normal(0, strength, pixels.shape), 0, 255).round().astype(np.uint8)
    arrays = {"image": pixels}
    return Dataset(name="noisy", codec=data.codec, arrays=arrays, fingerprint=fingerprint(arrays))


def ours(real: Dataset, fake: Dataset, inception: Inception, seed: int = 2020) -> dict[str, float]:
    """The same scores by our parts, with the subsets and splits that torch-fidelity draws."""
    near, far = inception.features(real), inception.features(fake)
    return {
        "fid": frechet_distance(Moments.of(near), Moments.of(far)),
        "kid": float(kernel_inception_distance(far, near, seed).subsets.mean()),
        "is": float(inception_scores(inception.logits(far), seed).mean()),
    }


def values(real: Dataset, fake: Dataset, weights: Path, folder: Path, random: bool) -> list[str]:
    folders = as_folder(real, folder / "real"), as_folder(fake, folder / "fake")
    lines = [
        f"{len(real)} and {len(fake)} images, {'random weights' if random else 'the usual weights'}.",
        "",
        "| package | score | its value | ours, same resizing | relative difference |",
        "|---" * 5 + "|",
    ]
    for name, scores in peers(weights, folder).items():
        theirs = scores(*folders)
        mine = ours(real, fake, Inception.open(folder, weights=weights, resize=OURS[name]))
        for score, value in theirs.items():
            difference = abs(mine[score] - value) / abs(value)
            lines.append(f"| {name} | {score} | {value:.6g} | {mine[score]:.6g} | {difference:.1e} |")
            print(lines[-1], flush=True)
    exact = ours(real, fake, Inception.open(folder, weights=weights))
    fast = ours(real, fake, Inception.open(folder, weights=weights, fast=True))
    for score, value in exact.items():
        difference = abs(fast[score] - value) / abs(value)
        lines.append(f"| gansmith, fast | {score} | {fast[score]:.6g} (fast) | {value:.6g} (exact) | {difference:.1e} |")
    return lines


def speed(real: Dataset, weights: Path, folder: Path) -> list[str]:
    """Images a second of CPU through each package's network in batches, resizing included, reading from disk not."""
    images = real.subset(np.arange(64))
    pixels = ((images.batch(slice(None))["image"] + 1) * 127.5).round().to(torch.uint8)
    compatible = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights))
    peers(weights, folder)
    original = pytorch_fid_inception.InceptionV3([3]).eval()
    wrapper = cleanfid.features.InceptionV3W(str(folder), download=False, resize_inside=False).eval()
    resize = cleanfid.resize.build_resizer("clean")

    def clean(batch: torch.Tensor) -> torch.Tensor:
        return wrapper(torch.stack([torch.from_numpy(resize(x.permute(1, 2, 0).numpy())).permute(2, 0, 1) for x in batch]))

    def through(network: Callable[[torch.Tensor], object]) -> Callable[[], None]:
        def run() -> None:
            with torch.no_grad():
                for batch in pixels.split(BATCH):
                    network(batch)

        return run

    ways: dict[str, Callable[[], object]] = {
        "torch-fidelity": through(compatible),
        "pytorch-fid": through(lambda batch: original(batch / 255)),
        "clean-fid": through(clean),
    }
    for resizing in RESIZINGS:
        inception = Inception.open(folder, weights=weights, resize=resizing)
        ways[f"gansmith, {resizing}"] = lambda inception=inception: inception.features(images)
    inception = Inception.open(folder, weights=weights, fast=True)
    ways["gansmith, fast"] = lambda: inception.features(images)
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.process_time()
            way()
            seconds[name].append((time.process_time() - began) / len(images))
        print({name: round(min(each) * 1000, 1) for name, each in seconds.items()}, flush=True)
    single, half = peak(torch.float32), peak(torch.bfloat16)
    best = np.min([seconds[name] for name in OURS], axis=0)  # in each round, the fastest of the packages
    lines = [
        f"One convolution (256 channels, 3x3, 35x35) of oneDNN reaches {single:.0f} GFLOP/s in float32 and {half:.0f} in bfloat16 on one",
        f"core here, and the network has {GFLOP} GFLOP an image: at best {single / GFLOP:.1f} images a second, {half / GFLOP:.1f} fast.",
        "",
        "| | CPU ms an image: median (least) | images a CPU second | against the fastest package |",
        "|---" * 4 + "|",
    ]
    for name, each in seconds.items():
        median, ratio = statistics.median(each), float(np.median(best / np.array(each)))
        lines.append(f"| {name} | {median * 1000:.1f} ({min(each) * 1000:.1f}) | {1 / median:.1f} | {ratio:.2f} x |")
    return lines


ROUNDS = 5
GFLOP = 11.4


def peak(dtype: torch.dtype) -> float:
    """GFLOP/s of a convolution that oneDNN is good at."""
    x = torch.randn(16, 256, 35, 35, dtype=dtype).to(memory_format=torch.channels_last)
    layer = nn.Conv2d(256, 256, 3, padding=1, dtype=dtype).to(memory_format=torch.channels_last)
    seconds = []
    with torch.inference_mode():
        for _ in range(8):
            began = time.process_time()
            layer(x)
            seconds.append(time.process_time() - began)
    return 2 * x.numel() * 256 * 9 / min(seconds) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--part", choices=("values", "speed"), required=True)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--weights", type=Path)
    arguments = parser.parse_args()
    data = open_dataset(arguments.data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = arguments.weights or folder / "random.pth"
        if arguments.weights is None:
            random_weights(data, weights)
        real = data.subset(np.arange(arguments.images))
        fake = noisy(data.subset(np.arange(arguments.images, 2 * arguments.images)), 8)
        if arguments.part == "values":
            lines = values(real, fake, weights, folder, random=arguments.weights is None)
        else:
            lines = speed(real, weights, folder)
    (RESULTS / f"inception-{arguments.part}.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
