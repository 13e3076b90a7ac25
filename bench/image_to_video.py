"""Pictures set in motion: motiongan beside a ConvGRU that predicts the next frame, at equal CPU seconds.

    python bench/image_to_video.py clips.npz --held-out others.npz --frames 8 --seconds 300

Both learn from the same clips for so many seconds of one thread. Each held-out clip then begins anew from its first frame. Measured are
PSNR of the first frame; whether the clip that was begun with is the nearest of all held-out ones of its class by the mean of the later
frames (identity); the class read by a network that learned it from real clips; Frechet distances of whole clips and of motion to the
training clips; sharpness, the mean gradient over that of the real clips; the mean error of all later frames. Beside stand the still
picture, and the real clips themselves. Results go to bench/results/image_to_video.json.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, l1_loss, leaky_relu, one_hot
from video import add_data, opened, trained

from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset
from gansmith.kinds.images.features.classifier import Classifier, answers
from gansmith.kinds.video.baseline import made
from gansmith.kinds.video.features import ClipFeatures, See
from gansmith.kinds.video.given import Ends
from gansmith.kinds.video.metrics.read_classes import four_frames
from gansmith.kinds.video.preview import strips
from gansmith.metrics.frechet import Moments, distance_with_interval

RESULTS = Path(__file__).parent / "results" / "image_to_video.json"
SPACES: tuple[See, ...] = ("clips", "motion")


class ConvGRU(nn.Module):
    """The next frame from the frames so far: two strided convolutions, a convolutional gated recurrent unit (Ballas et al. 2016,
    "Delving deeper into convolutional networks for learning video representations"), and the way back as a change of the last frame."""

    def __init__(self, channels: int, classes: int, width: int = 48) -> None:
        super().__init__()
        self.classes, self.width = classes, width
        self.down = nn.Sequential(
            nn.Conv2d(channels + classes, width // 2, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width // 2, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
        )
        self.gates = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.candidate = nn.Conv2d(2 * width, width, 3, padding=1)
        self.up = nn.Conv2d(width, width // 2, 3, padding=1)
        self.out = nn.Conv2d(width // 2 + channels, channels, 3, padding=1)

    def step(self, frame: Tensor, state: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        given = frame
        if label is not None:
            planes = one_hot(label, self.classes).to(frame.dtype)[:, :, None, None].expand(-1, -1, *frame.shape[2:])
            given = torch.cat([frame, planes], 1)
        x = self.down(given)
        reset, update = torch.sigmoid(self.gates(torch.cat([x, state], 1))).chunk(2, 1)
        new = torch.tanh(self.candidate(torch.cat([x, reset * state], 1)))
        state = update * state + (1 - update) * new
        fine = leaky_relu(self.up(interpolate(state, scale_factor=2.0)), 0.2)
        change = self.out(torch.cat([interpolate(fine, size=frame.shape[2:]), frame], 1))
        return (frame + change).clamp(-1, 1), state

    def forward(self, first: Tensor, steps: int, label: Tensor | None, real: Tensor | None = None, taught: float = 0.0) -> Tensor:
        """Clips that begin with `first` [B, C, H, W]; each step sees the real frame with the chance `taught`, else its own."""
        height, width = first.shape[2] // 4, first.shape[3] // 4
        frames, state = [first], first.new_zeros(len(first), self.width, height, width)
        for step in range(1, steps):
            seen = frames[-1] if real is None or torch.rand(()) > taught else real[:, step - 1]
            frame, state = self.step(seen, state, label)
            frames.append(frame)
        return torch.stack(frames, 1)


def predictor(train: Dataset, seconds: float, seed: int) -> tuple[ConvGRU, dict[str, Any]]:
    """A ConvGRU that learned for so many CPU seconds by L1 loss, from its own frames more and more."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = ConvGRU(train.codec.spec.shape[1], len(train.codec.spec.classes))
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    begun, rounds = time.process_time(), 0
    while (spent := time.process_time() - begun) < seconds:
        batch = train.batch(rng.integers(0, len(train), 16))
        real = batch["video"]
        made_clips = network(real[:, 0], real.shape[1], batch.get("label"), real, taught=max(0.0, 1 - 2 * spent / seconds))
        loss = l1_loss(made_clips, real)
        optimiser.zero_grad()
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * max(0.05, 1 - spent / seconds)
        optimiser.step()
        rounds += 1
    return network.eval(), {"rounds": rounds, "seconds": round(spent, 1)}


def begun_by(gan: Any, held_out: Dataset) -> np.ndarray:
    """Packed clips that a GAN began with the first frames of these, of their classes."""
    found = []
    for start in range(0, len(held_out), 50):
        packed = held_out.packed(np.arange(start, min(start + 50, len(held_out))))
        ends = [Ends(torch.from_numpy(own[0])).condition(1) for own in packed["video"]]
        condition = {key: torch.cat([own[key] for own in ends]) for key in ends[0]}
        if "label" in packed:
            condition["label"] = torch.from_numpy(packed["label"])
        with torch.inference_mode():
            made_clips = gan.generate(len(ends), condition, rng=torch.Generator().manual_seed(start))
        found.append(held_out.codec.repack(made_clips)["video"])
    return np.concatenate(found)


def predicted(network: ConvGRU, held_out: Dataset) -> np.ndarray:
    found = []
    for start in range(0, len(held_out), 50):
        batch = held_out.batch(np.arange(start, min(start + 50, len(held_out))))
        with torch.inference_mode():
            clips = network(batch["video"][:, 0], batch["video"].shape[1], batch.get("label"))
        found.append(held_out.codec.repack({"video": clips})["video"])
    return np.concatenate(found)


def scores(video: np.ndarray, train: Dataset, held_out: Dataset) -> dict[str, float]:
    """All that is measured of clips, one for each held-out one."""
    packed = held_out.packed(np.arange(len(held_out)))
    real = packed["video"].astype(np.float32)
    clips = video.astype(np.float32)
    error = ((clips[:, 0] - real[:, 0]) ** 2).mean()
    found = {"first_psnr": 99.0 if error == 0 else float(10 * np.log10(255**2 / error))}
    labels = packed.get("label", np.zeros(len(video), np.int64))
    own, known = (_looks(all_clips) for all_clips in (clips, real))
    right = []
    for place, label in enumerate(labels):
        others = np.flatnonzero(labels == label)
        right.append(others[((known[others] - own[place]) ** 2).sum(1).argmin()] == place)
    found["identity"] = float(np.mean(right))
    data = made(held_out, {**packed, "video": video}, "begun")
    if len(train.codec.spec.classes) > 1:
        network = Classifier.trained_on(four_frames(train), 0, cache_folder()).network
        pictures = four_frames(data)
        found["class"] = float((answers(network, pictures) == pictures.labels()).mean())
    for see in SPACES:
        space = ClipFeatures(train, 0, cache_folder(), see)
        reference = Moments.of(space.features(train))
        found["frechet" if see == "clips" else "motion_frechet"] = distance_with_interval(space.features(data), reference)[0]
    found["sharpness"] = float(_gradient(clips[:, 1:]) / _gradient(real[:, 1:]))
    found["error"] = float(np.abs(clips[:, 1:] - real[:, 1:]).mean())
    return {name: round(value, 4) for name, value in found.items()}


def _looks(clips: np.ndarray) -> np.ndarray:
    """The mean of the later half of the frames, in 8 x 8 cells."""
    mean = torch.from_numpy(clips[:, clips.shape[1] // 2 :].mean(1))
    return torch.nn.functional.adaptive_avg_pool2d(mean, 8).flatten(1).numpy()


def _gradient(clips: np.ndarray) -> float:
    return float(np.abs(np.diff(clips, axis=-1)).mean() + np.abs(np.diff(clips, axis=-2)).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data(parser)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--pictures", type=Path, help="a folder for film strips of what was made")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data, train, held_out = opened(asked)
    real = held_out.packed(np.arange(len(held_out)))["video"]
    rows: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "real": (real, {}),
        "still": (np.repeat(real[:, :1], real.shape[1], 1), {}),
    }
    network, facts = predictor(train, asked.seconds, asked.seed)
    rows["ConvGRU"] = (predicted(network, held_out), facts)
    gan, facts = trained("motiongan", train, asked.seconds, asked.seed, asked.precision)
    rows["motiongan"] = (begun_by(gan, held_out), facts)
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, (video, facts) in rows.items():
        own = scores(video, train, held_out)
        found[f"{data} {name} seed {asked.seed}"] = {**facts, "scores": own, "clips": len(video)}
        print(name, facts, own, flush=True)
        if asked.pictures:
            asked.pictures.mkdir(parents=True, exist_ok=True)
            data_of = made(held_out, {**held_out.packed(np.arange(len(held_out))), "video": video}, name)
            strips(data_of.codec.decode(data_of.batch(slice(0, 12)))).save(asked.pictures / f"{data}-begun-{name}.png")
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
