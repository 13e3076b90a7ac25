"""Whether conditions are met, against images whose conditions can be seen."""

from pathlib import Path

import numpy as np
import pytest

from gansmith.data.dataset import Dataset
from gansmith.evaluation.judge import judge, usual_metrics
from gansmith.kinds.images.metrics.conditions import parts
from tests.metrics.conftest import attributed_data, image_data, stripes

OF_ATTRIBUTES = ("condition_accuracy", "condition_error")

Three = tuple[Dataset, Dataset, Dataset]


@pytest.fixture(scope="module")
def attributed() -> Three:
    data = attributed_data(stripes(700, np.random.default_rng(0)))
    return data.subset(np.arange(400)), data.subset(np.arange(400, 550)), data.subset(np.arange(550, 700))


def test_real_images_meet_their_attributes_and_shuffled_ones_do_not(attributed: Three, remembered: Path) -> None:
    train, held_out, fresh = attributed
    found = judge(fresh, train, held_out, metrics=OF_ATTRIBUTES, cache=remembered)
    accuracy, error = found["condition_accuracy"], found["condition_error"]
    assert (
        accuracy.ceiling is not None
        and accuracy.baseline is not None
        and error.ceiling is not None
        and error.baseline is not None
    )
    assert accuracy.baseline_name == "shuffled conditions"
    assert accuracy.value > 0.95 and accuracy.ceiling > 0.95
    flat = (fresh.arrays["label"][:, 0] == 1).mean()
    assert accuracy.baseline == pytest.approx(flat**2 + (1 - flat) ** 2, abs=0.1)  # two independent draws agree so often
    assert error.value < error.baseline / 3 and error.ceiling < error.baseline / 3


def test_the_error_is_the_distance_from_the_wish_in_shares_of_the_range(attributed: Three, remembered: Path) -> None:
    """Conditions that all lie a tenth of the range too high cost a tenth, beyond the error of the reader."""
    train, held_out, fresh = attributed
    honest = judge(fresh, train, held_out, metrics=["condition_error"], cache=remembered)["condition_error"].value
    pixels = fresh.arrays["image"][fresh.indices]
    label = fresh.arrays["label"][fresh.indices] + np.array([0, 40], np.float32)
    wrong = Dataset(name="wrong", codec=fresh.codec, arrays={"image": pixels, "label": label}, fingerprint="wrong")
    found = judge(wrong, train, held_out, metrics=["condition_error"], cache=remembered)["condition_error"].value
    assert found == pytest.approx(0.5, abs=2 * honest)


def test_requested_classes_are_read_by_the_classifier(striped: Three, remembered: Path) -> None:
    train, held_out, fresh = striped
    found = judge(fresh, train, held_out, metrics=["condition_accuracy", "condition_error"], cache=remembered)
    assert found["condition_accuracy"].value > 0.95 and "condition_error" in found.skipped
    label = (fresh.arrays["label"][fresh.indices] + np.arange(150) % 2) % 3
    half = image_data({"image": fresh.arrays["image"][fresh.indices], "label": label})
    found = judge(half, train, held_out, metrics=["condition_accuracy"], cache=remembered)
    assert found["condition_accuracy"].value == pytest.approx(0.5, abs=0.05)


def test_images_without_conditions_or_with_others_are_not_asked(striped: Three, attributed: Three, remembered: Path) -> None:
    train, held_out, _ = attributed
    other = striped[2]
    assert "others" in judge(other, train, held_out, metrics=OF_ATTRIBUTES, cache=remembered).skipped["condition_error"]
    plain = image_data({"image": other.arrays["image"]})
    assert "none" in judge(plain, plain, plain, metrics=OF_ATTRIBUTES, cache=remembered).skipped["condition_accuracy"]


def test_two_values_are_yes_or_no_and_constants_are_left_out() -> None:
    rows = np.array([[-1, -1, -1, 0.2], [1, -1, 0, 0.2], [1, -1, 1, 0.2]], np.float32)
    yes, numbers = parts(rows)
    assert yes.tolist() == [True, False, False, False] and numbers.tolist() == [False, False, True, False]


def test_attributes_are_judged_without_asking(attributed: Three, striped: Three) -> None:
    assert {*OF_ATTRIBUTES} < set(usual_metrics(attributed[0])) and "cas" not in usual_metrics(attributed[0])
    assert "cas" in usual_metrics(striped[0])
