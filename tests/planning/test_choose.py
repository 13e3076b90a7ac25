"""What --gan auto takes, and what it says."""

import numpy as np
import pytest
from PIL import Image

from gansmith import gans, kinds
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.kinds.choice import Choice
from gansmith.kinds.images.choose import RULES, Facts, little_data_advice
from gansmith.kinds.opening import open_dataset
from gansmith.planning import plan as planning
from tests import toys


def choose(data: Dataset, device: str) -> Choice:
    return kinds.find(data.codec.spec.kind).choose(data, device)


def test_points_and_images_get_a_gan_with_a_reason() -> None:
    assert choose(toys.points(), "cpu").sentence() == (
        "--gan auto takes r3gan: points have one GAN here that reaches modes which lie apart."
    )
    found = choose(toys.images(96, classes=3), "cpu")
    assert (found.gan, found.options) == ("r3gan", {"against_overfitting": "ada"})
    assert found.sentence().startswith("--gan auto takes r3gan with --gan.against-overfitting ada: 96 images are little data")


def test_enough_images_are_not_augmented() -> None:
    assert choose(toys.images(3000), "cpu").options == {}


def test_a_plan_takes_the_choice_and_options_go_before_it() -> None:
    plan = planning.plan(toys.images(), gan="auto", device="cpu")
    assert plan.gan == "r3gan" and plan.config.against_overfitting == "ada" and plan.because is not None
    assert (
        planning.plan(toys.images(), gan="auto", options={"against_overfitting": "apa"}, device="cpu").config.against_overfitting
        == "apa"
    )
    assert planning.plan(toys.images(), device="cpu").because is None


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_names_a_gan_whose_options_exist(rule) -> None:
    if rule.gan in gans.names():
        assert set(rule.options) <= set(gans.find(rule.gan).Config.__dataclass_fields__)


def test_every_image_has_a_rule() -> None:
    for count in (10, 5000, 100_000):
        for side in (8, 64, 512):
            for device in ("cpu", "cuda"):
                facts = Facts(count=count, channels=13, side=side, conditions=0, device=device)
                assert any(rule.holds(facts) and rule.gan in gans.names() for rule in RULES)


@pytest.mark.parametrize(
    ("facts", "gan"),
    [
        ({"task": "pairs"}, "pix2pix"),
        ({"task": "pairs", "aligned": False}, "cyclegan"),
        ({"task": "pairs", "larger": True}, "srgan"),
        ({"task": "domains"}, "starganv2"),
    ],
)
def test_every_kind_has_a_rule(facts, gan) -> None:
    known = Facts(**{"count": 100, "channels": 3, "side": 64, "conditions": 0, "device": "cpu", **facts})
    assert next(rule.gan for rule in RULES if rule.holds(known)) == gan


def test_pairs_get_a_gan_with_a_reason(tmp_path) -> None:
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    assert choose(open_dataset(tmp_path, degrade="x2"), "cpu").gan == "srgan"
    assert choose(open_dataset(tmp_path, degrade="noise25"), "cpu").gan == "srgan"
    assert choose(open_dataset(tmp_path, degrade="holes"), "cpu").gan == "pix2pix"
    with pytest.raises(UserError, match="which a Python list is not"):
        open_dataset([Image.fromarray(pixels)], degrade="x2")


def test_few_images_that_cannot_be_augmented_get_no_gan_that_augments() -> None:
    bands = np.random.default_rng(0).integers(0, 256, (40, 5, 32, 32), np.uint8)
    plan = planning.plan(open_dataset(bands), gan="auto", device="cpu")
    assert plan.gan == "r3gan" and plan.config.against_overfitting == "none"


def test_large_images_are_told_of_the_hardware() -> None:
    large = open_dataset(np.zeros((2400, 128, 130), np.uint8))
    assert "2,400 images of 128 pixels are much for a cpu" in choose(large, "cpu").because
    assert choose(large, "cuda:0").gan == "stylegan2"


def test_series_get_a_gan_with_a_reason() -> None:
    found = choose(toys.series(), "cpu")
    assert (found.gan, found.options) == ("seriesgan", {})
    prices = open_dataset(np.exp(np.random.default_rng(0).normal(0, 0.01, 300).cumsum()), kind="series", returns=True)
    assert choose(prices, "cpu").options == {"gate": True}


def test_little_data_are_advised() -> None:
    assert "--mirror" in (little_data_advice(500, 3) or "")
    assert "--gan.against-overfitting ada" in (little_data_advice(5000, 1) or "")
    assert "1, 3 or 4 channels" in (little_data_advice(500, 13) or "")
    assert little_data_advice(50_000, 3) is None
