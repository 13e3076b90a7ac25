"""How much larger images gain: PSNR of the faithful stage over bicubic enlargement, then a perceptual distance after the sharp stage.

    python bench/enlarging.py PHOTOS/ --scale 4 --gan srgan --seconds 300 --eyes cifar10.npz --out bench/results/enlarging
    python bench/enlarging.py PHOTOS/ --scale 2 --gan real_esrgan --unknown ...    # held-out pictures degraded as Real-ESRGAN does

PHOTOS is a folder of pictures with `train` and `test` (without, a fifth is held out). One thread; `--seconds` are CPU seconds of training,
of which the GAN's `faithful` share goes to the first stage. Judged on the held-out pictures, averaged generator, values of 8 bits:

- PSNR and SSIM over RGB, whole images; beside Pillow's bicubic enlargement, torch's, and a copy of the nearest pixel;
- a perceptual distance built as LPIPS is (unit activations, squared differences, mean over places, sum over layers) on the
  convolutions of the small classifier that gansmith trains on the data `--eyes`, which are other photographs, at full resolution.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from gansmith.augment.second_order import second_order
from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset
from gansmith.kinds.images.features.classifier import Classifier
from gansmith.kinds.images.metrics.fidelity import psnr
from gansmith.kinds.images.metrics.structural_similarity import ssim
from gansmith.kinds.opening import open_dataset
from gansmith.networks.pretrained.given import with_channels
from gansmith.networks.pretrained.perceptual_network import distance
from gansmith.planning import plan as planning
from gansmith.training.trainer import Trainer

AT_ONCE = 4


class Judge:
    """Compares made images with the real ones."""

    def __init__(self, eyes: Path, held_out: Dataset, unknown: int = 0) -> None:
        """With `unknown`, the scale, held-out pictures are degraded twice over by chance in place of made smaller."""
        self.unknown = unknown
        self.eyes = Classifier.trained_on(open_dataset(eyes), 0, cache_folder(None))
        self.held_out = held_out

    @torch.inference_mode()
    def of(self, make: Any) -> dict[str, float]:
        """The means over held-out images of what `make` makes of the small ones."""
        found: dict[str, list[Tensor]] = {"psnr": [], "ssim": [], "perceptual": []}
        for start in range(0, len(self.held_out), AT_ONCE):
            batch = self.held_out.batch(slice(start, start + AT_ONCE))
            with torch.random.fork_rng([]):
                torch.manual_seed(start)
                given = second_order(batch["b"], self.unknown) if self.unknown else batch["a"]
            real, made = batch["b"], make(given).clamp(-1, 1).add(1).mul(127.5).round().div(127.5).sub(1)
            found["psnr"].append(psnr(made.double().add(1).div(2), real.double().add(1).div(2)))
            found["ssim"].append(ssim(made.add(1).div(2), real.add(1).div(2)))
            found["perceptual"].append(distance(self._seen(with_channels(torch.cat([made, real]), 3))))
        return {name: round(float(torch.cat(values).double().mean()), 4) for name, values in found.items()}

    def _seen(self, images: Tensor) -> list[Tensor]:
        maps = []
        for layer in self.eyes.network.convolutions:
            images = layer(images)
            maps.append(images)
        return maps


def pillow(scale: int, how: Image.Resampling) -> Any:
    """Enlargement by Pillow."""

    def make(small: Tensor) -> Tensor:
        made = []
        for image in small.add(1).mul(127.5).round().to(torch.uint8).movedim(1, 3).numpy():
            picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
            large = np.asarray(picture.resize((picture.width * scale, picture.height * scale), how), np.float32)
            made.append(torch.from_numpy(large if large.ndim == 3 else large[..., None]).movedim(2, 0))
        return torch.stack(made) / 127.5 - 1

    return make


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--gan", default="srgan")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--options", default="{}", help="JSON of the GAN's options")
    parser.add_argument("--validate", action="store_true", help="judge by a fifth of the training images, to choose a recipe")
    parser.add_argument("--unknown", action="store_true", help="judge by pictures degraded twice over by chance")
    parser.add_argument("--eyes", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="where results are gathered: OUT.json")
    parser.add_argument("--pictures", type=Path, help="a folder for what was made of the first held-out images")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data = open_dataset(asked.photos, kind="pairs", degrade=f"x{asked.scale}", resolution=asked.resolution)
    train, held_out = data.split(0.2)
    if asked.validate:
        train, held_out = train.split(0.2)
    judge = Judge(asked.eyes, held_out, asked.scale * asked.unknown)
    name = f"{asked.gan} x{asked.scale} {asked.photos.name}{' of unknown history' if asked.unknown else ''}"
    bicubic = pillow(asked.scale, Image.Resampling.BICUBIC)
    results: dict[str, Any] = {
        "images": [len(train), len(held_out)],
        "shape": list(train.codec.spec.shape),
        "nearest pixel": judge.of(pillow(asked.scale, Image.Resampling.NEAREST)),
        "bicubic (torch)": judge.of(lambda x: interpolate(x, scale_factor=asked.scale, mode="bicubic", align_corners=False)),
        "bicubic (Pillow)": judge.of(bicubic),
    }
    print(name, results, flush=True)
    plan = planning.plan(
        train, gan=asked.gan, preset=asked.preset, options=json.loads(asked.options), samples=10**9, seed=0, device="cpu"
    )
    gan = plan.build(train)
    trainer, maker = Trainer(gan, train, plan.settings), gan.players["generator"].averaged
    rounds, faithful, spent = 0, gan.config.faithful, 0.0
    while spent < 1:
        began = time.process_time()
        # the speed of a shared machine changes: schedules follow the seconds, not the samples
        gan.clock.total = int(gan.clock.samples / spent) + 1 if spent else 10**9
        trainer.play_round()
        before, spent = spent, spent + (time.process_time() - began) / asked.seconds
        rounds += 1
        if before < faithful <= spent < 1:
            results["faithful stage"] = judge.of(maker)
            print(name, "faithful", results["faithful stage"], rounds, "rounds", flush=True)
    results["end"] = judge.of(maker)
    results |= {"rounds": rounds, "seconds": asked.seconds, "options": plan.config.__dict__, "batch": plan.settings.batch}
    results["parameters"] = planning.parameters(gan)
    print(name, "end", results["end"], rounds, "rounds", results["parameters"], asked.options, flush=True)
    if asked.pictures:
        asked.pictures.mkdir(parents=True, exist_ok=True)
        batch = held_out.batch(slice(0, 4))
        with torch.inference_mode():
            columns = [bicubic(batch["a"]), maker(batch["a"]).clamp(-1, 1), batch["b"]]
        rows = torch.cat([torch.cat(list(column), 1) for column in columns], 2)
        pixels = with_channels(rows[None], 3)[0].add(1).mul(127.5).round().to(torch.uint8).movedim(0, 2).numpy()
        Image.fromarray(pixels).save(asked.pictures / f"{name}.png")
    if asked.out:
        path = asked.out.with_suffix(".json")
        gathered = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**gathered, name: results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
