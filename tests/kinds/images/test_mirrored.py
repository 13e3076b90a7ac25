import numpy as np
import pytest
import torch

from gansmith import kinds
from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.kinds.images.mirrored import Mirrored, mirrored
from gansmith.kinds.opening import open_dataset

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 3, 4, 5), np.uint8)
PIXELS[:, 0, 0, 0] = range(8)
LABELS = np.arange(8) % 2


@pytest.fixture
def plain() -> Dataset:
    return open_dataset((PIXELS, LABELS))


def test_the_second_half_is_the_first_one_mirrored(plain: Dataset) -> None:
    twice = mirrored(plain)
    both = np.concatenate([PIXELS, PIXELS[..., ::-1]])
    assert len(twice) == 16
    np.testing.assert_array_equal(twice.packed(slice(None))["image"], both)
    np.testing.assert_array_equal(twice.packed(slice(3, 12))["image"], both[3:12])
    order = np.random.default_rng(1).permutation(16)
    np.testing.assert_array_equal(twice.packed(order)["image"], both[order])
    np.testing.assert_array_equal(twice.packed(order)["label"], np.tile(LABELS, 2)[order])
    np.testing.assert_array_equal(twice.labels(), np.tile(LABELS, 2))
    np.testing.assert_array_equal(plain.arrays["image"], PIXELS)
    assert torch.equal(twice.batch(np.array([9]))["image"], plain.batch(np.array([1]))["image"].flip(-1))
    assert twice.fingerprint != plain.fingerprint


def test_subsets_of_it_and_it_of_subsets(plain: Dataset) -> None:
    some = mirrored(plain).subset(np.array([1, 9, 15]))
    assert isinstance(some, Mirrored) and len(some) == 3
    np.testing.assert_array_equal(
        some.packed(slice(None))["image"], np.stack([PIXELS[1], PIXELS[1, ..., ::-1], PIXELS[7, ..., ::-1]])
    )
    np.testing.assert_array_equal(some.labels(), [1, 1, 1])
    other = mirrored(plain.subset(np.array([5, 2])))
    assert len(other) == 4
    expected = np.stack([PIXELS[5], PIXELS[2], PIXELS[5, ..., ::-1], PIXELS[2, ..., ::-1]])
    np.testing.assert_array_equal(other.packed(np.arange(4))["image"], expected)
    np.testing.assert_array_equal(other.subset(np.array([3])).packed(slice(None))["image"], expected[3:])


def test_a_split_never_holds_out_the_mirror_image_of_a_training_example(plain: Dataset) -> None:
    train, held = mirrored(plain).split(0.25, seed=3)
    assert len(train) == 12 and len(held) == 2 and not isinstance(held, Mirrored)
    np.testing.assert_array_equal(held.packed(slice(None))["image"], plain.split(0.25, seed=3)[1].packed(slice(None))["image"])
    seen = {image.tobytes() for image in train.packed(slice(None))["image"]}
    for image in held.packed(slice(None))["image"]:
        assert image.tobytes() not in seen and image[..., ::-1].tobytes() not in seen


def test_points_cannot_be_mirrored() -> None:
    with pytest.raises(UserError, match="only images can be mirrored, and ring holds points"):
        kinds.find("points").mirrored(open_dataset("ring"))
