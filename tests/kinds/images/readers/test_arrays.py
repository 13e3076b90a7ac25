import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset

BYTES = np.random.default_rng(0).integers(0, 256, (600, 6, 5, 3), np.uint8)
BYTES[0, 0, 0] = (0, 255, 7)
CHANNELS_FIRST = BYTES.transpose(0, 3, 1, 2)


@pytest.mark.parametrize(
    "array",
    [
        BYTES,
        CHANNELS_FIRST,
        BYTES.astype(np.int64),
        BYTES / 255,
        (BYTES / 127.5 - 1).astype(np.float32),
        BYTES.astype(np.float32),
        torch.from_numpy(BYTES),
    ],
    ids=["bytes", "channels first", "integers", "0 to 1", "-1 to 1", "0 to 255", "tensor"],
)
def test_layouts_and_ranges_are_recognised(array: Any) -> None:
    dataset = open_dataset(array)
    np.testing.assert_array_equal(dataset.arrays["image"], CHANNELS_FIRST)
    assert dataset.codec.spec.shape == (3, 6, 5) and dataset.arrays["image"].dtype == np.uint8


def test_gray_arrays_and_masks_and_wide_integers() -> None:
    gray = BYTES[..., 0]
    np.testing.assert_array_equal(open_dataset(gray).arrays["image"][:, 0], gray)
    np.testing.assert_array_equal(open_dataset(gray > 99).arrays["image"][:, 0], (gray > 99) * 255)
    twelve_bits = gray.astype(np.uint16) * 16
    wide = open_dataset(twelve_bits)
    np.testing.assert_array_equal(wide.arrays["image"][:, 0], twelve_bits)
    assert wide.facts["notes"] == ("the uint16 values from 0 to 4095 are kept as uint16",)
    assert open_dataset(gray > 99).facts["notes"] == ("the bool values are read as brightness from 0 (black) to 1 (white)",)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([[[0.5, np.nan]]]), "NaN"),
        (np.array([[["a"]]], object), "must hold numbers, not object"),
        (np.zeros((2, 3, 4, 5, 6), np.uint8), r"\[2, 3, 4, 5, 6\]: its channels come before"),
        (np.zeros((2, 4, 4, 3), np.uint8), "channels may come first or last"),
        (np.zeros((2, 80, 8, 80), np.uint8), "up to 64 channels"),
        (np.zeros((0, 8, 8), np.uint8), "holds no images"),
        (np.zeros((5, 8), np.uint8), r"shape \[5, 8\]"),
        ((np.zeros((3, 8, 8), np.uint8), [1, 2]), "3 images but 2 labels"),
        ((np.zeros((2, 8, 8), np.uint8), [0.5, 1]), "they are fractions"),
        ((np.zeros((2, 8, 8), np.uint8), np.zeros((2, 10, 1))), "one whole number or word an image"),
    ],
)
def test_arrays_that_are_no_images_are_refused_with_what_they_are(array: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        open_dataset(array)


@pytest.mark.parametrize("labels", [[10, 2, 10], ["10", "2", "10"], np.array([[10], [2], [10]]), torch.tensor([10.0, 2.0, 10.0])])
def test_labels_may_be_numbers_or_words(labels: Any) -> None:
    dataset = open_dataset((BYTES[:3], labels))
    assert dataset.codec.spec.classes == ("2", "10") and dataset.arrays["label"].tolist() == [1, 0, 1]
    assert dataset.arrays["label"].dtype == np.int64


def test_arrays_of_the_right_size_need_no_cache_and_others_are_resized_once(cache: Path) -> None:
    open_dataset(BYTES)
    assert not cache.exists()
    small = open_dataset(BYTES, resolution=4, channels=1)
    assert small.arrays["image"].shape == (600, 1, 4, 4)
    entries = list((cache / "datasets").iterdir())
    open_dataset(BYTES.copy(), resolution=4, channels=1)
    assert list((cache / "datasets").iterdir()) == entries


def test_two_dimensional_floats_are_points() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3))
    np.testing.assert_array_equal(open_dataset(points).arrays["point"], points.astype(np.float32))
    assert open_dataset(np.arange(6).reshape(3, 2), kind="points").codec.spec.shape == (2,)
    with pytest.raises(UserError, match="holds images, not points"):
        open_dataset(BYTES, kind="points")
    with pytest.raises(UserError, match="the first is row 1"):
        open_dataset(np.array([[0.0, 1.0], [np.inf, 0.0]]))
    with pytest.raises(UserError, match="--resolution is an option for images and video, and a Python ndarray holds points"):
        open_dataset(points, resolution=8)


Save = Callable[..., None]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("images", "labels"), [("images", "labels"), ("x", "y"), ("X", "label"), ("data", "classes"), ("arr_0", "arr_1")]
)
def test_npz_files_of_the_usual_keys(tmp_path: Path, save: Save, images: str, labels: str) -> None:
    save(tmp_path / "a.npz", **{images: BYTES, labels: np.arange(600) % 3})
    dataset = open_dataset(tmp_path / "a.npz")
    np.testing.assert_array_equal(dataset.arrays["image"], CHANNELS_FIRST)
    assert dataset.codec.spec.classes == ("0", "1", "2") and dataset.arrays["label"].tolist() == [i % 3 for i in range(600)]
    assert dataset.name == "a"


def test_npz_class_names_and_splits(tmp_path: Path) -> None:
    arrays = {"x_train": BYTES[:5], "y_train": [0, 1, 0, 1, 0], "x_test": BYTES[5:7], "y_test": [1, 0], "classes": ["cat", "dog"]}
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    dataset = open_dataset(tmp_path / "a.npz")
    assert dataset.codec.spec.classes == ("cat", "dog") and len(dataset) == 5 and dataset.held_out is not None
    np.testing.assert_array_equal(dataset.held_out.arrays["image"], CHANNELS_FIRST[5:7])
    assert dataset.held_out.arrays["label"].tolist() == [1, 0]


def test_a_label_beyond_the_class_names_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=BYTES[:2], labels=[0, 2], classes=["cat", "dog"])
    with pytest.raises(UserError, match=r"a label is 2, but there are 2 class names \(cat, dog\)"):
        open_dataset(tmp_path / "a.npz")


def test_the_test_split_has_the_range_of_the_training_split(tmp_path: Path) -> None:
    train = np.array([0, 4095], np.uint16).reshape(1, 1, 2)
    np.savez(tmp_path / "a.npz", train_images=train, test_images=np.array([0, 255], np.uint16).reshape(1, 1, 2))
    dataset = open_dataset(tmp_path / "a.npz")
    assert dataset.held_out is not None and dataset.held_out.arrays["image"].ravel().tolist() == [0, 255]
    assert dataset.held_out.codec.levels.high == 4095


def test_npz_files_of_encoded_images(tmp_path: Path) -> None:
    files = []
    for pixels in BYTES[:300]:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        files.append(file.getvalue())
    offsets = np.cumsum([0, *map(len, files)])
    packed: dict[str, Any] = {
        "data": np.frombuffer(b"".join(files), np.uint8),
        "offsets": offsets,
        "labels": np.arange(300) % 2,
        "classes": ["a", "b"],
    }
    np.savez_compressed(tmp_path / "a.npz", **packed)
    dataset = open_dataset(tmp_path / "a.npz")
    np.testing.assert_array_equal(dataset.arrays["image"], CHANNELS_FIRST[:300])
    assert dataset.codec.spec.classes == ("a", "b") and dataset.codec.to_json()["frequencies"] == [150, 150]
    packed["offsets"] = offsets + 1
    np.savez(tmp_path / "b.npz", **packed)
    with pytest.raises(UserError, match='"offsets" in b.npz must be whole numbers that cut "data" into files'):
        open_dataset(tmp_path / "b.npz")


def test_npy_files_and_their_points(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", BYTES)
    np.testing.assert_array_equal(open_dataset(tmp_path / "a.npy").arrays["image"], CHANNELS_FIRST)
    np.save(tmp_path / "b.npy", np.eye(2))
    assert open_dataset(tmp_path / "b.npy").codec.spec.kind == "points"
    with pytest.raises(UserError, match="holds points, not images"):
        open_dataset(tmp_path / "b.npy", kind="images")


def test_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    objects = np.array([{}, {}], object)
    np.savez(tmp_path / "a.npz", images=objects)
    np.save(tmp_path / "a.npy", objects)
    with pytest.raises(UserError, match="holds Python objects, which are never loaded"):
        open_dataset(tmp_path / "a.npz")
    with pytest.raises(UserError, match="cannot be read as an array of numbers"):
        open_dataset(tmp_path / "a.npy")


def test_damaged_and_unfamiliar_npz_files_are_explained(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no zip")
    with pytest.raises(UserError, match=r"cannot be read as an \.npz file"):
        open_dataset(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", weights=np.eye(3))
    with pytest.raises(UserError, match="has the arrays weights: name the images one of images, image"):
        open_dataset(tmp_path / "b.npz")


def test_tables_of_two_numbers_are_points(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("width, height\n1,2\n3.5,-4e1\n")
    dataset = open_dataset(tmp_path / "a.csv")
    assert dataset.arrays["point"].tolist() == [[1, 2], [3.5, -40]] and dataset.codec.to_json()["columns"] == ["width", "height"]
    (tmp_path / "b.csv").write_text("1,2\n\n3,cat\n")
    with pytest.raises(UserError, match=r"line 3 of .*b\.csv is not 2 numbers \(3, cat\)"):
        open_dataset(tmp_path / "b.csv", kind="points")
    (tmp_path / "c.csv").write_text("1,2,3\n4,5,6\n")
    assert open_dataset(tmp_path / "c.csv", kind="points").codec.spec.shape == (3,)


def test_an_npz_with_a_single_array_that_can_be_images_is_understood_and_told(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "odd.npz", pictures=images, codes=np.arange(12), labels=np.arange(12) % 2)
    dataset = open_dataset(tmp_path / "odd.npz")
    assert len(dataset) == 12 and len(dataset.codec.spec.classes) == 2
    assert 'The array "pictures" is taken for the images; left out: codes (call an array of classes labels).' in dataset.remarks()
    np.savez(tmp_path / "two.npz", first=images, second=images)
    with pytest.raises(UserError, match=r"two.npz has the arrays first, second: name the images one of images"):
        open_dataset(tmp_path / "two.npz")
