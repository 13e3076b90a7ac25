import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds.images.readers.folders import from_folder
from gansmith.kinds.opening import open_dataset

Make = Callable[..., Image.Image]


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def put(folder: Path, name: str, image: Image.Image) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(folder / name)


def test_a_flat_folder_has_no_classes_and_the_natural_order(photos: Path, picture: Make) -> None:
    for number in (10, 2, 1):
        put(photos, f"{number}.png", picture(seed=number))
    dataset = open_dataset(photos)
    assert dataset.codec.spec.classes == () and dataset.codec.spec.shape == (3, 10, 12) and "label" not in dataset.arrays
    for row, number in enumerate((1, 2, 10)):
        np.testing.assert_array_equal(dataset.arrays["image"][row], np.asarray(picture(seed=number)).transpose(2, 0, 1))


def test_sub_folders_are_classes_in_natural_order_however_deep_the_images_lie(photos: Path, picture: Make) -> None:
    put(photos, "10/deep/deeper/a.png", picture())
    put(photos, "2/b.png", picture())
    put(photos, "2/c.png", picture())
    dataset = open_dataset(photos)
    assert dataset.codec.spec.classes == ("2", "10")
    labels = dataset.labels()
    assert labels is not None and labels.tolist() == [0, 0, 1] and dataset.codec.to_json()["frequencies"] == [2, 1]
    assert open_dataset(photos, labels=False).codec.spec.classes == ()


def test_folders_that_all_images_share_are_no_classes(photos: Path, picture: Make) -> None:
    put(photos, "images/a.png", picture())
    assert open_dataset(photos).codec.spec.classes == ()
    put(photos, "images/cat/b.png", picture())
    (photos / "images/a.png").rename(photos / "images/cat/a.png")
    put(photos, "images/dog/b.png", picture())
    assert open_dataset(photos).codec.spec.classes == ("cat", "dog")


def test_images_beside_sub_folders_make_them_no_classes_and_that_is_said(photos: Path, picture: Make) -> None:
    put(photos, "a.png", picture())
    put(photos, "cat/b.png", picture())
    dataset = open_dataset(photos)
    assert dataset.codec.spec.classes == ()
    assert dataset.facts["notes"] == (
        "1 of 2 images lie outside of the sub-folders, so the sub-folders are not taken for classes",
    )


def test_train_and_test_folders_are_splits(photos: Path, picture: Make) -> None:
    for number, split in enumerate(("train", "train", "test")):
        for kind in ("cat", "dog"):
            put(photos, f"{split}/{kind}/{number}.png", picture(seed=number))
    dataset = open_dataset(photos)
    assert len(dataset) == 4 and dataset.codec.spec.classes == ("cat", "dog")
    assert dataset.held_out is not None and len(dataset.held_out) == 2 and dataset.held_out.codec == dataset.codec
    train, test = dataset.split(0.5)
    assert len(train) == 4 and len(test) == 2


def test_a_class_of_the_test_split_alone_is_refused(photos: Path, picture: Make) -> None:
    for name in ("train/cat/a.png", "train/dog/a.png", "test/cat/a.png", "test/cow/a.png"):
        put(photos, name, picture())
    with pytest.raises(UserError, match='"cow", which the training data does not have'):
        open_dataset(photos)


def test_hidden_files_and_other_files_are_left_out(photos: Path, picture: Make) -> None:
    put(photos, "schön und gut.png", picture())
    put(photos, ".hidden.png", picture())
    put(photos, ".cache/a.png", picture())
    (photos / "notes.txt").write_text("no image")
    assert len(open_dataset(photos)) == 1


def test_a_zip_reads_like_the_folder_that_it_holds(photos: Path, picture: Make, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, seed in (("top/cat/ä b.png", 1), ("top/dog/2.png", 2), ("top/dog/10.png", 3)):
            put(photos, name, picture(seed=seed))
            archive.writestr(name, png(picture(seed=seed)))
        archive.writestr("__MACOSX/cat/x.png", b"resource fork")
    folder, zipped = open_dataset(photos), open_dataset(tmp_path / "all.zip")
    assert zipped.codec.spec.classes == ("cat", "dog")
    assert zipped.fingerprint == folder.fingerprint


def test_a_zip_in_a_folder_counts_as_a_sub_folder(photos: Path, picture: Make) -> None:
    put(photos, "dog/a.png", picture())
    with zipfile.ZipFile(photos / "cat.zip", "w") as archive:
        archive.writestr("b.png", png(picture()))
    assert open_dataset(photos).codec.spec.classes == ("cat", "dog")
    (photos / "cow.zip").write_bytes(b"no zip at all")
    with pytest.raises(UserError, match=r"1 of the files of photos cannot be read: cow\.zip \(File is not a zip file\)"):
        open_dataset(photos)


def test_the_fingerprint_depends_on_content_alone(photos: Path, picture: Make, tmp_path: Path) -> None:
    put(photos, "a.png", picture(seed=1))
    first = open_dataset(photos)
    os.utime(photos / "a.png", (1, 1))
    moved = photos.rename(tmp_path / "elsewhere")
    second = open_dataset(moved, cache=tmp_path / "other cache")
    assert first.fingerprint == second.fingerprint
    put(moved, "a.png", picture(seed=2))
    assert open_dataset(moved).fingerprint != first.fingerprint


def test_a_changed_file_is_read_again(photos: Path, picture: Make) -> None:
    put(photos, "a.png", picture(seed=1))
    open_dataset(photos)
    put(photos, "a.png", picture(seed=2))
    np.testing.assert_array_equal(open_dataset(photos).arrays["image"][0], np.asarray(picture(seed=2)).transpose(2, 0, 1))


def truncated(photos: Path, name: str, picture: Make) -> None:
    picture(size=(200, 200)).save(photos / name, quality=95)
    (photos / name).write_bytes((photos / name).read_bytes()[:-9000])


def test_unreadable_files_are_named_and_refused_and_skipped_only_when_told(photos: Path, picture: Make) -> None:
    put(photos, "good.jpg", picture(size=(200, 200)))
    truncated(photos, "cut short.jpg", picture)
    for name in ("b.png", "c.png", "d.png"):
        (photos / name).write_bytes(b"nothing")
    with pytest.raises(UserError) as error:
        open_dataset(photos)
    assert str(error.value).startswith(
        "4 of the files of photos cannot be read: b.png (not an image), c.png (not an image), cut short.jpg (image file is trunc"
    )
    assert str(error.value).endswith(" and 1 more; repair or remove them, or pass --skip-unreadable to leave them out.")
    dataset = open_dataset(photos, skip_unreadable=True)
    assert len(dataset) == 1 and dataset.facts["unreadable"] == ("b.png", "c.png", "cut short.jpg", "d.png")


@pytest.mark.parametrize("skip", [False, True])
def test_a_folder_of_unreadable_images_alone_is_refused_in_any_case(photos: Path, picture: Make, skip: bool) -> None:
    truncated(photos, "a.jpg", picture)
    with pytest.raises(UserError, match="1 of the files of photos cannot be read"):
        open_dataset(photos, skip_unreadable=skip)


def test_folders_without_images_say_what_they_hold(photos: Path) -> None:
    with pytest.raises(UserError, match=r"has no images \(found: nothing\)"):
        open_dataset(photos)
    (photos / "a.doc").touch()
    (photos / "b.doc").touch()
    with pytest.raises(UserError, match=r"has no images \(found: 2 \.doc\)"):
        open_dataset(photos)


def test_mixed_modes_become_the_most_general_one(photos: Path, picture: Make) -> None:
    put(photos, "a.png", picture("L"))
    assert open_dataset(photos).codec.spec.shape[0] == 1
    put(photos, "b.png", picture("RGB"))
    dataset = open_dataset(photos)
    assert dataset.codec.spec.shape[0] == 3
    np.testing.assert_array_equal(dataset.arrays["image"][0], np.stack([np.asarray(picture("L"))] * 3))
    put(photos, "c.png", picture("RGBA"))
    assert open_dataset(photos).codec.spec.shape[0] == 4
    assert open_dataset(photos, channels=1).codec.spec.shape[0] == 1


def test_deep_images_keep_their_values(photos: Path) -> None:
    Image.fromarray(np.full((8, 8), 4000, np.uint16)).save(photos / "a.png")
    Image.fromarray(np.full((8, 8), 1000, np.uint16)).save(photos / "b.png")
    dataset = open_dataset(photos)
    assert dataset.arrays["image"][:, 0, 0, 0].tolist() == [4000, 1000]
    assert dataset.arrays["image"].dtype == np.uint16 and dataset.codec.levels.high == 4095
    assert dataset.facts["notes"] == ("values from 0 to 4095 are kept as uint16",)


def test_a_single_image_file_is_data_too(photos: Path, picture: Make) -> None:
    put(photos, "one.png", picture())
    assert len(open_dataset(photos / "one.png")) == 1


def test_a_link_back_to_the_folder_above_does_not_go_round_forever(photos: Path, picture: Make) -> None:
    put(photos, "cat/a.png", picture())
    (photos / "cat" / "back").symlink_to(photos, target_is_directory=True)
    assert len(open_dataset(photos)) == 1


def test_only_the_first_of_several_frames_or_pages_is_used_and_that_is_told(photos: Path) -> None:
    frames = [Image.new("L", (8, 8), value) for value in (10, 200)]
    for number in range(3):
        frames[0].save(photos / f"{number}.tif", save_all=True, append_images=frames[1:])
    frames[1].save(photos / "3.png")
    dataset = open_dataset(photos)
    assert dataset.arrays["image"][:, 0, 0, 0].tolist() == [10, 10, 10, 200]
    assert dataset.remarks() == ["Of 3 files that hold several frames or pages the first one is used: save the others apart."]


def test_files_are_found_without_comparing_each_with_every_other(
    photos: Path, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        put(photos, f"{number % 2}/{number}.png", picture())
    np.save(photos / "array.npy", np.zeros((8, 8), np.uint8))

    def compared(*_: object) -> bool:
        raise AssertionError("the time would grow by the square of the number of files")

    monkeypatch.setattr("gansmith.kinds.images.readers.folders._File.__eq__", compared)
    found = from_folder(photos)
    assert len(list(found.examples)) == 50 and found.ignored == ("array.npy",)
