"""A small network of features, trained on labelled images, for the critic of `gansmith train DATA --gan projected`.

    python bench/feature_network.py cifar10_train_jpeg.npz runs/network.pt --cpu-seconds 60
    gansmith train photos/ --gan projected --gan.features runs/network.pt

For those who have labelled images of some kind, but no published weights. The file is TorchScript: images [B, C, H, W] in [-1, 1] to
three maps, of a half, a quarter and an eighth of the side.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from synthesis import opened
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

HELD_OUT = 0.1


class Maps(nn.Module):
    """An image to its maps; each stage is a strided convolution and another one, with batch norm."""

    def __init__(self, channels: int, width: int = 32) -> None:
        super().__init__()
        self.one, self.two, self.three = (
            nn.Sequential(
                *(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()),
                *(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)),
            )
            for inputs, outputs in ((channels, width), (width, 2 * width), (2 * width, 4 * width))
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        first = relu(self.one(image))
        second = relu(self.two(first))
        return [first, second, relu(self.three(second))]


class Classifier(nn.Module):
    """The mean of the last map to the logits of the classes."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.maps = Maps(channels)
        self.logits = nn.Linear(128, classes)

    def forward(self, image: Tensor) -> Tensor:
        return self.logits(self.maps(image)[-1].mean((2, 3)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="an npz with images [N, H, W, C] or encoded ones, and labels")
    parser.add_argument("file", type=Path, help="where the network goes")
    parser.add_argument("--cpu-seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    with np.load(opened(arguments.data, arguments.file.parent)) as file:
        pixels, labels = file["images"], file["labels"].astype(np.int64)
    pixels = pixels if pixels.ndim == 4 else pixels[..., None]
    order = np.random.default_rng(arguments.seed).permutation(len(pixels))
    held, kept = np.split(order, [int(HELD_OUT * len(order))])

    def images(rows: np.ndarray) -> Tensor:
        return torch.from_numpy(np.moveaxis(pixels[rows], 3, 1).astype(np.float32) / 127.5 - 1)

    network = Classifier(pixels.shape[3], int(labels.max()) + 1)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    began, rng = time.process_time(), np.random.default_rng(arguments.seed)
    while (gone := (time.process_time() - began) / arguments.cpu_seconds) < 1:
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - gone)
        rows = rng.choice(kept, 64)
        batch = images(rows)
        batch = batch.flip(3) if rng.random() < 0.5 else batch
        optimizer.zero_grad()
        cross_entropy(network(batch), torch.from_numpy(labels[rows])).backward()
        optimizer.step()
    network.eval()
    with torch.inference_mode():
        right = sum(int((network(images(rows)).argmax(1).numpy() == labels[rows]).sum()) for rows in np.array_split(held, 20))
    torch.jit.script(network.maps).save(arguments.file)
    print(f"{arguments.file}: {right / len(held):.1%} of {len(held):,} held-out images are classified rightly")


if __name__ == "__main__":
    main()
