import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.cli import main
from gansmith.data.inspection import Inspection
from gansmith.errors import UserError
from gansmith.kinds.images.choose import little_data_advice
from gansmith.kinds.opening import inspect_dataset

Make = Callable[..., Image.Image]


@pytest.fixture
def report(photos: Path, picture: Make) -> Inspection:
    """Of a folder with something of everything wrong in it."""
    for kind, count in (("cat", 20), ("dog", 2)):
        (photos / kind).mkdir()
        for number in range(count):
            picture(size=(80, 70), seed=100 * count + number).save(photos / kind / f"{number}.png")
    picture(size=(80, 70), seed=2000).save(photos / "dog" / "copy of cat 0.bmp")
    picture("L", size=(30, 90)).save(photos / "cat" / "gray.png")
    (photos / "cat" / "broken.jpg").write_bytes(b"nothing")
    (photos / "read me.txt").touch()
    return inspect_dataset(photos, resolution="64")


def test_what_is_there_is_counted(report: Inspection) -> None:
    assert report.count == 24 and report.classes == {"cat": 21, "dog": 3}
    assert report.sizes == {"70x80": 23, "90x30": 1} and report.modes == {"RGB": 23, "L": 1}
    assert report.formats == {"PNG": 23, "BMP": 1}
    assert report.resolution == (64, 64) and report.channels == 3 and report.imbalance == 7


def test_what_is_wrong_is_named(report: Inspection) -> None:
    assert report.unreadable == [("cat/broken.jpg", "not an image")] and report.ignored == ["read me.txt"]
    assert report.duplicates == [["cat/0.png", "dog/copy of cat 0.bmp"]] and report.too_small == 1


def test_it_is_said_in_words_and_in_json(report: Inspection) -> None:
    report.suggestion = "We would train r3gan for 3 minutes."
    assert report.sentences() == [
        "photos: 24 images.",
        "Formats: PNG 23, BMP 1; modes: RGB 23, L 1; sizes (height x width): 70x80 23, 90x30 1.",
        "2 classes: cat 21, dog 3.",
        "Would be trained at 64x64, RGB.",
        "1 file cannot be read: cat/broken.jpg (not an image); remove them or pass --skip-unreadable.",
        "Files beside the images that are not used: .txt 1.",
        "The modes are mixed; all become RGB (--channels chooses).",
        "The sizes are mixed; all become 64x64 (--resolution and --crop choose).",
        "1 example is an exact copy of another: cat/0.png = dog/copy of cat 0.bmp.",
        "1 image is smaller than the resolution and would be enlarged.",
        "24 examples are few: expect copies of the data rather than new examples.",
        little_data_advice(24, 3),
        "We would train r3gan for 3 minutes.",
    ]
    assert json.loads(json.dumps(report.to_json()))["unreadable"] == [["cat/broken.jpg", "not an image"]]


def test_unbalanced_classes_are_named() -> None:
    labels = [0] * 11 + [1]
    said = inspect_dataset((np.zeros((12, 4, 5), np.uint8), labels)).sentences()
    assert 'The classes are unbalanced: "0" is 11 times as frequent as "1".' in said


def test_held_out_copies_of_training_examples_are_named(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 5, 6), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images, x_test=images[7:9])
    report = inspect_dataset(tmp_path / "a.npz")
    assert report.held_out == 2 and report.leaks[0] == ["a.npz:x_train[7]", "a.npz:x_test[0]"]
    assert report.sentences()[-2].startswith("2 held-out examples occur in the training data as well: a.npz:x_train[7] = ")


def test_good_data_has_nothing_wrong() -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 5, 6), np.uint8)
    assert inspect_dataset(images).sentences() == [
        "array: 600 images.",
        "Formats: array 600; modes: L 600; sizes (height x width): 5x6 600.",
        "Would be trained at 5x6, L.",
        little_data_advice(600, 1),
    ]


def test_unreadable_images_alone_are_a_mistake(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photos / "a.png").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"1 of the files of photos cannot be read: a.png \(not an image\)"):
        inspect_dataset(photos)
    assert main(["inspect", str(photos)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "cannot be read: a.png (not an image)" in said.err and said.err.count("\n") == 1


def test_an_empty_folder_is_a_mistake(photos: Path) -> None:
    with pytest.raises(UserError, match="has no images"):
        inspect_dataset(photos)


def test_points_have_ranges_and_copies() -> None:
    points = np.random.default_rng(0).normal(size=(600, 2))
    points[5] = points[3]
    report = inspect_dataset(points)
    assert report.kind == "points" and report.duplicates == [["row 3", "row 5"]]
    assert report.ranges["x"] == (points[:, 0].min(), points[:, 0].max())
