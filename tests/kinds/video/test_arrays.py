"""Arrays of videos under other names, without channels, in .npy files, with classes; and arrays that are none."""

import numpy as np
import pytest

from gansmith.errors import UserError
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.video.shapes import moving_shapes


@pytest.fixture(scope="module")
def frames():
    return np.ascontiguousarray(moving_shapes(6, 4, 16).frames.transpose(0, 1, 3, 4, 2))


@pytest.fixture
def opened(tmp_path):
    return lambda data, **options: open_dataset(data, cache=tmp_path / "cache", **options)


def test_the_only_array_of_five_dimensions_holds_the_videos(frames, tmp_path, opened):
    np.savez(tmp_path / "own.npz", clips=frames, y=np.array([0, 1, 0, 1, 0, 1]), classes=np.array(["run", "walk"]))
    data = opened(tmp_path / "own.npz")
    assert data.codec.spec.kind == "video" and data.codec.spec.classes == ("run", "walk")
    np.testing.assert_array_equal(data.arrays["video"][:], opened(frames).arrays["video"][:])


def test_two_arrays_of_five_dimensions_are_not_guessed_between(frames, tmp_path, opened):
    np.savez(tmp_path / "two.npz", first=frames, second=frames)
    with pytest.raises(UserError, match='no array "video", only first, second'):
        opened(tmp_path / "two.npz", kind="video")


def test_a_npy_file_is_read_as_the_array_it_holds(frames, tmp_path, opened):
    np.save(tmp_path / "own.npy", frames)
    np.testing.assert_array_equal(opened(tmp_path / "own.npy").arrays["video"][:], opened(frames).arrays["video"][:])


def test_gray_videos_may_have_no_axis_for_their_channel(frames, tmp_path, opened):
    gray = frames[..., 0]
    np.save(tmp_path / "gray.npy", gray)
    data = opened(tmp_path / "gray.npy", kind="video")
    assert data.codec.spec.shape == (4, 1, 16, 16)
    np.testing.assert_array_equal(data.arrays["video"][:], opened(gray[..., None]).arrays["video"][:])
    np.testing.assert_array_equal(opened(gray, kind="video").arrays["video"][:], data.arrays["video"][:])


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (
            np.zeros((4, 100, 16, 16), np.uint8),
            r"4 gray videos of 100 frames: if its first axis is time, give array.swapaxes\(0, 1\)",
        ),
        (np.zeros((6, 4, 3, 16, 16), np.uint8), r"give np.moveaxis\(array, 2, -1\)"),
        (np.zeros((6, 4, 16, 16, 3), np.float32), r"scale its values to 0 to 255 and give array.astype\(np.uint8\)"),
        (np.zeros((6, 4, 16, 16, 2), np.uint8), r"is uint8 \[6, 4, 16, 16, 2\]: convert it"),
        (np.zeros((6, 1, 16, 16, 3), np.uint8), "have one frame each"),
    ],
)
def test_other_arrays_get_a_sentence_that_says_what_to_change(array, said, tmp_path, opened):
    np.save(tmp_path / "x.npy", array)
    for given in (tmp_path / "x.npy", array):
        with pytest.raises(UserError, match=said):
            opened(given, kind="video")


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (np.array([0, 1, 2, 0, 1, 0]), "numbers of the 2 classes, from 0, but 2 came"),
        (np.array([0, 1, -1, 0, 1, 0]), "but -1 came"),
        (np.array([0.0, 1, 0, 0, 1, 0]), "but float64 came"),
        (np.zeros((6, 2), int), r"it is \[6, 2\]: give one number or name for each"),
        (np.array([0, 1, 0]), "6 videos but 3 labels"),
    ],
)
def test_labels_that_are_no_class_get_a_sentence(label, said, frames, tmp_path, opened):
    np.savez(tmp_path / "x.npz", video=frames, label=label, classes=np.array(["a", "b"]))
    with pytest.raises(UserError, match=said):
        opened(tmp_path / "x.npz")
