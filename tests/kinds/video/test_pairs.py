"""Pairs of films and pictures with films that move them: how they are recognised, cut, held out and refused."""

import colorsys

import numpy as np
import pytest
from PIL import Image

from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds import find, recognise
from gansmith.kinds.opening import inspect_dataset, open_dataset
from gansmith.kinds.video.clip import Clip
from gansmith.kinds.video.outlines import outlines
from gansmith.kinds.video.shapes import moving_shapes, tracked
from gansmith.kinds.video.writers import save_animation, save_frames

COUNT, STEPS, SIDE = 5, 10, 16


@pytest.fixture(scope="module")
def drawn():
    return outlines(COUNT, STEPS, SIDE)


@pytest.fixture
def folder(drawn, tmp_path):
    """Folders A and B with animations without loss."""
    for side, frames in (("A", drawn.given), ("B", drawn.made)):
        (tmp_path / "pairs" / side).mkdir(parents=True)
        for number, own in enumerate(frames):
            save_animation(Clip(own.transpose(0, 2, 3, 1)).images(), tmp_path / "pairs" / side / f"{number}.webp", 8, False)
    return tmp_path / "pairs"


@pytest.fixture
def opened(tmp_path):
    return lambda path, **options: open_dataset(path, cache=tmp_path / "cache", **options)


def test_two_folders_of_films_are_pairs_cut_at_the_same_places(folder, drawn, opened):
    assert (
        recognise(Source(folder)).name == "video"
        and find("video").usual_gan(Source(folder), find("video").Options()) == "vid2vid"
    )
    data = opened(folder, frames=4, stride=2)
    assert data.codec.spec.task == "pairs" and data.codec.spec.shape == (4, 3, SIDE, SIDE) and len(data) == COUNT * 4
    for row in (0, 7, 19):
        video, begin = divmod(row, 4)
        np.testing.assert_array_equal(data.arrays["b"][row], drawn.made[video, 2 * begin : 2 * begin + 4])
        gray = drawn.given[video, 2 * begin : 2 * begin + 4]
        np.testing.assert_array_equal(data.arrays["a"][row][:, :1], gray)
    train, held_out = data.split(0.2)
    assert not {*data.groups[train.indices]} & {*data.groups[held_out.indices]}
    again = find("video").open(
        Source(folder),
        find("video").like(data.codec, find("video").Options(), Source(folder)),
        cache=folder / "c",
        like=data.codec,
    )
    assert again.codec == data.codec


def test_sides_may_be_swapped_lie_in_train_and_test_in_arrays_or_be_named_otherwise(folder, drawn, opened, tmp_path):
    swapped = opened(folder, frames=4, swap=True)
    assert swapped.codec.spec.source_shape[1] == 3
    np.testing.assert_array_equal(swapped.arrays["a"][0], drawn.made[0, :4])
    for part in ("train", "test"):
        (tmp_path / "split" / part).mkdir(parents=True)
        for side, name in (("A", "input"), ("B", "target")):
            (folder / side).rename(tmp_path / "split" / part / name) if part == "train" else None
            if part == "test":
                (tmp_path / "split" / part / name).mkdir()
                source = tmp_path / "split" / "train" / name / "0.webp"
                source.rename(tmp_path / "split" / part / name / "0.webp")
    data = opened(tmp_path / "split", frames=4)
    assert data.held_out is not None and len({*data.groups[:]}) == COUNT - 1
    np.testing.assert_array_equal(data.held_out.arrays["b"][0], drawn.made[0, :4])
    a, b = (frames.transpose(0, 1, 3, 4, 2) for frames in (drawn.given, drawn.made))
    np.savez(tmp_path / "pairs.npz", a=a, b=b, fps=12)
    for given in (tmp_path / "pairs.npz", (a, b)):
        found = opened(given, frames=4)
        assert found.codec.spec.source_shape[1] == 1 and len(found) == COUNT * 7
    assert opened(tmp_path / "pairs.npz", frames=4).codec.spec.rate == 12


def test_a_cut_of_the_made_film_parts_both(tmp_path, opened):
    made = moving_shapes(4, 10, SIDE, seed=3).frames.transpose(0, 1, 3, 4, 2)
    bright = np.concatenate([made[:2], 255 - made[2:]], 1)[None, 0].repeat(2, 0)
    film = np.concatenate([bright[0][:10], 255 - bright[0][:10]])[None]
    data = opened((film // 2, film), frames=4, stride=1)
    assert len(data) == 14  # none of the 17 windows that reach across frame 10
    for row in range(len(data)):
        np.testing.assert_array_equal(data.arrays["a"][row], data.arrays["b"][row] // 2)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("partner", "3.webp of .* is in A alone"),
        ("length", "10 frames on side a and 6 on side b"),
        ("shape", "crop both to the same proportions"),
        ("broken", "cannot be read"),
        ("empty", "has no videos"),
    ],
)
def test_what_does_not_fit_is_a_sentence(spoil, words, folder, drawn, opened):
    other = folder / "B" / "3.webp"
    images = Clip(drawn.made[3].transpose(0, 2, 3, 1)).images()
    if spoil in ("partner", "empty"):
        for path in [other] if spoil == "partner" else (folder / "B").iterdir():
            path.unlink()
        (folder / "B" / "note.png").write_bytes((folder / "A" / "0.webp").read_bytes()[:20]) if spoil == "empty" else None
    elif spoil == "length":
        save_animation(images[:6], other, 8, False)
    elif spoil == "shape":
        save_animation([image.resize((32, 16)) for image in images], other, 8, False)
    else:
        other.write_bytes(b"no film")
    with pytest.raises(UserError, match=words):
        opened(folder, frames=4, kind="video")


def test_partners_of_other_rates_and_sizes_are_brought_together(drawn, tmp_path, opened):
    for number in range(3):
        for side, frames, rate, size in (("a", drawn.given, 16, 32), ("b", drawn.made, 8, SIDE)):
            images = [image.resize((size, size)) for image in Clip(frames[number].transpose(0, 2, 3, 1)).images()]
            images = [image.copy() for image in images for _ in range(rate // 8)]
            for place, image in enumerate(images):  # formats store frames that are alike as one
                image.putpixel((0, 0), 200 * (place % 2) if image.mode == "L" else (200 * (place % 2), 0, 0))
            (tmp_path / "d" / side).mkdir(parents=True, exist_ok=True)
            save_animation([image.convert("RGB") for image in images], tmp_path / "d" / side / f"{number}.apng", rate, False)
    data = opened(tmp_path / "d", frames=4)
    assert data.codec.spec.source_shape[2:] == (SIDE, SIDE) and data.codec.spec.rate == 8
    assert any("brought to one rate" in remark for remark in data.remarks())


def test_folders_of_frames_are_pairs_too(drawn, tmp_path, opened):
    for number in range(2):
        for side, frames in (("A", drawn.given), ("B", drawn.made)):
            save_frames(Clip(frames[number].transpose(0, 2, 3, 1)), tmp_path / "d" / side / str(number))
    data = opened(tmp_path / "d", kind="video", frames=4)
    np.testing.assert_array_equal(data.arrays["b"][0], drawn.made[0, :4])
    assert inspect_dataset(tmp_path / "d", kind="video", frames=4).count == len(data)


def test_motion_is_the_first_frame_and_the_clip_behind_it(opened, tmp_path):
    frames = moving_shapes(3, 6, SIDE).frames
    (tmp_path / "clips").mkdir()
    for number, own in enumerate(frames):
        save_animation(Clip(own.transpose(0, 2, 3, 1)).images(), tmp_path / "clips" / f"{number}.webp", 8, False)
    data = opened(tmp_path / "clips", task="motion", frames=4, stride=2)
    assert data.codec.spec.source.driven and data.codec.spec.source_shape == (5, 3, SIDE, SIDE)
    np.testing.assert_array_equal(data.arrays["b"][1], frames[0, 2:6])
    np.testing.assert_array_equal(data.arrays["a"][1], np.concatenate([frames[0, 2:3], frames[0, 2:6]]))
    with pytest.raises(UserError, match="--swap exchanges the sides of pairs"):
        opened(tmp_path / "clips", swap=True)
    with pytest.raises(UserError, match="holds no pairs of films"):
        opened(tmp_path / "clips", task="pairs")


def test_the_built_in_pairs_are_what_they_are_said_to_be():
    made = outlines(40, 12)
    seen = tracked(made.made)
    np.testing.assert_allclose(seen.centres, made.centres, atol=0.3)
    step = np.diff(made.centres, axis=1)
    for video in range(0, 40, 7):
        for frame in (0, 5, 11):
            x, y = step[video, max(0, frame - 1)]
            hue = np.arctan2(y, x) / (2 * np.pi) % 1
            red, green, blue = made.colours[video, frame] / 255
            away = abs(colorsys.rgb_to_hsv(red, green, blue)[0] - hue)
            assert min(away, 1 - away) < 0.06, (video, frame)
    bright = made.given > 100
    assert 8 < bright.sum((2, 3, 4)).mean() < 60  # an outline, of which frames show different parts
    data = open_dataset("outlines", frames=8)
    assert data.codec.spec.source_shape == (8, 1, 32, 32) and len({*np.asarray(data.groups)}) == 400
    with pytest.raises(UserError, match="leave --resolution"):
        open_dataset("outlines", resolution=16)
    with pytest.raises(UserError, match="outlines are pairs of films"):
        open_dataset("outlines", task="motion")
    assert isinstance(data.codec.preview(data.codec.decode(data.batch(slice(0, 2)))), Image.Image)
