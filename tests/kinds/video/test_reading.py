"""From files to clips: rates, loops, transparency, labels, cuts, and files that are none."""

import csv
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds import recognise
from gansmith.kinds.opening import inspect_dataset, open_dataset
from gansmith.kinds.video.clip import Clip
from gansmith.kinds.video.cuts import cuts_in
from gansmith.kinds.video.shapes import moving_shapes
from gansmith.kinds.video.writers import save_animation, save_frames, write_film


@pytest.fixture(scope="module")
def clips():
    return [Clip(own.transpose(0, 2, 3, 1)) for own in moving_shapes(6, 12, 16).frames]


@pytest.fixture
def opened(tmp_path):
    return lambda path, **options: open_dataset(path, cache=tmp_path / "cache", **options)


@pytest.mark.parametrize("suffix", [".webp", ".apng"])
def test_animations_without_loss_come_back_as_they_were(suffix, clips, tmp_path, opened):
    for number, clip in enumerate(clips[:3]):
        (tmp_path / "a").mkdir(exist_ok=True)
        save_animation(clip.images(), tmp_path / "a" / f"{number}{suffix}", 12, True)
    data = opened(tmp_path / "a", frames=12)
    assert data.codec.spec.rate == pytest.approx(12, rel=0.02) and data.codec.spec.loops
    for number, clip in enumerate(clips[:3]):
        np.testing.assert_array_equal(data.codec.decode(data.batch(slice(number, number + 1)))[0].frames, clip.frames)


def test_a_gif_keeps_its_rate_its_loop_and_what_is_transparent(clips, tmp_path, opened):
    frames = []
    for image in clips[0].images():
        image = image.convert("RGBA")
        image.paste((0, 0, 0, 0), (0, 0, 5, 5))
        frames.append(image)
    save_animation(frames, tmp_path / "a.gif", 10, True)
    data = opened(tmp_path / "a.gif", frames=12)
    assert data.codec.spec.shape == (12, 4, 16, 16) and data.codec.spec.loops and data.codec.spec.rate == 10
    assert (data.arrays["video"][0][:, 3, :5, :5] == 0).all() and (data.arrays["video"][0][:, 3, 6:, 6:] == 255).all()
    laid = opened(tmp_path / "a.gif", channels=3, frames=12)
    assert (laid.arrays["video"][0][:, :, :4, :4] > 250).all()


def test_several_clips_in_one_animation_begin_again(clips, tmp_path):
    for count in (1, 2):
        write_film(clips[:count], tmp_path / f"{count}.gif")
        with Image.open(tmp_path / f"{count}.gif") as film:
            assert film.info.get("loop") == (0 if count > 1 else None)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi"])
def test_films_are_read_through_ffmpeg_at_their_own_rate_or_another(suffix, clips, tmp_path, opened):
    from gansmith.data.film_writer import VideoWriter

    with VideoWriter(tmp_path / f"a{suffix}", rate=12) as film:
        for image in clips[0].images():
            film.write(image.resize((48, 48), Image.Resampling.NEAREST))
    assert recognise(Source(tmp_path / f"a{suffix}")).name == "video"
    data = opened(tmp_path / f"a{suffix}", resolution=16, frames=12)
    assert data.codec.spec.rate == pytest.approx(12) and len(data) == 1
    assert np.abs(data.arrays["video"][0].astype(int) - clips[0].frames.transpose(0, 3, 1, 2)).mean() < 6
    half = opened(tmp_path / f"a{suffix}", resolution=16, frames=6, fps=6)
    assert len(half) == 1
    difference = np.abs(half.arrays["video"][0].astype(int) - data.arrays["video"][0][1::2]).mean()
    assert difference < 3  # the frame that is shown in the middle of a tick


def test_folders_of_frames_are_videos_and_folders_above_are_classes(clips, tmp_path, opened):
    for number, clip in enumerate(clips[:4]):
        save_frames(clip, tmp_path / "d" / ("left", "right")[number % 2] / f"clip {number}")
    data = opened(tmp_path / "d", kind="video", fps=5, stride=12, frames=12)
    assert data.codec.spec.classes == ("left", "right") and data.codec.spec.rate == 5 and len(data) == 4
    assert data.labels().tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(data.arrays["video"][0].transpose(0, 2, 3, 1), clips[0].frames)


def test_a_table_beside_gives_attributes_which_can_be_asked_for(clips, tmp_path, opened):
    import torch

    (tmp_path / "d").mkdir()
    with open(tmp_path / "d" / "labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "action", "speed"])
        for number, clip in enumerate(clips):
            save_animation(clip.images(), tmp_path / "d" / f"{number}.webp", 8, False)
            table.writerow([f"{number}.webp", ("walk", "slash")[number % 2], number])
    codec = opened(tmp_path / "d").codec
    assert set(codec.spec.attributes) == {"action=walk", "action=slash", "speed"}
    asked = codec.conditions(5, torch.Generator().manual_seed(0), action="walk", speed="2.5")["label"]
    numbers = codec.attributes.repack(asked.numpy())[0]
    assert dict(zip(codec.spec.attributes, numbers.tolist(), strict=True)) == {"action=walk": 1, "action=slash": 0, "speed": 2.5}
    with pytest.raises(UserError, match="never"):
        codec.conditions(1, torch.Generator(), action="jump")


def test_zips_arrays_and_parquet_hold_the_same_clips(clips, tmp_path, opened):
    import pyarrow
    from pyarrow import parquet

    (tmp_path / "d").mkdir()
    for number, clip in enumerate(clips):
        save_animation(clip.images(), tmp_path / "d" / f"{number}.webp", 8, False)
    shutil.make_archive(str(tmp_path / "z"), "zip", tmp_path / "d")
    contents = [{"bytes": (tmp_path / "d" / f"{number}.webp").read_bytes(), "path": None} for number in range(len(clips))]
    parquet.write_table(pyarrow.table({"video": contents, "label": list("ababab")}), tmp_path / "t.parquet")
    np.savez(tmp_path / "n.npz", video=np.stack([clip.frames for clip in clips]), fps=8.0)
    first = opened(tmp_path / "d").arrays["video"][:]
    for name in ("z.zip", "t.parquet", "n.npz"):
        other = opened(tmp_path / name, **({"kind": "video"} if name == "z.zip" else {}))
        np.testing.assert_array_equal(other.arrays["video"][:], first, err_msg=name)
        assert other.codec.spec.classes == (("a", "b") if name == "t.parquet" else ())
    array = opened(np.stack([clip.frames for clip in clips]))
    np.testing.assert_array_equal(array.arrays["video"][:], first)


def test_no_clip_reaches_across_a_cut_unless_it_may(clips, tmp_path, opened):
    bright = (255 - clips[1].frames).astype(np.uint8)
    both = Clip(np.concatenate([clips[0].frames, bright]))
    np.savez(tmp_path / "n.npz", video=both.frames[None], fps=8.0)
    data = opened(tmp_path / "n.npz", frames=8, stride=1)
    starts = [int(own) for own in data.arrays["video"].starts.at(np.arange(len(data)))]
    assert starts == [0, 1, 2, 3, 4, 12, 13, 14, 15, 16] and "scene cut" in " ".join(data.remarks())
    assert len(opened(tmp_path / "n.npz", frames=8, stride=1, cuts=False)) == 17


def test_a_cut_is_a_jump_among_small_differences_and_no_flicker():
    assert cuts_in([0.01] * 5 + [0.5] + [0.01] * 5) == [6]
    assert cuts_in([0.3] * 12) == [] and cuts_in([0.01] * 12) == []


def test_train_and_test_folders_are_kept_apart(clips, tmp_path, opened):
    for number, clip in enumerate(clips):
        place = tmp_path / "d" / ("train", "test")[number % 3 == 0]
        place.mkdir(parents=True, exist_ok=True)
        save_animation(clip.images(), place / f"{number}.webp", 8, False)
    train, held = opened(tmp_path / "d", frames=12).split(0.5)
    assert (len(train), len(held)) == (4, 2) and held.codec == train.codec


def test_a_looping_video_shorter_than_a_clip_begins_again(clips, tmp_path, opened):
    save_animation(clips[0].images()[:5], tmp_path / "a.webp", 8, True)
    data = opened(tmp_path / "a.webp", frames=12)
    frames = data.arrays["video"][0]
    np.testing.assert_array_equal(frames[:2], frames[5:7])
    save_animation(clips[0].images()[:5], tmp_path / "b.webp", 8, False)
    with pytest.raises(UserError, match="--frames 5"):
        opened(tmp_path / "b.webp", frames=12)


def test_inspection_names_what_is_static_black_uneven_and_broken(clips, tmp_path):
    place = tmp_path / "d"
    place.mkdir()
    save_animation(clips[0].images(), place / "good.webp", 8, False)
    black = [Image.new("RGB", (16, 16), (place_ % 2, 0, 0)) for place_ in range(12)]
    save_animation(black, place / "black.apng", 8, False)
    images = clips[1].images()
    images[0].save(place / "uneven.webp", save_all=True, append_images=images[1:], duration=[100] * 6 + [300] * 6, lossless=True)
    (place / "broken.mp4").write_text("this is no film")
    said = " ".join(inspect_dataset(place, cache=tmp_path / "c", frames=12, kind="video").sentences())
    uneven = "changing rate, and read at an even one: uneven.webp"
    for words in ("broken.mp4 (", "static", "black from beginning to end: black.apng", uneven):
        assert words in said, words
    with pytest.raises(UserError, match=r"broken.mp4 of d cannot be read .* --skip-unreadable"):
        open_dataset(place, cache=tmp_path / "c", kind="video")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.mp4", b"hello", "cannot be read"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "cannot be read"),
        ("empty.webm", b"", "cannot be read"),
        ("short.gif", b"GIF89a", "cannot be read"),
    ],
)
def test_what_is_no_video_is_a_sentence(name, content, words, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        open_dataset(tmp_path / name, kind="video", cache=tmp_path / "c")


def test_one_frame_is_no_video(tmp_path):
    content = io.BytesIO()
    Image.new("RGB", (16, 16)).save(content, "GIF")
    (tmp_path / "a.gif").write_bytes(content.getvalue())
    with pytest.raises(UserError, match="one frame"):
        open_dataset(tmp_path / "a.gif", kind="video", cache=tmp_path / "c")
    with pytest.raises(UserError, match="one frame each"):
        open_dataset(np.zeros((3, 1, 16, 16, 3), np.uint8), kind="video", cache=tmp_path / "c")


@pytest.mark.parametrize(
    "wrong", [{"fps": 0}, {"fps": 1000.0}, {"frames": 1}, {"stride": 0}, {"channels": 2}, {"resolution": "4"}]
)
def test_options_out_of_range_are_named(wrong):
    with pytest.raises(UserError, match=f"--{next(iter(wrong))}"):
        open_dataset("shapes", **wrong)


def test_an_option_that_would_change_the_built_in_frames_is_refused():
    with pytest.raises(UserError, match="leave --resolution"):
        open_dataset("shapes", resolution=64)
    assert open_dataset("shapes", frames=8).codec.spec.shape[0] == 8
