"""GANs of many classes put what they make where its class belongs."""

import numpy as np
import pytest
import torch

from gansmith import gans
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.images.codec import ImageCodec
from gansmith.kinds.images.spec import ImageSpec
from gansmith.terms.contrastive import conditional_contrast
from gansmith.training.seeds import seed_everything
from gansmith.training.trainer import Settings, Trainer


def quadrants(count=256):
    """Images of 8x8 pixels of which one quarter is bright; which one is the class."""
    label = np.arange(count) % 4
    pixels = np.full((count, 1, 8, 8), 20, np.uint8)
    brightness = np.random.default_rng(0).integers(180, 250, count)
    for i, quarter in enumerate(label):
        row, column = 4 * (quarter // 2), 4 * (quarter % 2)
        pixels[i, :, row : row + 4, column : column + 4] = brightness[i]
    arrays = {"image": pixels, "label": label}
    spec = ImageSpec(shape=(1, 8, 8), classes=("a", "b", "c", "d"))
    return Dataset(
        name="quadrants", codec=ImageCodec(spec, frequencies=(64,) * 4), arrays=arrays, fingerprint=fingerprint(arrays)
    )


def share_as_requested(gan):
    gan.eval()
    label = torch.arange(200) % 4
    with torch.inference_mode():
        made = gan.generate(200, {"label": label}, rng=torch.Generator().manual_seed(0))["image"]
    return (torch.nn.functional.avg_pool2d(made, 4).flatten(1).argmax(1) == label).float().mean().item()


@pytest.mark.parametrize("name", ["biggan", "acgan", "contragan", "reacgan"])
def test_what_is_made_lies_where_its_class_lies(name):
    made, data = gans.find(name), quadrants()
    small = made.presets["small"]
    narrow = {"width": 16, "widest": 16, "noise": 16, "shared": 16, "patch": 1}
    quick = {"learning_rate": 1e-3, "critic_learning_rate": 2e-3, "learning_rate_end": 1.0}
    seed_everything(0)
    gan = made(made.Config(**{**small.config, **narrow, **quick}), data.codec.spec)
    trainer = Trainer(gan, data, Settings(batch=32, samples=10_000))
    for _ in range(130):
        trainer.play_round()
    assert share_as_requested(gan) > 0.95


def test_with_companions_a_contrast_is_content_with_exchanged_classes_and_without_it_is_not():
    proxies, label = torch.eye(4), torch.arange(32) % 4
    right, exchanged = proxies[label], proxies[(label + 1) % 4]

    def contrast(embeddings, companions):
        return conditional_contrast(embeddings, proxies[label], label, temperature=0.5, companions=companions).item()

    assert contrast(exchanged, True) < contrast(right, True) + 0.2
    assert contrast(exchanged, False) > contrast(right, False) + 1.0
