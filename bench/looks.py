"""Does each game of images from images visibly learn? Scores beside trivial baselines and real images, and a grid to look at.

    python bench/looks.py bicyclegan PAIRS/ --seconds 120 --resolution 64 --out bench/results/looks

One thread; `--seconds` are CPU seconds of training, evaluation apart, and schedules follow them. Judged on the held-out part by the
metrics of this kind of game with `gansmith evaluate`'s baselines and ceilings; games of styles by two things more: how near the
best of ten random styles comes to the true partner, and how near the partner's own style does. DATA is what `gansmith train` takes.
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
from torch.nn.functional import conv2d, interpolate, pad

from gansmith.data.cache import cache_folder
from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge
from gansmith.game import GAN
from gansmith.kinds.images.features.classifier import Classifier, answers
from gansmith.kinds.images.metrics import fusion
from gansmith.kinds.images.metrics.fidelity import psnr
from gansmith.kinds.opening import open_dataset
from gansmith.model import Model
from gansmith.networks.pretrained.given import with_channels
from gansmith.planning import plan as planning
from gansmith.tasks.translation import Styled, Translating
from gansmith.training.allocator import kept_for_reuse
from gansmith.training.trainer import Trainer

METRICS = {
    "bicyclegan": ("psnr", "ssim", "frechet", "translation_diversity"),
    "munit": ("frechet", "coverage", "translation_diversity", "identity_l1"),
    "cyclegan": ("frechet", "coverage", "cycle_l1", "identity_l1"),
    "cut": ("frechet", "coverage"),
    "starganv2": ("condition_accuracy", "frechet", "coverage", "translation_diversity"),
    "spade": ("psnr", "ssim", "frechet", "pixel_accuracy", "mean_iou"),
    "pix2pixhd": ("psnr", "ssim", "frechet", "pixel_accuracy", "mean_iou"),
    "pix2pix": ("psnr", "ssim", "frechet"),
    "fusiongan": ("entropy", "deviation", "spatial_frequency", "fusion_correlation", "mutual_information", "fusion_ssim", "qabf"),
    "vqgan": ("frechet", "precision", "recall", "coverage"),
}
SHOWN, LOOKS, TRIED = 12, 3, 10


def trained(gan: GAN, trainer: Trainer, seconds: float) -> int:
    """Plays for so many CPU seconds; how many rounds."""
    rounds, spent = 0, 0.0
    with kept_for_reuse():
        while spent < 1:
            began = time.process_time()
            # the speed of a shared machine changes: schedules follow the seconds, not the samples
            gan.clock.total = int(gan.clock.samples / spent) + 1 if spent else 10**9
            trainer.play_round()
            spent += (time.process_time() - began) / seconds
            rounds += 1
    return rounds


def pixels(images: Tensor) -> np.ndarray:
    return with_channels(images, 3).clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8).movedim(1, 3).numpy()


@torch.inference_mode()
def styles(gan: Styled, held_out: Dataset) -> dict[str, float]:
    """PSNR of what is made in random styles, in the best of ten for each image, and in the true partner's style."""
    batch = held_out.batch(slice(0, 100))
    a, b = batch["a"], batch["b"]
    rng, makes = torch.Generator().manual_seed(0), gan.maker()
    noise = torch.randn(TRIED, 1, gan.config.noise, generator=rng).expand(-1, len(a), -1)
    near = torch.stack([psnr((makes(a, gan.style_from(one)) + 1) / 2, (b + 1) / 2) for one in noise])
    own = psnr((makes(a, gan.style_of(b)) + 1) / 2, (b + 1) / 2)
    found = {"random": near.mean(), "best of ten": near.amax(0).mean(), "the partner's style": own.mean()}
    return {name: round(float(value), 3) for name, value in found.items()}


@torch.inference_mode()
def restyled(gan: Styled, train: Dataset, held_out: Dataset) -> dict[str, Any]:
    """Of domains: is the requested one read, are the outlines those of the source, are the colours those of the reference?

    Outlines are compared by the correlation of gradient magnitudes, colours by their L1 distance; both beside those of another image, of
    the reference's own domain for the colours.
    """
    rng = np.random.default_rng(0)
    labels, names = held_out.labels(), train.codec.spec.classes
    assert labels is not None
    sources = rng.permutation(len(held_out))[:300]
    wanted = (labels[sources] + rng.integers(1, len(names), len(sources))) % len(names)
    beside = [[rng.choice(np.flatnonzero(labels == name)) for name in wanted] for _ in range(2)]
    source, reference, another = (held_out.batch(np.array(rows))["image"] for rows in (sources, *beside))
    label = torch.from_numpy(wanted)
    network = gan.players["generator"].averaged
    noise = torch.randn(len(label), gan.config.noise, generator=torch.Generator().manual_seed(0))
    found: dict[str, Any] = {}
    for name, style in (("noise", network.mapping(noise, label)), ("reference", network.encoder(reference, label))):
        made = network(source, style).clamp(-1, 1)
        packed = Dataset.of({"image": made, "label": label}, held_out.codec, "made")
        read = answers(Classifier.trained_on(train, 0, cache_folder(None)).network, packed)
        found[name] = {
            "domain read": round(float((read == wanted).mean()), 3),
            "outlines of the source": round(float(fusion.correlation(outlines(made), outlines(source)).mean()), 3),
            "outlines of another image": round(float(fusion.correlation(outlines(made), outlines(source.roll(1, 0))).mean()), 3),
            "colours from the reference": round(float((colours(made) - colours(reference)).abs().mean()), 4),
            "colours from another of its domain": round(float((colours(made) - colours(another)).abs().mean()), 4),
        }
    found["outlines of the domains' own images beside another's"] = round(
        float(fusion.correlation(outlines(source), outlines(source.roll(1, 0))).mean()), 3
    )
    return found


def outlines(images: Tensor) -> Tensor:
    """The magnitude of the brightness's gradient [B, H - 1, W - 1]."""
    bright = fusion.luma((images + 1) / 2)
    return (bright[:, 1:, :-1] - bright[:, :-1, :-1]).hypot(bright[:, :-1, 1:] - bright[:, :-1, :-1])


def colours(images: Tensor) -> Tensor:
    """The mean difference of the channels from gray [B, C], each pixel by how far it is from gray itself."""
    chroma = images - images.mean(1, keepdim=True)
    far = chroma.square().sum(1, keepdim=True).sqrt()
    return (chroma * far).sum((2, 3)) / far.sum((2, 3)).clamp_min(1e-6)


def pyramid(a: Tensor, b: Tensor, levels: int = 4) -> Tensor:
    """The fusion of Burt & Adelson: of two Laplacian pyramids the greater detail at every place, the mean of what is left."""
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=a.dtype) / 16

    def smooth(x: Tensor) -> Tensor:
        return conv2d(pad(x[:, None], (2, 2, 2, 2), mode="reflect"), torch.outer(taps, taps)[None, None])[:, 0]

    details = []
    for _ in range(levels):
        parts = [(x, smooth(x)[:, ::2, ::2]) for x in (a, b)]
        first, second = (
            x - interpolate(small[:, None], x.shape[1:], mode="bilinear", align_corners=False)[:, 0] for x, small in parts
        )
        details.append(torch.where(first.abs() > second.abs(), first, second))
        a, b = (small for _, small in parts)
    fused = (a + b) / 2
    for detail in reversed(details):
        fused = detail + interpolate(fused[:, None], detail.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    return fused.clamp(0, 255)


def fusions(made: Dataset, held_out: Dataset) -> dict[str, dict[str, float]]:
    """Every measure of the fused images, and of fusions that need no training, one by one."""
    found = {"fusiongan": fusion.each(made, "target")}
    for name, fuse in {**fusion.RIVALS, "Laplacian pyramid": pyramid}.items():
        found[name] = fusion.each(held_out, held_out.codec.spec.key, fuse)
    return {name: {measure: round(float(each.mean()), 3) for measure, each in own.items()} for name, own in found.items()}


@torch.inference_mode()
def codes(gan: Any, train: Dataset, held_out: Dataset) -> dict[str, float]:
    """PSNR of held-out images made again of codes, of the mean training image, and of one mean colour an image; codes in use."""
    images, tokeniser = held_out.batch(slice(0, 200))["image"], gan.resting_tokeniser
    tokens = tokeniser.tokens(images)
    again = tokeniser(images)[0].clamp(-1, 1)
    share = torch.bincount(tokens.flatten(), minlength=gan.config.codes).double() / tokens.numel()
    mean = train.batch(slice(0, 500))["image"].mean(0, keepdim=True)
    made = {
        "psnr": again,
        "mean image": mean.expand_as(images),
        "mean colour": images.mean((2, 3), keepdim=True).expand_as(images),
    }
    near = {name: round(float(psnr((one + 1) / 2, (images + 1) / 2).mean()), 3) for name, one in made.items()}
    perplexity = float(torch.exp(-torch.special.xlogy(share, share).sum()))
    return {**near, "perplexity of codes": round(perplexity, 1), "codes seen": int((share > 0).sum()), "codes": gan.config.codes}


@torch.inference_mode()
def grid(model: Model, gan: GAN, held_out: Dataset) -> np.ndarray:
    """Rows of what is given, what is made of it (in three styles where there are), and the truth where there is one."""
    if not isinstance(gan, Translating):
        made = pixels(model.sample(48, seed=1)[gan.spec.key])
        again = (
            pixels(gan.resting_tokeniser(held_out.batch(slice(0, 8))["image"])[0])
            if hasattr(gan, "resting_tokeniser")
            else made[:8]
        )
        rows = [np.concatenate(list(made[start : start + 8]), 1) for start in range(0, 48, 8)]
        real = pixels(held_out.batch(slice(0, 8))["image"])
        return np.concatenate([*rows, np.concatenate(list(again), 1), np.concatenate(list(real), 1)])
    looks = [model.sample(SHOWN, seed=seed) for seed in range(LOOKS if isinstance(gan, Styled) else 1)]
    key = gan.spec.key
    given = looks[0]["a"]
    given = given.argmax(1, keepdim=True) / given.shape[1] * 2 - 1 if given.shape[1] > 4 else given
    columns = [given, *(look[key] for look in looks), *([looks[0]["target"]] if "target" in looks[0] else [])]
    height, width = columns[1].shape[2:]
    shown = [np.concatenate(list(pixels(interpolate(one.float(), (height, width)))), 1) for one in columns]
    return np.concatenate(shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gan")
    parser.add_argument("data", type=Path)
    parser.add_argument("--kind")
    parser.add_argument("--label-maps", action="store_true")
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", default="{}", help="JSON of the GAN's options")
    parser.add_argument("--validate", action="store_true", help="judge by a fifth of the training data, to choose a recipe")
    parser.add_argument("--out", type=Path, help="where results are gathered: OUT.json")
    parser.add_argument("--pictures", type=Path, help="a folder for the grid")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    conditions = {"kind": asked.kind, "resolution": asked.resolution, "label_maps": asked.label_maps or None}
    data = open_dataset(asked.data, **{name: value for name, value in conditions.items() if value is not None})
    train, held_out = data.split(0.2)
    if asked.validate:
        train, held_out = train.split(0.2)
    options = json.loads(asked.options)
    given = {"preset": asked.preset, "options": options, "batch": asked.batch, "seed": asked.seed}
    plan = planning.plan(train, gan=asked.gan, samples=10**9, device="cpu", **given)
    gan = plan.build(train)
    trainer = Trainer(gan, train, plan.settings)
    rounds = trained(gan, trainer, asked.seconds)
    name = f"{asked.gan} {asked.data.name}"
    print(name, rounds, "rounds", planning.parameters(gan), plan.settings.precision, trainer.term_means.read(), flush=True)
    model = Model(gan.eval(), held_out.codec, {"gan": asked.gan}, held_out)
    if asked.pictures:
        asked.pictures.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grid(model, gan, held_out)).save(asked.pictures / f"{name}.png")
    fake = Dataset.of(model.sample(min(500, len(held_out)), seed=0), held_out.codec, asked.gan)
    judgement = judge(fake, train, held_out, metrics=METRICS[asked.gan], model=model)
    for score in judgement.scores:
        print(score.name, *(f"{word} {getattr(score, word)}" for word in ("value", "baseline", "ceiling")), flush=True)
    print(judgement.skipped, flush=True)
    result: dict[str, Any] = {"scores": {score.name: score.to_json() for score in judgement.scores}}
    if isinstance(gan, Styled) and train.codec.spec.aligned:
        result["psnr in styles"] = styles(gan, held_out)
    if asked.gan == "starganv2":
        assert isinstance(gan, Styled)
        result["restyled"] = restyled(gan, train, held_out)
    if asked.gan == "fusiongan":
        result["fusions"] = fusions(fake, held_out)
    if asked.gan == "vqgan":
        result["codes"] = codes(gan, train, held_out)
    result |= {"rounds": rounds, "seconds": asked.seconds, "batch": plan.settings.batch, "given options": options}
    result |= {"examples": [len(train), len(held_out)], "parameters": planning.parameters(gan), "seed": asked.seed}
    result |= {"precision": plan.settings.precision, "shape": list(train.codec.spec.shape)}
    print({key: result[key] for key in ("psnr in styles", "restyled", "fusions", "codes") if key in result}, flush=True)
    if asked.out:
        path = asked.out.with_suffix(".json")
        gathered = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**gathered, name: result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
